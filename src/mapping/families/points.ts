import { PROFILE_ARRAY_MAX } from '../../xdm/limits.ts';
import { redemptionIdOf, transactionIdOf } from './activity.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import { ownProgramId, ownStanding, programName } from './program.ts';
import { ownBalance, ownBalanceChange, programBalanceChange, toldBalance } from './program-balance.ts';
import type { Reader } from '../reader.ts';

/** pointsIssued (reference: capillary.md §4.6). */
export const mapPointsIssued: Family = (input) => {
  const { data, context } = input;
  const balance = toldBalance(data);
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
    ...ownBalanceChange(input, balance, () => expirationAttribute(input, expiries)),
  };
};

/** pointsRedeemed (reference: capillary.md §4.7). One redemption may draw on several programs. */
export const mapPointsRedeemed: Family = (input) => {
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
    ...programBalanceChange(input, programs, 'data.redemptionFromEarningPrograms'),
  };
};

/** pointsExpired (reference: capillary.md §4.8). It tells no balance. */
export const mapPointsExpired: Family = (input) => ({
  eventType: 'loyalty.pointsExpired',
  tenant: { points: { expired: input.data.number('pointsExpired') } },
  ...(ownStanding(input) === 'main' ? { attributes: { 'loyalty.program': programName(input.data) } } : {}),
});

interface Expiry {
  readonly points: number | undefined;
  readonly date: string | undefined;
}

function expirationAttribute({ notes }: FamilyInput, expiries: readonly Expiry[]): Draft {
  if (expiries.length > PROFILE_ARRAY_MAX) {
    notes.add('loyalty.pointsExpiration', 'too-many');
  }
  return {
    'loyalty.pointsExpiration': expiries
      .slice(0, PROFILE_ARRAY_MAX)
      .map(({ points, date }) => ({ pointsExpiring: points, pointsExpirationDate: date })),
  };
}

/** When the points of this event expire: the regular ones, then those of each promotion. */
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
