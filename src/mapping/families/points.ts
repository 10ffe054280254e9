import { PROFILE_ARRAY_MAX } from '../../xdm/limits.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import {
  ownProgramId,
  ownStanding,
  otherProgramAttributes,
  programName,
  programStanding,
} from './program.ts';
import type { Reader } from '../reader.ts';

/** pointsIssued (reference: capillary.md §4.6). */
export const mapPointsIssued: Family = (input) => {
  const { data, context } = input;
  const balance = {
    programId: ownProgramId(data),
    points: data.number('programCurrentPoints'),
    lifetime: data.number('programLifetimePoints'),
  };
  const expiries = issuedExpiries(data);
  const standing = ownStanding(input);
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
    ...(standing === 'main' ? { attributes: issuedAttributes(input, balance, expiries) } : {}),
    ...(standing === 'other' ? { tenantAttributes: otherProgramAttributes([balance]) } : {}),
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
  const own = programs.find(({ programId }) => programId === ownProgramId(data)) ?? programs[0];
  const standings = programs.map((program) => ({
    ...program,
    standing: programStanding(input, program.programId),
  }));
  if (standings.some(({ standing }) => standing === 'group')) {
    input.notes.add('data.redemptionFromEarningPrograms', 'group-balance');
  }
  return {
    eventType: 'loyalty.pointsRedeemed',
    ...(context.destination.schemaFeatures.loyaltyEvents
      ? { fields: { loyalty: { pointsRedemption: pointsRedemption(data, programs) } } }
      : {}),
    tenant: {
      points: {
        redeemed: data.number('totalPointsRedeemed'),
        currencyValue: data.number('redeemedPointsCurrencyValue'),
        balance: own?.points,
      },
    },
    attributes: { 'loyalty.points': standings.find(({ standing }) => standing === 'main')?.points },
    tenantAttributes: otherProgramAttributes(standings.filter(({ standing }) => standing === 'other')),
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

function issuedAttributes(
  { data, context, notes }: FamilyInput,
  balance: { points: number | undefined; lifetime: number | undefined },
  expiries: readonly Expiry[],
): Draft {
  if (expiries.length > PROFILE_ARRAY_MAX) {
    notes.add('loyalty.pointsExpiration', 'too-many');
  }
  return {
    'loyalty.points': balance.points,
    ...(context.destination.schemaFeatures.loyalty2026 ? { 'loyalty.lifetimePoints': balance.lifetime } : {}),
    'loyalty.program': programName(data),
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
    transactionId: activityId(data, ['transactionid', 'billid']),
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
  const transactionId = activityId(data, ['redemptionid']) ?? data.id('redemptionSummaryId');
  const total = { programId: ownProgramId(data), redeemed: data.number('totalPointsRedeemed') };
  return (programs.length > 0 ? programs : [total])
    .filter(({ redeemed }) => redeemed !== undefined)
    .map(({ programId, redeemed }) => ({ value: redeemed, loyaltyProgramId: programId, transactionId }));
}

/**
 * The first identifier of the triggering activity under one of these keys, in their order; "-1" is
 * Capillary's "none".
 */
function activityId(data: Reader, keys: readonly string[]): string | undefined {
  const identifiers = data.object('triggeringActivity').list('identifiers');
  return keys
    .flatMap((key) => identifiers.filter((one) => one.text('key')?.toLowerCase() === key))
    .map((one) => one.id('value'))
    .find((value) => value !== undefined && value !== '-1');
}
