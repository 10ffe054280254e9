import type { JsonObject } from '../../capillary/json.ts';
import { type Random, randomInteger, randomUuid } from '../random.ts';
import {
  bareIdentifiers,
  dated,
  enteredBy,
  type EventContent,
  type EventContext,
  identifiers,
  loyaltyId,
  programDetails,
  userEntity,
} from './event-template.ts';
import type { Bill } from './world/world-bill.ts';
import { endOfDay, type Till } from './world/brand.ts';
import {
  balanceOf,
  issuePoints,
  type LedgerEntry,
  type PointsAccount,
  redeemableOf,
  redeemPoints,
} from './world/points-account.ts';
import { canUpgrade } from './world/tier-standing.ts';
import { accountOf } from './world/world-customer.ts';

const MAX_REDEMPTION = 40;

export interface ActivityDetails {
  readonly name: string;
  readonly keys: JsonObject;
  readonly till: Till;
}

export function activity({ customer }: EventContext, { name, keys, till }: ActivityDetails): JsonObject {
  return {
    name,
    identifiers: Object.entries(keys).map(([key, value]) => ({ key, value })),
    enteredBy: enteredBy(till),
    entityInformation: userEntity(customer),
    additionalAttributes: [],
  };
}

/** The person and the program; events of batch jobs have only the customer id as identifier. */
export function pointsBase(
  { customer }: EventContext,
  { program }: PointsAccount,
  isBatch: boolean,
): JsonObject {
  return {
    customerIdentifiers: isBatch ? bareIdentifiers(customer) : identifiers(customer),
    entityInformation: userEntity(customer),
    loyaltyProgramDetails: programDetails(program),
    loyaltyProgramId: program.id,
  };
}

/** The key of the points ledger. */
export function eventLogIdOf({ serial }: EventContext): number {
  return 71_000_000 + serial;
}

export function liveEvent(
  context: EventContext,
  data: JsonObject,
  followUps: readonly string[] = [],
): EventContent {
  const id = loyaltyId(context.random);
  return { data, ref: id, loyaltyEventId: id, eventLogId: eventLogIdOf(context), followUps };
}

export function batchEvent(
  { serial }: EventContext,
  { program }: PointsAccount,
  data: JsonObject,
): EventContent {
  return {
    data,
    ref: `job-${program.id}-${serial}_b1`,
    loyaltyEventId: null,
  };
}

export function record(
  context: EventContext,
  account: PointsAccount,
  entry: Omit<LedgerEntry, 'eventLogId' | 'at'>,
): void {
  context.world.recordLedger(account, { ...entry, eventLogId: eventLogIdOf(context), at: context.at });
}

/** The account that the event is about, of those that meet the condition. */
export function accountFor(
  { customer, random, clubShare }: EventContext,
  fits: (account: PointsAccount) => boolean,
): PointsAccount {
  const others = customer.accounts.slice(1).filter(fits);
  const [other] = others;
  return other && random() < clubShare ? other : accountOf(customer);
}

interface Award {
  readonly regular: number;
  readonly bonus: number;
  readonly promised: number;
}

function randomAward(random: Random, regular: number): Award {
  return {
    regular,
    bonus: random() < 0.4 ? randomInteger(random, 5, 25) : 0,
    promised: random() < 0.1 ? randomInteger(random, 5, 20) : 0,
  };
}

function giveAward(context: EventContext, account: PointsAccount, bill: Bill, award: Award): void {
  const { serial, at } = context;
  const source = { awardedAt: at, billId: bill.id };
  const id = 890_000_000 + serial * 2;
  issuePoints(account, {
    ...source,
    id,
    kind: 'bill_regular',
    issued: award.regular,
    expiresAt: endOfDay(at, 365),
  });
  if (award.bonus > 0) {
    issuePoints(account, {
      ...source,
      id: id + 1,
      kind: 'customer_promotions',
      promotion: 'Monsoon bonus',
      issued: award.bonus,
      expiresAt: endOfDay(at, 90),
    });
  }
  const entry = { eventName: 'TransactionAdd', type: 'CREDIT', billId: bill.id } as const;
  record(context, account, { ...entry, points: award.regular + award.bonus, category: 'Main' });
  if (award.promised === 0) return;
  account.promised.push({ points: award.promised, convertsAt: endOfDay(at, 14), billId: bill.id });
  record(context, account, { ...entry, points: award.promised, category: 'Promised' });
}

/** The points of a bill: of the oldest that has not been given any, or of a new one. */
export function pointsIssuedContent(context: EventContext): EventContent {
  const { customer, random, at, world } = context;
  const account = accountOf(customer);
  const bill =
    customer.bills.find(({ unissuedPoints }) => unissuedPoints > 0) ?? world.addBill(customer, at, random);
  const award = randomAward(random, bill.unissuedPoints);
  bill.unissuedPoints = 0;
  giveAward(context, account, bill, award);
  const promotionIdentifier = randomUuid(random);
  const promotion = {
    promotionName: 'Monsoon bonus',
    promotionIdentifier,
    promotionType: 'BILL_PROMOTION',
    promotionPoints: award.bonus,
    ...dated('promotionPointsExpiryDate', endOfDay(at, 90)),
  };
  const promise = {
    promisedPoints: award.promised,
    isExternalTriggerBased: false,
    ...dated('promisedPointsConversionDate', endOfDay(at, 14)),
    promotionIdentifier,
  };
  const keys = { BillId: String(bill.id) };
  return liveEvent(
    context,
    {
      ...pointsBase(context, account, false),
      triggeringActivity: activity(context, { name: 'TransactionAdd', keys, till: bill.till }),
      programCurrentPoints: balanceOf(account),
      programLifetimePoints: account.lifetimePoints,
      totalPointsIssued: award.regular + award.bonus + award.promised,
      regularPointsIssued: award.regular,
      regularPointsBreakup: [{ points: award.regular, ...dated('expiryAt', endOfDay(at, 365)) }],
      promotionalPointsIssued: award.bonus > 0 ? [promotion] : [],
      promisedPointsIssued: award.promised > 0 ? [promise] : [],
    },
    canUpgrade(account) ? ['tierUpgraded'] : [],
  );
}

export function canRedeem(account: PointsAccount, at: number): boolean {
  return redeemableOf(account, at) >= MAX_REDEMPTION;
}

export function pointsRedeemedContent(context: EventContext): EventContent {
  const { random, serial, at, customer } = context;
  const account = accountFor(context, (candidate) => canRedeem(candidate, at));
  const points = randomInteger(random, 10, MAX_REDEMPTION);
  const redemptionId = loyaltyId(random);
  const redemptionSummaryId = 41_000_000 + serial;
  redeemPoints(account, { id: redemptionId, summaryId: redemptionSummaryId, points }, at);
  record(context, account, { eventName: 'PointsRedemption', type: 'DEBIT', points, category: 'Main' });
  const keys = { billId: '-1', redemptionId };
  return liveEvent(context, {
    ...pointsBase(context, account, false),
    triggeringActivity: activity(context, { name: 'PointsRedemption', keys, till: customer.till }),
    totalPointsRedeemed: points,
    redemptionSummaryId,
    redeemedPointsCurrencyValue: points * account.program.pointsToCurrencyRatio,
    redemptionNotes: '',
    redemptionBillNumber: `TL/R/${serial}`,
    isGroupRedemption: false,
    redemptionFromEarningPrograms: [
      { programId: account.program.id, pointsRedeemed: points, programCurrentPoints: balanceOf(account) },
    ],
  });
}
