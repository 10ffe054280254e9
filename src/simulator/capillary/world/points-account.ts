import { type Program, tierOf } from './brand.ts';
import type { TierStanding } from './tier-standing.ts';

/** Points that were awarded together and expire together. */
export interface PointsLot {
  readonly id: number;
  /** As `pointsType` in answers has it. */
  readonly kind: 'bill_regular' | 'customer_promotions';
  readonly issued: number;
  available: number;
  redeemed: number;
  expired: number;
  returned: number;
  readonly awardedAt: number;
  expiresAt: number;
  /** The bill that earned them. */
  readonly billId?: number;
  readonly promotion?: string;
}

/** Points that become available later. */
export interface PromisedPoints {
  readonly points: number;
  readonly convertsAt: number;
  readonly billId: number;
}

/** What happened to the expiry date of a lot. */
export interface ExpiryChange {
  readonly lot: PointsLot;
  readonly previous: number;
  readonly expiresAt: number;
  readonly at: number;
}

export interface LedgerEntry {
  /** The key that the event has too. */
  readonly eventLogId: number;
  readonly eventName: string;
  readonly at: number;
  readonly type: 'CREDIT' | 'DEBIT';
  readonly points: number;
  readonly category: 'Main' | 'Promised';
  readonly billId?: number;
}

/** A redemption that has not been reversed. */
export interface Redemption {
  readonly id: string;
  readonly summaryId: number;
  readonly points: number;
  readonly taken: readonly { readonly lot: PointsLot; readonly points: number }[];
}

/** A member's points in one program. */
export interface PointsAccount {
  readonly program: Program;
  readonly loyaltyId: number;
  readonly enrolledAt: number;
  lots: PointsLot[];
  promised: PromisedPoints[];
  redemptions: Redemption[];
  readonly expiryChanges: ExpiryChange[];
  readonly ledger: LedgerEntry[];
  /** Kept beside the lots: balance = lifetime - redeemed - expired - returned. */
  lifetimePoints: number;
  redeemed: number;
  expired: number;
  returned: number;
  /** Net amount of all bills, in hundredths of the base currency. */
  purchases: number;
  readonly standing: TierStanding;
}

export function createAccount(program: Program, loyaltyId: number, at: number): PointsAccount {
  return {
    program,
    loyaltyId,
    enrolledAt: at,
    lots: [],
    promised: [],
    redemptions: [],
    expiryChanges: [],
    ledger: [],
    lifetimePoints: 0,
    redeemed: 0,
    expired: 0,
    returned: 0,
    purchases: 0,
    standing: { tier: tierOf(program, 1), expiresAt: Number.NaN, history: [], earnedSinceChange: 0 },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The points that can be spent, from the lots. */
export function balanceOf({ lots }: PointsAccount): number {
  return sum(lots.map(({ available }) => available));
}

export function promisedOf({ promised }: PointsAccount): number {
  return sum(promised.map(({ points }) => points));
}

/** The lots with points left, the first to expire first. */
function openLots({ lots }: PointsAccount): PointsLot[] {
  return lots.filter(({ available }) => available > 0).toSorted((a, b) => a.expiresAt - b.expiresAt);
}

/** Open lots that have not reached their expiry date. */
export function futureLots(account: PointsAccount, at: number): PointsLot[] {
  return openLots(account).filter(({ expiresAt }) => expiresAt > at);
}

/** The lot that the next expiry job takes; none if nothing is due. */
export function dueLot(account: PointsAccount, at: number): PointsLot | undefined {
  return openLots(account).find(({ expiresAt }) => expiresAt <= at);
}

/** What a redemption can take now. */
export function redeemableOf(account: PointsAccount, at: number): number {
  return sum(futureLots(account, at).map(({ available }) => available));
}

export type NewLot = Pick<PointsLot, 'id' | 'kind' | 'issued' | 'awardedAt' | 'expiresAt'> &
  Partial<Pick<PointsLot, 'billId' | 'promotion'>>;

export function issuePoints(account: PointsAccount, lot: NewLot): PointsLot {
  const issued = { ...lot, available: lot.issued, redeemed: 0, expired: 0, returned: 0 };
  account.lots.push(issued);
  account.lifetimePoints += lot.issued;
  account.standing.earnedSinceChange += lot.issued;
  return issued;
}

/**
 * Takes points from the lots that expire first. Which points Capillary takes is not documented
 * (docs/platforms/capillary.md#points).
 *
 * @throws RangeError if there are not as many
 */
export function redeemPoints(
  account: PointsAccount,
  redemption: Pick<Redemption, 'id' | 'summaryId' | 'points'>,
  at: number,
): void {
  const taken: { lot: PointsLot; points: number }[] = [];
  let left = redemption.points;
  for (const lot of futureLots(account, at)) {
    const points = Math.min(left, lot.available);
    lot.available -= points;
    lot.redeemed += points;
    left -= points;
    taken.push({ lot, points });
    if (left === 0) break;
  }
  if (left > 0) throw new RangeError(`${left} points are missing`);
  account.redeemed += redemption.points;
  account.redemptions.push({ ...redemption, taken });
}

/** Gives a redemption's points back; those of a lot past its date come back expired. */
export function reverseRedemption(
  account: PointsAccount,
  redemption: Redemption,
  at: number,
): { readonly available: number; readonly expired: number } {
  account.redemptions = account.redemptions.filter((other) => other !== redemption);
  let expired = 0;
  for (const { lot, points } of redemption.taken) {
    const isOver = lot.expiresAt <= at;
    lot.redeemed -= points;
    if (isOver) lot.expired += points;
    else lot.available += points;
    if (isOver) expired += points;
  }
  account.redeemed -= redemption.points;
  account.expired += expired;
  return { available: redemption.points - expired, expired };
}

export function expireLot(account: PointsAccount, lot: PointsLot): number {
  const points = lot.available;
  lot.available = 0;
  lot.expired += points;
  account.expired += points;
  return points;
}

/** Takes back up to `points` of a bill that are still there. */
export function returnPoints(account: PointsAccount, billId: number, points: number): number {
  let left = points;
  for (const lot of openLots(account).filter((candidate) => candidate.billId === billId)) {
    const taken = Math.min(left, lot.available);
    lot.available -= taken;
    lot.returned += taken;
    left -= taken;
  }
  account.returned += points - left;
  return points - left;
}

/** Moves everything to the account of another customer, whose merge this is. */
export function mergeAccounts(into: PointsAccount, from: PointsAccount): void {
  into.lots.push(...from.lots);
  into.promised.push(...from.promised);
  into.redemptions.push(...from.redemptions);
  into.ledger.push(...from.ledger);
  into.lifetimePoints += from.lifetimePoints;
  into.redeemed += from.redeemed;
  into.expired += from.expired;
  into.returned += from.returned;
  into.purchases += from.purchases;
}

const MAX_UNREAD_LOTS = 12;

/** Forgets lots that no further event can be about, once there are some. */
export function forgetSpentLots(account: PointsAccount): void {
  if (account.lots.length <= MAX_UNREAD_LOTS) return;
  account.redemptions = account.redemptions.slice(-1);
  const reversible = new Set(account.redemptions.flatMap(({ taken }) => taken.map(({ lot }) => lot)));
  account.lots = account.lots.filter((lot) => lot.available > 0 || reversible.has(lot));
  account.expiryChanges.length = 0;
  account.standing.history.length = 0;
}
