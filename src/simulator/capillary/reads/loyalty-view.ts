import type { JsonObject } from '../../../capillary/json.ts';
import { PROGRAMS, type Program, STORES } from '../world/brand.ts';
import {
  balanceOf,
  futureLots,
  type PointsAccount,
  type PointsLot,
  promisedOf,
} from '../world/points-account.ts';
import { expiryOfTier, nextTier, RENEW_THRESHOLD, type TierChange } from '../world/tier-standing.ts';
import type { WorldCustomer } from '../world/world-customer.ts';
import type { ReadContext } from './read-context.ts';
import { isoTime, legacyTime, mislabelledTime, serverDay } from './server-time.ts';

/** The program that balances are of if none is named. */
export function defaultAccount({ accounts }: WorldCustomer): PointsAccount | undefined {
  return accounts.find(({ program }) => program.isDefault);
}

function tierFields({ program, standing }: PointsAccount, { zone }: ReadContext): JsonObject {
  const next = nextTier(program, standing);
  return {
    currentSlab: standing.tier.name,
    slabSNo: standing.tier.number,
    slabExpiryDate: isoTime(standing.expiresAt, zone),
    nextSlab: next?.name ?? '',
    nextSlabSerialNumber: next?.number ?? -1,
    nextSlabDescription: next?.description ?? '',
  };
}

/** Balances and tier, as `pointsSummary` has them. */
export function pointsSummary(account: PointsAccount, context: ReadContext): JsonObject {
  return {
    loyaltyId: account.loyaltyId,
    loyaltyPoints: balanceOf(account),
    lifetimePoints: account.lifetimePoints,
    redeemed: account.redeemed,
    expired: account.expired,
    returned: account.returned,
    adjusted: 0,
    cumulativePurchases: account.purchases / 100,
    ...tierFields(account, context),
  };
}

/** An element of `loyaltyDetails`. */
export function loyaltyDetails(account: PointsAccount, context: ReadContext): JsonObject {
  const promised = promisedOf(account);
  return {
    programId: account.program.id,
    ...pointsSummary(account, context),
    delayedPoints: promised,
    delayedReturnedPoints: 0,
    totalAvailablePoints: balanceOf(account) + promised,
    totalReturnedPoints: account.returned,
    linkedPartnerPrograms: [],
  };
}

/** The element of a program that the customer is no member of: `loyaltyId` is -1. */
function notEnrolled(program: Program, { zone, now }: ReadContext): JsonObject {
  const [tier] = program.tiers;
  return {
    programId: program.id,
    loyaltyId: -1,
    loyaltyPoints: 0,
    lifetimePoints: 0,
    redeemed: 0,
    expired: 0,
    returned: 0,
    adjusted: 0,
    cumulativePurchases: 0,
    currentSlab: tier.name,
    slabSNo: tier.number,
    nextSlab: '',
    nextSlabSerialNumber: -1,
    nextSlabDescription: '',
    slabExpiryDate: isoTime(expiryOfTier(tier, now), zone),
    delayedPoints: 0,
    delayedReturnedPoints: 0,
    totalAvailablePoints: 0,
    totalReturnedPoints: 0,
  };
}

/** Every program of the organisation, the default one first. */
export function allLoyaltyDetails({ accounts }: WorldCustomer, context: ReadContext): JsonObject[] {
  return PROGRAMS.map((program) => {
    const account = accounts.find((candidate) => candidate.program.id === program.id);
    return account ? loyaltyDetails(account, context) : notEnrolled(program, context);
  });
}

/** What is missing to the next tier and to a renewal. */
function gapFields(
  { program, standing, lifetimePoints }: PointsAccount,
  { query, zone }: ReadContext,
): JsonObject {
  const next = nextTier(program, standing);
  const upgrade = {
    upgradeBasedOn: 'LIFETIME_POINTS',
    upgradeThreshold: next?.threshold ?? 0,
    customerUpgradeEntityValues: {
      currentValue: lifetimePoints,
      gapToUpgrade: Math.max(0, (next?.threshold ?? 0) - lifetimePoints),
      valueValidUpto: serverDay(standing.expiresAt, zone),
    },
  };
  const renewal = {
    tierExpiryDate: serverDay(standing.expiresAt, zone),
    renewConfirmed: standing.earnedSinceChange >= RENEW_THRESHOLD,
    renewStrategies: [
      {
        renewBasedOn: 'POINTS',
        renewThreshold: RENEW_THRESHOLD,
        customerRenewEntityValue: standing.earnedSinceChange,
        customerGapToRenewValue: Math.max(0, RENEW_THRESHOLD - standing.earnedSinceChange),
      },
    ],
  };
  return {
    ...(query.has('gapToUpgrade') && next ? { upgradeStrategies: [upgrade] } : {}),
    ...(query.has('gapToRenew') && standing.tier.number > 1 ? { gapToRenewSummary: renewal } : {}),
  };
}

/**
 * `loyaltyProgramDetails` with what is asked for: every program, the default one first. A merged
 * customer has none.
 */
export function programDetailsList({ accounts }: WorldCustomer, context: ReadContext): JsonObject[] {
  if (accounts.length === 0) return [];
  return PROGRAMS.map((program) => {
    const account = accounts.find((candidate) => candidate.program.id === program.id);
    return {
      ...(account ? loyaltyDetails(account, context) : notEnrolled(program, context)),
      programTitle: program.name,
      programDescription: program.description,
      programPointsToCurrencyRatio: program.pointsToCurrencyRatio,
      delayedExpiredPoints: 0,
      ...(account ? gapFields(account, context) : {}),
    };
  });
}

/**
 * Points by expiry date and type. The date is the end of that day, although the other form has
 * midnight.
 */
export function expirySchedules(
  account: PointsAccount,
  { now, zone }: ReadContext,
): (JsonObject & { expiryDate: string })[] {
  const groups = Map.groupBy(futureLots(account, now), ({ expiresAt, kind }: PointsLot) =>
    [serverDay(expiresAt, zone), kind].join(' '),
  );
  return [...groups.values()].flatMap((lots) => {
    const [first] = lots;
    if (first === undefined) return [];
    const expiryDate = serverDay(first.expiresAt, zone);
    return [
      {
        points: lots.reduce((total, { available }) => total + available, 0),
        expiryDate,
        expiryDateISO: `${expiryDate}T00:00:00${zone}`,
        programId: account.program.id,
        pointsType: first.kind,
        expiryType: 'fixed',
      },
    ];
  });
}

function slabChange(change: TierChange, programId: number, { zone }: ReadContext): JsonObject {
  const store = STORES.find(({ id }) => id === change.storeId);
  return {
    from: change.from.name,
    to: change.to.name,
    changedOn: mislabelledTime(change.at, zone),
    changedOnISO: isoTime(change.at, zone),
    fromTierExpiryDate: isoTime(change.previousExpiresAt, zone),
    toTierExpiryDate: isoTime(change.expiresAt, zone),
    notes: change.notes,
    store: { code: store?.code ?? '', name: store?.name ?? '' },
    type: change.type,
    programId,
  };
}

/** Newest first. */
export function slabHistory({ accounts }: WorldCustomer, context: ReadContext): JsonObject[] {
  return accounts
    .flatMap(({ program, standing }) => standing.history.map((change) => ({ change, id: program.id })))
    .toSorted((a, b) => b.change.at - a.change.at)
    .map(({ change, id }) => slabChange(change, id, context));
}

/** An element of `programTiers`. */
export function tierDetails({ program, standing }: PointsAccount, { zone }: ReadContext): JsonObject {
  const next = nextTier(program, standing);
  return {
    programId: program.id,
    currentTierName: standing.tier.name,
    currentTierSerialNumber: standing.tier.number,
    tierExpiryDate: legacyTime(standing.expiresAt, zone),
    tierExpiryDateISO: isoTime(standing.expiresAt, zone),
    ...(next ? { nextTierName: next.name, nextTierSerialNumber: next.number } : {}),
  };
}
