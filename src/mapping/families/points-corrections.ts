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

/**
 * issuedPointsReversed: points taken back, for example after a return
 * (docs/platforms/capillary.md#points-corrections). Adobe's field group has no field for it, and a
 * negative gain would be wrong (docs/platforms/adobe.md#event-loyalty).
 */
export function mapIssuedPointsReversed(input: FamilyInput): FamilyResult {
  const { data } = input;
  const balance = balanceAfterEvent(data);
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
    facts: ownBalanceFacts(input, balance),
  };
}

/**
 * redeemedPointsReversed: a redemption was reversed; returned points can be expired already
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapRedeemedPointsReversed(input: FamilyInput): FamilyResult {
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
    facts: balanceFacts(input, programs, 'data.redemptionReversalToEarningPrograms'),
  };
}

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

/**
 * pointsTransferredInitiated: the sender's side (docs/platforms/capillary.md#points-corrections).
 */
export function mapPointsTransferredInitiated(input: FamilyInput): FamilyResult {
  const { data } = input;
  const programs = data.list('redemptionFromEarningPrograms').map((program) => ({
    programId: program.id('programId'),
    transferred: program.number('pointsRedeemed'),
    points: program.number('programCurrentPoints'),
  }));
  const recipient = otherParty(data, 'transferReceiving');
  return {
    eventType: 'loyalty.pointsTransferredInitiated',
    tenant: {
      points: {
        transferred: data.number('totalPointsTransferred'),
        balance: ownBalance(data, programs),
      },
      pointsBreakdown: programs.map(({ programId, transferred }) => ({ points: transferred, programId })),
      transfer: { recipientId: recipient.id, recipientType: recipient.type },
    },
    facts: balanceFacts(input, programs, 'data.redemptionFromEarningPrograms'),
  };
}

/**
 * pointsTransferredReceived: the receiver's side, without a balance
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapPointsTransferredReceived({ data }: FamilyInput): FamilyResult {
  const sender = otherParty(data, 'transferInitiating');
  return {
    eventType: 'loyalty.pointsTransferredReceived',
    tenant: {
      points: { transferred: data.number('totalPointsTransferred') },
      transfer: { senderId: sender.id, senderType: sender.type },
    },
  };
}

/** The other party by id only: its name and contact points belong to another person. */
function otherParty(data: Reader, prefix: string): Draft {
  const entity = data.object(`${prefix}EntityInformation`);
  const person = data.object(`${prefix}CustomerIdentifiers`);
  return { id: entity.id('entityId') ?? person.id('customerId'), type: entity.text('entityType') };
}

/**
 * promisedToCurrentPointsConversion: promised points become spendable
 * (docs/platforms/capillary.md#points-corrections). They count as gained now; pointsIssued does not
 * count promised points.
 */
export function mapPromisedPointsConversion(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const converted = data.number('pointsConverted');
  const balance = balanceAfterEvent(data);
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
    facts: ownBalanceFacts(input, balance),
  };
}

/**
 * manualPointsAdjustment: points deducted by hand, without a balance. Capillary misspells the total
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapManualPointsAdjustment({ data }: FamilyInput): FamilyResult {
  return {
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
  };
}

/** The bill of a conversion; "-1" means none. */
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
