import type { Draft, Family } from './family.ts';
import { ownProgramId } from './program.ts';
import { ownBalanceChange, toldBalance } from './program-balance.ts';
import type { Reader } from '../reader.ts';

/**
 * promisedToCurrentPointsConversion: promised points that can be spent from now on (reference:
 * events/documented). They are gained now: pointsIssued tells promised points apart from those it issues.
 */
export const mapPromisedPointsConversion: Family = (input) => {
  const { data, context } = input;
  const converted = data.number('pointsConverted');
  const balance = toldBalance(data);
  const gained = { value: converted, loyaltyProgramId: ownProgramId(data), transactionId: billIdOf(data) };
  return {
    eventType: 'loyalty.promisedToCurrentPointsConversion',
    ...(context.destination.schemaFeatures.loyaltyEvents && converted !== undefined
      ? { fields: { loyalty: { pointsGained: [gained] } } }
      : {}),
    tenant: {
      points: { converted, balance: balance.points, lifetime: balance.lifetime },
      pointsBreakdown: convertedParts(data),
      conversion: {
        type: data.text('pointsConvertedType'),
        source: data.text('pointsConversionSource'),
        billId: billIdOf(data),
      },
    },
    ...ownBalanceChange(input, balance),
  };
};

/**
 * manualPointsAdjustment: points deducted by hand (reference: events/documented, where the total is spelled
 * so). It tells no balance.
 */
export const mapManualPointsAdjustment: Family = ({ data }) => ({
  eventType: 'loyalty.manualPointsAdjustment',
  tenant: {
    points: { deducted: data.number('totalPoinstDeducted') ?? data.number('totalPointsDeducted') },
    pointsBreakdown: data.list('programPointsSplit').map((part) => ({
      points: part.number('points'),
      programId: part.id('programId'),
      type: part.text('pointsType'),
    })),
    adjustment: { reason: data.text('reason') },
  },
});

/** The bill behind a conversion; "-1" is Capillary's "none". */
export function billIdOf(data: Reader): string | undefined {
  const id = data.id('billId');
  return id === '-1' ? undefined : id;
}

function convertedParts(data: Reader): readonly Draft[] {
  return data.list('pointsConvertedBreakup').flatMap((part) =>
    [...part.list('nonPromotionalPointsBreakup'), ...part.list('promotionalPointsBreakup')].map((share) => ({
      points: share.number('points'),
      programId: share.id('programId'),
      promotionId: share.id('promotionId'),
      promotionName: share.text('promotionName'),
    })),
  );
}
