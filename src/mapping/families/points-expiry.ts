import type { PointsEntry } from '../customer/points-log.ts';
import { UNKNOWN_MS } from '../customer/points-log.ts';
import { NEVER_MS } from '../customer/points-state.ts';
import type { Reader } from '../reader.ts';
import type { FamilyInput, FamilyResult } from './family.ts';
import { listedPointsFacts, ownPointsFacts, ownProgramId } from './program-balance.ts';

/**
 * pointsExpiryReminder: points that will expire soon (docs/platforms/capillary.md#expiry-notices).
 */
export function mapPointsExpiryReminder(input: FamilyInput): FamilyResult {
  const { data } = input;
  const points = data.number('pointsScheduledForExpiry');
  const at = data.instant('scheduledExpiryDate', 'end');
  return {
    eventType: 'loyalty.pointsExpiryReminder',
    tenant: { points: { scheduledToExpire: points, expiryDate: data.time('scheduledExpiryDate') } },
    facts: ownPointsFacts(
      input,
      { programId: ownProgramId(data), points: undefined },
      { r: points === undefined || at === undefined ? undefined : [at, points] },
    ),
  };
}

/**
 * pointsExpiryChange: points whose expiry date was changed
 * (docs/platforms/capillary.md#expiry-notices).
 */
export function mapPointsExpiryChange(input: FamilyInput): FamilyResult {
  const { data } = input;
  const parts = data.list('updatedPointsExpiryBreakup');
  return {
    eventType: 'loyalty.pointsExpiryChange',
    tenant: {
      expiryChanges: parts.map((part) => ({
        points: part.number('points'),
        previousDate: part.time('pointsPreviousExpiryDate'),
        newDate: part.time('newExpiryDate'),
        reason: part.text('expiryUpdateReasonType'),
        note: part.text('expiryUpdateReasonNote'),
        setType: part.text('newExpirySetType'),
        awardId: part.id('pointAwardedRefID'),
        type: part.text('pointsAwardedRefType'),
        promotionId: part.id('promotionID'),
      })),
    },
    facts: ownPointsFacts(
      input,
      { programId: ownProgramId(data), points: undefined },
      { m: parts.map((part) => moved(part, 'pointsPreviousExpiryDate')) },
    ),
  };
}

/**
 * singlePointsExpiryUpdated: single awards of points whose expiry date was changed
 * (docs/platforms/capillary.md#expiry-notices).
 */
export function mapSinglePointsExpiryUpdated(input: FamilyInput): FamilyResult {
  const { data } = input;
  const parts = data.list('updatedPointsExpiry');
  return {
    eventType: 'loyalty.singlePointsExpiryUpdated',
    tenant: {
      expiryChanges: parts.map((part) => ({
        points: part.number('points'),
        previousDate: part.time('oldExpiryDate'),
        newDate: part.time('newExpiryDate'),
        programId: part.id('programId'),
        type: part.text('pointsType'),
      })),
    },
    facts: listedPointsFacts(
      input,
      parts.map((part) => ({
        programId: part.id('programId') ?? ownProgramId(data),
        points: undefined,
        entry: { m: [moved(part, 'oldExpiryDate')] },
      })),
      'data.updatedPointsExpiry',
    ),
  };
}

type Moved = NonNullable<PointsEntry['m']>[number];

function moved(part: Reader, fromField: string): Moved {
  return [expiryOf(part, fromField), expiryOf(part, 'newExpiryDate'), part.number('points') ?? null];
}

function expiryOf(part: Reader, field: string): number {
  const value = part.raw[field];
  const isNever = typeof value === 'string' && /^never$/i.test(value.trim());
  return part.instant(field, 'end') ?? (isNever ? NEVER_MS : UNKNOWN_MS);
}
