import type { Reader } from '../reader.ts';
import { redemptionIdOf, transactionIdOf } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import {
  balanceAfterEvent,
  balanceFacts,
  ownBalance,
  ownBalanceFacts,
  ownProgramId,
} from './program-balance.ts';

/** pointsIssued (docs/platforms/capillary.md#points). */
export function mapPointsIssued(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const balance = balanceAfterEvent(data);
  const expiries = issuedExpiries(data);
  return {
    eventType: 'loyalty.pointsIssued',
    ...(context.destination.schemaFeatures.loyaltyEvents
      ? { fields: { loyalty: { pointsGained: pointsGained(data) } } }
      : {}),
    tenant: {
      points: {
        issued: data.number('totalPointsIssued'),
        balance: balance.points,
        lifetime: balance.lifetime,
      },
      expiries: expiries.map(({ points, date }) => ({ points, date })),
    },
    facts: ownBalanceFacts(input, balance),
  };
}

/**
 * pointsRedeemed: one redemption can draw on several programs (docs/platforms/capillary.md#points).
 */
export function mapPointsRedeemed(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const programs = data.list('redemptionFromEarningPrograms').map((program) => ({
    programId: program.id('programId'),
    redeemed: program.number('pointsRedeemed'),
    points: program.number('programCurrentPoints'),
  }));
  return {
    eventType: 'loyalty.pointsRedeemed',
    ...(context.destination.schemaFeatures.loyaltyEvents
      ? { fields: { loyalty: { pointsRedemption: pointsRedemption(data, programs) } } }
      : {}),
    tenant: {
      points: {
        redeemed: data.number('totalPointsRedeemed'),
        currencyValue: data.number('redeemedPointsCurrencyValue'),
        balance: ownBalance(data, programs),
      },
    },
    facts: balanceFacts(input, programs, 'data.redemptionFromEarningPrograms'),
  };
}

/** pointsExpired: it has no balance (docs/platforms/capillary.md#points). */
export function mapPointsExpired(input: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.pointsExpired',
    tenant: { points: { expired: input.data.number('pointsExpired') } },
  };
}

interface Expiry {
  readonly points: number | undefined;
  readonly date: string | undefined;
}

/** When the points of this event expire: the regular ones first, then those of each promotion. */
function issuedExpiries(data: Reader): readonly Expiry[] {
  const regular = data
    .list('regularPointsBreakup')
    .map((part) => ({ points: part.number('points'), date: part.time('expiryAt') }));
  const promotional = data.list('promotionalPointsIssued').map((part) => ({
    points: part.number('promotionPoints'),
    date: part.time('promotionPointsExpiryDate'),
  }));
  return [...regular, ...promotional].filter(
    ({ points, date }) => points !== undefined && date !== undefined,
  );
}

function pointsGained(data: Reader): readonly Draft[] {
  const shared = {
    loyaltyProgramId: ownProgramId(data),
    transactionId: transactionIdOf(data),
  };
  const promotional = data.list('promotionalPointsIssued').map((part) => ({
    value: part.number('promotionPoints'),
    promotionId: part.id('promotionIdentifier'),
    ...shared,
  }));
  const regular = data.number('regularPointsIssued');
  const value = regular ?? (promotional.length > 0 ? undefined : data.number('totalPointsIssued'));
  return [{ value, ...shared }, ...promotional].filter(
    (gain) => gain.value !== undefined && gain.value !== 0,
  );
}

function pointsRedemption(
  data: Reader,
  programs: readonly { programId: string | undefined; redeemed: number | undefined }[],
): readonly Draft[] {
  const transactionId = redemptionIdOf(data);
  const total = { programId: ownProgramId(data), redeemed: data.number('totalPointsRedeemed') };
  return (programs.length > 0 ? programs : [total])
    .filter(({ redeemed }) => redeemed !== undefined)
    .map(({ programId, redeemed }) => ({ value: redeemed, loyaltyProgramId: programId, transactionId }));
}

/**
 * pointsExpiryReminder: points that will expire soon (docs/platforms/capillary.md#expiry-notices).
 */
export function mapPointsExpiryReminder(input: FamilyInput): FamilyResult {
  const points = input.data.number('pointsScheduledForExpiry');
  const date = input.data.time('scheduledExpiryDate');
  return {
    eventType: 'loyalty.pointsExpiryReminder',
    tenant: { points: { scheduledToExpire: points, expiryDate: date } },
  };
}

/**
 * pointsExpiryChange: points whose expiry date was changed
 * (docs/platforms/capillary.md#expiry-notices).
 */
export function mapPointsExpiryChange({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.pointsExpiryChange',
    tenant: {
      expiryChanges: data.list('updatedPointsExpiryBreakup').map((part) => ({
        points: part.number('points'),
        previousDate: part.time('pointsPreviousExpiryDate'),
        newDate: part.time('newExpiryDate'),
        reason: part.text('expiryUpdateReasonType'),
      })),
    },
  };
}

/**
 * singlePointsExpiryUpdated: single awards of points whose expiry date was changed
 * (docs/platforms/capillary.md#expiry-notices).
 */
export function mapSinglePointsExpiryUpdated({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.singlePointsExpiryUpdated',
    tenant: {
      expiryChanges: data.list('updatedPointsExpiry').map((part) => ({
        points: part.number('points'),
        previousDate: part.time('oldExpiryDate'),
        newDate: part.time('newExpiryDate'),
        programId: part.id('programId'),
        type: part.text('pointsType'),
      })),
    },
  };
}
