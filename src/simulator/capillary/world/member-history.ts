import { type Random, randomInteger } from '../../random.ts';
import { CLUB_PROGRAM, DEFAULT_PROGRAM, earnedTier, endOfDay, type Program, tierOf } from './brand.ts';
import {
  createAccount,
  expireLot,
  issuePoints,
  type PointsAccount,
  redeemPoints,
  redeemableOf,
} from './points-account.ts';
import { expiryOfTier } from './tier-standing.ts';
import type { WorldCustomer } from './world-customer.ts';

const DAY_MS = 86_400_000;

export interface HistoryContext {
  readonly random: Random;
  /** Now, epoch ms. */
  readonly at: number;
  readonly nextId: () => number;
}

/** Share of members of the default program who are also in the other one. */
const CLUB_SHARE = 0.35;
/** Share of members whose upgrade is still to come. */
const LATE_UPGRADE_SHARE = 0.3;
/** The expiry job is this many days behind: lots that it has yet to take. */
const DUE_LOTS = 3;

export function enrol(customer: WorldCustomer, program: Program, at: number, nextId: () => number): void {
  const account = createAccount(program, nextId(), at);
  account.standing.expiresAt = expiryOfTier(account.standing.tier, at);
  customer.accounts.push(account);
}

/** Points of the past: some were redeemed, some expired. */
function addSpentPoints(account: PointsAccount, { random, at, nextId }: HistoryContext): void {
  const awardedAt = at - 100 * DAY_MS;
  const redeemed = randomInteger(random, 0, 2_600);
  const expired = randomInteger(random, 0, 200);
  const lot = { kind: 'customer_promotions', promotion: 'Opening balance', awardedAt } as const;
  issuePoints(account, { ...lot, id: nextId(), issued: redeemed, expiresAt: endOfDay(at, -5) });
  redeemPoints(account, { id: 'opening', summaryId: 0, points: redeemed }, at - 50 * DAY_MS);
  account.redemptions = [];
  expireLot(
    account,
    issuePoints(account, { ...lot, id: nextId(), issued: expired, expiresAt: endOfDay(at, -5) }),
  );
}

function addOpenPoints(account: PointsAccount, { random, at, nextId }: HistoryContext): void {
  const kind = 'customer_promotions';
  const awardedAt = at - 60 * DAY_MS;
  for (let days = 1; days <= DUE_LOTS; days += 1) {
    const issued = randomInteger(random, 1, 40);
    issuePoints(account, {
      id: nextId(),
      kind,
      promotion: 'Monsoon bonus',
      issued,
      awardedAt,
      expiresAt: endOfDay(at, -days),
    });
  }
  for (const days of [30, 200]) {
    const issued = randomInteger(random, 25, 400);
    issuePoints(account, {
      id: nextId(),
      kind,
      promotion: 'Welcome points',
      issued,
      awardedAt,
      expiresAt: endOfDay(at, days),
    });
  }
}

/** A redemption that can still be reversed. */
function addRedemption(account: PointsAccount, { random, at, nextId }: HistoryContext): void {
  const points = randomInteger(random, 5, 20);
  redeemPoints(account, { id: `opening${nextId()}`, summaryId: nextId(), points }, at);
}

/** The tier that the points have earned, or the one below it: the upgrade is still to come. */
function setTier(account: PointsAccount, { random, at }: HistoryContext): void {
  const { program, standing, lifetimePoints } = account;
  const earned = earnedTier(program, lifetimePoints);
  const isLate = earned.number > 1 && random() < LATE_UPGRADE_SHARE;
  standing.tier = tierOf(program, isLate ? earned.number - 1 : earned.number);
  standing.expiresAt = expiryOfTier(standing.tier, at - 60 * DAY_MS);
  standing.earnedSinceChange = redeemableOf(account, at);
}

/** Makes the customer a member for some time, with points, a tier and perhaps a second program. */
export function addHistory(customer: WorldCustomer, context: HistoryContext): void {
  const { random, nextId } = context;
  enrol(customer, DEFAULT_PROGRAM, customer.joinedAt, nextId);
  if (random() < CLUB_SHARE) enrol(customer, CLUB_PROGRAM, customer.joinedAt + 30 * DAY_MS, nextId);
  for (const account of customer.accounts) {
    addSpentPoints(account, context);
    addOpenPoints(account, context);
    addRedemption(account, context);
    setTier(account, context);
  }
}
