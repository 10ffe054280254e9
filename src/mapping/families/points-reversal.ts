import { redemptionIdOf, transactionIdOf } from './activity.ts';
import type { Draft, Family } from './family.ts';
import { ownBalance, ownBalanceChange, programBalanceChange, toldBalance } from './program-balance.ts';
import type { Reader } from '../reader.ts';

/**
 * issuedPointsReversed: points taken back, as after a return (reference: events/documented). Adobe's field
 * group has no place for it: a negative gain would be none.
 */
export const mapIssuedPointsReversed: Family = (input) => {
  const { data } = input;
  const balance = toldBalance(data);
  return {
    eventType: 'loyalty.issuedPointsReversed',
    tenant: {
      points: {
        issuedReversed: data.number('totalIssuedPointsReversed'),
        promisedReversed: data.number('promisedPointsReversed'),
        returned: data.number('currentEventTotalPointsReturned'),
        balance: balance.points,
        lifetime: balance.lifetime,
      },
      pointsBreakdown: reversedParts(data),
      transaction: { id: transactionIdOf(data) },
    },
    ...ownBalanceChange(input, balance),
  };
};

/** redeemedPointsReversed: a redemption undone (reference: events/documented). Points may come back expired. */
export const mapRedeemedPointsReversed: Family = (input) => {
  const { data } = input;
  const programs = data.list('redemptionReversalToEarningPrograms').map((program) => ({
    programId: program.id('programId'),
    reversed: program.number('redeemedPointsReversed'),
    points: program.number('programCurrentPoints'),
  }));
  return {
    eventType: 'loyalty.redeemedPointsReversed',
    tenant: {
      points: {
        redeemedReversed: data.number('redeemedPointsReversed'),
        redeemedReversedExpired: data.object('redeemedPointsReversedDetails').number('expired'),
        redemptionId: redemptionIdOf(data),
        balance: ownBalance(data, programs),
      },
      pointsBreakdown: programs.map(({ programId, reversed }) => ({ points: reversed, programId })),
    },
    ...programBalanceChange(input, programs, 'data.redemptionReversalToEarningPrograms'),
  };
};

function reversedParts(data: Reader): readonly Draft[] {
  const promotional = data.list('promotionalPointsReversed').map((part) => ({
    points: part.number('promotionPoints'),
    promotionId: part.id('promotionIdentifier'),
    type: part.text('promotionType'),
  }));
  return [{ points: data.number('regularPointsReversed') }, ...promotional].filter(
    ({ points }) => points !== undefined && points !== 0,
  );
}
