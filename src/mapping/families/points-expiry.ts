import type { Family } from './family.ts';
import { ownStanding } from './program.ts';

/** pointsExpiryReminder: points that will expire soon (reference: capillary.md §4.9). */
export const mapPointsExpiryReminder: Family = (input) => {
  const points = input.data.number('pointsScheduledForExpiry');
  const date = input.data.time('scheduledExpiryDate');
  const isKnown = points !== undefined && date !== undefined;
  return {
    eventType: 'loyalty.pointsExpiryReminder',
    tenant: { points: { scheduledToExpire: points, expiryDate: date } },
    ...(isKnown && ownStanding(input) === 'main'
      ? {
          attributes: {
            'loyalty.pointsExpiration': [{ pointsExpiring: points, pointsExpirationDate: date }],
          },
        }
      : {}),
  };
};

/**
 * pointsExpiryChange: points that will expire at another time than was said (reference: capillary.md §4.10).
 */
export const mapPointsExpiryChange: Family = ({ data }) => ({
  eventType: 'loyalty.pointsExpiryChange',
  tenant: {
    expiryChanges: data.list('updatedPointsExpiryBreakup').map((part) => ({
      points: part.number('points'),
      previousDate: part.time('pointsPreviousExpiryDate'),
      newDate: part.time('newExpiryDate'),
      reason: part.text('expiryUpdateReasonType'),
    })),
  },
});

/** singlePointsExpiryUpdated: single awards of points that will expire at another time (reference: events/documented). */
export const mapSinglePointsExpiryUpdated: Family = ({ data }) => ({
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
});
