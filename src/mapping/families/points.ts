import { toTimestamp } from '../../capillary/times.ts';
import type { DatedPoints } from '../customer/points-log.ts';
import { SMALLEST } from '../customer/points-range.ts';
import type { Reader } from '../reader.ts';
import { redemptionIdOf, transactionIdOf } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import {
  balanceAfterEvent,
  balanceChange,
  isOfGroup,
  listedPointsFacts,
  ownBalance,
  ownPointsFacts,
  ownProgramId,
} from './program-balance.ts';

/** pointsIssued (docs/platforms/capillary.md#points). */
export function mapPointsIssued(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const balance = balanceAfterEvent(data);
  const expiries = issuedExpiries(data);
  const promised = promisedPoints(data);
  const promisedTotal = sumOf(promised.map(({ points }) => points));
  const total = data.number('totalPointsIssued');
  const issued = issuedPoints(data, total, promisedTotal);
  const gained = pointsGained(data, issued);
  return {
    eventType: 'loyalty.pointsIssued',
    ...(context.destination.schemaFeatures.loyaltyEvents && !isOfGroup(input)
      ? { fields: { loyalty: { pointsGained: gained } } }
      : {}),
    tenant: {
      points: {
        issued: total,
        regular: data.number('regularPointsIssued'),
        balance: balance.points,
        lifetime: balance.lifetime,
      },
      expiries: expiries.map(({ points, at }) => ({ points, date: toTimestamp(at) })),
      pointsBreakdown: issuedParts(data),
      promisedPoints: promised,
    },
    facts: ownPointsFacts(input, balance, {
      ...balanceChange(balance.points, 'adds', issued),
      i: expiries.flatMap(({ points, at }): DatedPoints[] => (points > 0 ? [[at, points]] : [])),
      p: promisedTotal,
    }),
  };
}

/** Undefined if there is nothing to add. */
function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

/**
 * pointsRedeemed: one redemption can draw on several programs (docs/platforms/capillary.md#points).
 */
export function mapPointsRedeemed(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const programs = redeemedPrograms(data, 'totalPointsRedeemed');
  // A group's redemption is the group's own, also if a person is named as its entity.
  const isGroups = isOfGroup(input) || data.raw['isGroupRedemption'] === true;
  if (isGroups && !isOfGroup(input)) {
    input.notes.add('data.isGroupRedemption', 'group-balance');
  }
  const total = {
    programId: ownProgramId(data),
    redeemed: data.number('totalPointsRedeemed'),
    points: undefined,
  };
  const changes = programs.length > 0 ? programs : [total];
  return {
    eventType: 'loyalty.pointsRedeemed',
    ...(context.destination.schemaFeatures.loyaltyEvents && !isGroups
      ? { fields: { loyalty: { pointsRedemption: pointsRedemption(data, changes) } } }
      : {}),
    tenant: {
      points: {
        redeemed: total.redeemed,
        currencyValue: data.number('redeemedPointsCurrencyValue'),
        balance: ownBalance(data, programs),
        redemptionId: data.id('redemptionSummaryId'),
        redemptionBillNumber: data.scalar('redemptionBillNumber'),
        isGroupRedemption: data.value('isGroupRedemption'),
        notes: data.text('redemptionNotes'),
      },
    },
    facts: listedPointsFacts(
      input,
      (isGroups ? [] : changes).map(({ programId, points, redeemed }) => ({
        programId,
        points,
        entry:
          redeemed === undefined ? { u: 1 } : { ...balanceChange(points, 'takes', redeemed), o: redeemed },
      })),
      'data.redemptionFromEarningPrograms',
    ),
  };
}

interface RedeemedProgram {
  readonly programId: string | undefined;
  readonly redeemed: number | undefined;
  readonly points: number | undefined;
}

/**
 * The programs whose points a redemption or a transfer took.
 * @param totalField the points of all programs: those of the only one, if it does not say them
 */
export function redeemedPrograms(data: Reader, totalField: string): readonly RedeemedProgram[] {
  const programs = data.list('redemptionFromEarningPrograms').map((program) => ({
    programId: program.id('programId'),
    redeemed: program.number('pointsRedeemed'),
    points: program.number('programCurrentPoints'),
  }));
  const total = data.number(totalField);
  return programs.length === 1
    ? programs.map((program) => ({ ...program, redeemed: program.redeemed ?? total }))
    : programs;
}

/** pointsExpired: it has no balance (docs/platforms/capillary.md#points). */
export function mapPointsExpired(input: FamilyInput): FamilyResult {
  const expired = input.data.number('pointsExpired');
  const programId = ownProgramId(input.data);
  return {
    eventType: 'loyalty.pointsExpired',
    tenant: { points: { expired } },
    facts: ownPointsFacts(
      input,
      { programId, points: undefined },
      { ...balanceChange(undefined, 'takes', expired), e: expired },
    ),
  };
}

interface Expiry {
  readonly points: number;
  /** Epoch ms. */
  readonly at: number;
}

/** When the points of this event expire: the regular ones first, then those of each promotion. */
function issuedExpiries(data: Reader): readonly Expiry[] {
  const regular = data
    .list('regularPointsBreakup')
    .map((part) => ({ points: part.number('points'), at: part.instant('expiryAt', 'end') }));
  const promotional = data.list('promotionalPointsIssued').map((part) => ({
    points: part.number('promotionPoints'),
    at: part.instant('promotionPointsExpiryDate', 'end'),
  }));
  return [...regular, ...promotional].flatMap(({ points, at }) =>
    points === undefined || at === undefined ? [] : [{ points, at }],
  );
}

/**
 * By how much the event raised the balance. The total counts promised points too
 * (docs/platforms/capillary.md#points), and these are not part of the balance.
 */
function issuedPoints(
  data: Reader,
  total: number | undefined,
  promised: number | undefined,
): number | undefined {
  const regular =
    data.number('regularPointsIssued') ??
    sumOf(data.list('regularPointsBreakup').map((part) => part.number('points')));
  const promotional = data.list('promotionalPointsIssued').map((part) => part.number('promotionPoints'));
  const parts = sumOf([regular, ...promotional]);
  const hasPromised = total !== undefined && Math.abs(total - (promised ?? 0) - (parts ?? 0)) < SMALLEST;
  return hasPromised ? (parts ?? 0) : (total ?? parts);
}

/** The points of each promotion. */
function issuedParts(data: Reader): readonly Draft[] {
  return data.list('promotionalPointsIssued').map((part) => ({
    points: part.number('promotionPoints'),
    promotionId: part.id('promotionIdentifier'),
    promotionName: part.text('promotionName'),
    type: part.text('promotionType'),
  }));
}

/** Points that the customer gets later: they are not part of the balance. */
function promisedPoints(data: Reader) {
  return data.list('promisedPointsIssued').map((part) => ({
    points: part.number('promisedPoints'),
    conversionDate: part.time('promisedPointsConversionDate'),
    promotionId: part.id('promotionIdentifier'),
    isExternalTriggerBased: part.value('isExternalTriggerBased'),
  }));
}

/** @param issued all points, for an event that does not say its regular and promotional ones */
function pointsGained(data: Reader, issued: number | undefined): readonly Draft[] {
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
  const value = regular ?? (promotional.length > 0 ? undefined : issued);
  return [{ value, ...shared }, ...promotional].filter(
    (gain) => gain.value !== undefined && gain.value !== 0,
  );
}

function pointsRedemption(
  data: Reader,
  programs: readonly { programId: string | undefined; redeemed: number | undefined }[],
): readonly Draft[] {
  const transactionId = redemptionIdOf(data);
  return programs
    .filter(({ redeemed }) => redeemed !== undefined)
    .map(({ programId, redeemed }) => ({ value: redeemed, loyaltyProgramId: programId, transactionId }));
}
