import type { Reader } from '../reader.ts';
import { redemptionIdOf, transactionIdOf } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { redeemedPrograms } from './points.ts';
import {
  balanceAfterEvent,
  balanceChange,
  isOfGroup,
  listedPointsFacts,
  ownBalance,
  ownPointsFacts,
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
  const returned = data.number('currentEventTotalPointsReturned') ?? data.number('totalIssuedPointsReversed');
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
    facts: ownPointsFacts(input, balance, {
      ...(returned === undefined ? { u: 1 } : balanceChange(balance.points, 'takes', undefined)),
      t: returned,
      p: negative(data.number('promisedPointsReversed')),
    }),
  };
}

/**
 * redeemedPointsReversed: a redemption was reversed; returned points can be expired already
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapRedeemedPointsReversed(input: FamilyInput): FamilyResult {
  const { data } = input;
  const listed = data.list('redemptionReversalToEarningPrograms');
  const programs = listed.map((program) => {
    const reversed = program.number('redeemedPointsReversed');
    // The only program of a reversal can leave the points to the total.
    const isTotal = reversed === undefined && listed.length === 1;
    return {
      programId: program.id('programId'),
      reversed: isTotal ? data.number('redeemedPointsReversed') : reversed,
      available: availableAgain(isTotal ? data : program),
      points: program.number('programCurrentPoints'),
    };
  });
  const total = {
    programId: ownProgramId(data),
    reversed: data.number('redeemedPointsReversed'),
    available: availableAgain(data),
    points: undefined,
  };
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
    facts: listedPointsFacts(
      input,
      (programs.length > 0 ? programs : [total]).map(({ programId, points, reversed, available }) => ({
        programId,
        points,
        entry:
          reversed === undefined
            ? { u: 1 }
            : { ...balanceChange(points, 'adds', available), o: negative(reversed) },
      })),
      'data.redemptionReversalToEarningPrograms',
    ),
  };
}

/** Of the points that a reversal returns, those that are not expired already. */
function availableAgain(part: Reader): number | undefined {
  const details = part.object('redeemedPointsReversedDetails');
  const [reversed, expired] = [part.number('redeemedPointsReversed'), details.number('expired')];
  return (
    details.number('available') ??
    (reversed === undefined || expired === undefined ? undefined : reversed - expired)
  );
}

function negative(points: number | undefined): number | undefined {
  return points === undefined ? undefined : -points;
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
  const programs = redeemedPrograms(data, 'totalPointsTransferred');
  const total = data.number('totalPointsTransferred');
  const changes =
    programs.length > 0 ? programs : [{ programId: ownProgramId(data), redeemed: total, points: undefined }];
  const recipient = otherParty(data, 'transferReceiving');
  return {
    eventType: 'loyalty.pointsTransferredInitiated',
    tenant: {
      points: {
        transferred: total,
        balance: ownBalance(data, programs),
      },
      pointsBreakdown: programs.map(({ programId, redeemed }) => ({ points: redeemed, programId })),
      transfer: { recipientId: recipient.id, recipientType: recipient.type },
    },
    facts: listedPointsFacts(
      input,
      changes.map(({ programId, points, redeemed }) => ({
        programId,
        points,
        entry: balanceChange(points, 'takes', redeemed),
      })),
      'data.redemptionFromEarningPrograms',
    ),
  };
}

/**
 * pointsTransferredReceived: the receiver's side, without a balance
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapPointsTransferredReceived(input: FamilyInput): FamilyResult {
  const { data } = input;
  const sender = otherParty(data, 'transferInitiating');
  const transferred = data.number('totalPointsTransferred');
  return {
    eventType: 'loyalty.pointsTransferredReceived',
    tenant: {
      points: { transferred },
      transfer: { senderId: sender.id, senderType: sender.type },
    },
    facts: ownPointsFacts(
      input,
      { programId: ownProgramId(data), points: undefined },
      balanceChange(undefined, 'adds', transferred),
    ),
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
    ...(context.destination.schemaFeatures.loyaltyEvents && converted !== undefined && !isOfGroup(input)
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
    facts: ownPointsFacts(input, balance, {
      ...balanceChange(balance.points, 'adds', converted),
      p: negative(converted),
    }),
  };
}

/**
 * manualPointsAdjustment: points deducted by hand, without a balance. Capillary misspells the total
 * (docs/platforms/capillary.md#points-corrections).
 */
export function mapManualPointsAdjustment(input: FamilyInput): FamilyResult {
  const { data } = input;
  const deducted = data.number('totalPoinstDeducted') ?? data.number('totalPointsDeducted');
  const parts = data.list('programPointsSplit').map((part) => ({
    points: part.number('points'),
    programId: part.id('programId'),
    type: part.text('pointsType'),
    awardId: part.id('pointsAwardedId'),
  }));
  const total = { points: deducted, programId: ownProgramId(data) };
  return {
    eventType: 'loyalty.manualPointsAdjustment',
    tenant: {
      points: { deducted },
      pointsBreakdown: parts,
      adjustment: { reason: data.text('reason') },
    },
    facts: listedPointsFacts(
      input,
      (parts.length > 0 ? parts : [total]).map(({ programId, points }) => ({
        programId,
        points: undefined,
        entry: { ...balanceChange(undefined, 'takes', points), a: points },
      })),
      'data.programPointsSplit',
    ),
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
