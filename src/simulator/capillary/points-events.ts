import type { JsonObject } from '../../capillary/json.ts';
import {
  forAnyCustomer,
  bareIdentifiers,
  dated,
  endOfDay,
  type EventContent,
  type EventContext,
  type EventTemplate,
  identifiers,
  loyaltyId,
  PROGRAM_ID,
  programDetails,
  storeOf,
  userEntity,
} from './event-template.ts';
import { randomInteger, randomUuid } from '../random.ts';

const MIN_POINTS = 40;

function activity(context: EventContext, name: string, keys: JsonObject): JsonObject {
  return {
    name,
    identifiers: Object.entries(keys).map(([key, value]) => ({ key, value })),
    enteredBy: storeOf(context.random),
    entityInformation: userEntity(context.customer),
    additionalAttributes: [],
  };
}

/** The person and the program; events of batch jobs have only the customer id as identifier. */
function base(context: EventContext, isBatch: boolean): JsonObject {
  return {
    customerIdentifiers: isBatch ? bareIdentifiers(context.customer) : identifiers(context.customer),
    entityInformation: userEntity(context.customer),
    loyaltyProgramDetails: programDetails(),
    loyaltyProgramId: PROGRAM_ID,
  };
}

function liveEvent(context: EventContext, data: JsonObject): EventContent {
  const id = loyaltyId(context.random);
  return { data, ref: id, loyaltyEventId: id, eventLogId: 71_000_000 + context.serial };
}

function batchEvent({ serial }: EventContext, data: JsonObject): EventContent {
  return {
    data,
    ref: `job-${PROGRAM_ID}-${serial}_b1`,
    loyaltyEventId: null,
  };
}

function pointsIssuedContent(context: EventContext): EventContent {
  const { customer, random, at, serial } = context;
  const regular = randomInteger(random, 5, 60);
  const bonus = random() < 0.4 ? randomInteger(random, 5, 25) : 0;
  customer.points += regular + bonus;
  customer.lifetimePoints += regular + bonus;
  const promotion = {
    promotionName: 'Monsoon bonus',
    promotionIdentifier: randomUuid(random),
    promotionType: 'BILL_PROMOTION',
    promotionPoints: bonus,
    ...dated('promotionPointsExpiryDate', endOfDay(at, 90)),
  };
  return liveEvent(context, {
    ...base(context, false),
    triggeringActivity: activity(context, 'TransactionAdd', { BillId: String(3_100_000_000 + serial) }),
    programCurrentPoints: customer.points,
    programLifetimePoints: customer.lifetimePoints,
    totalPointsIssued: regular + bonus,
    regularPointsIssued: regular,
    regularPointsBreakup: [{ points: regular, ...dated('expiryAt', endOfDay(at, 365)) }],
    promotionalPointsIssued: bonus > 0 ? [promotion] : [],
    promisedPointsIssued: [],
  });
}

function pointsRedeemedContent(context: EventContext): EventContent {
  const { customer, random, serial } = context;
  const points = randomInteger(random, 10, MIN_POINTS);
  customer.points -= points;
  return liveEvent(context, {
    ...base(context, false),
    triggeringActivity: activity(context, 'PointsRedemption', {
      billId: '-1',
      redemptionId: loyaltyId(random),
    }),
    totalPointsRedeemed: points,
    redemptionSummaryId: 41_000_000 + serial,
    redeemedPointsCurrencyValue: points / 2,
    redemptionNotes: '',
    redemptionBillNumber: `TL/R/${serial}`,
    isGroupRedemption: false,
    redemptionFromEarningPrograms: [
      { programId: PROGRAM_ID, pointsRedeemed: points, programCurrentPoints: customer.points },
    ],
  });
}

function pointsExpiredContent(context: EventContext): EventContent {
  const pointsExpired = randomInteger(context.random, 1, MIN_POINTS);
  context.customer.points -= pointsExpired;
  return batchEvent(context, { ...base(context, true), pointsExpired });
}

function expiryReminderContent(context: EventContext): EventContent {
  return batchEvent(context, {
    ...base(context, true),
    pointsScheduledForExpiry: randomInteger(context.random, 1, MIN_POINTS),
    ...dated('scheduledExpiryDate', endOfDay(context.at, 30)),
  });
}

function expiryChangeContent(context: EventContext): EventContent {
  const { loyaltyProgramId: _, ...data } = base(context, true);
  const change = {
    pointAwardedRefID: 88_000_000 + context.serial,
    pointsAwardedRefType: 'POINT_AWARDED',
    points: randomInteger(context.random, 1, 30),
    ...dated('pointsPreviousExpiryDate', endOfDay(context.at, 30)),
    expiryUpdateReasonType: 'EXTEND_EXPIRY',
    expiryUpdateReasonNote: 'festival extension',
    ...dated('newExpiryDate', endOfDay(context.at, 120)),
  };
  return batchEvent(context, { ...data, updatedPointsExpiryBreakup: [change] });
}

function forCustomerWithPoints(make: EventTemplate['make']): EventTemplate {
  return {
    fits: ({ points }) => points >= MIN_POINTS,
    prepare: (customer) => {
      customer.points += 500;
      customer.lifetimePoints += 500;
    },
    make,
  };
}

/**
 * A group's points: no identifiers; in a redemption, the activity names the person who acted
 * (docs/platforms/capillary.md#group-entities).
 */
export function groupPoints(context: EventContext, name: 'pointsExpired' | 'pointsRedeemed'): EventContent {
  const content = (name === 'pointsExpired' ? pointsExpiredContent : pointsRedeemedContent)(context);
  const { customerIdentifiers: _, ...data } = content.data;
  const entityInformation = { entityType: 'USERGROUP2', entityId: 6_600_000 + context.serial };
  return { ...content, data: { ...data, entityInformation } };
}

/**
 * Points events by name (docs/platforms/capillary.md#points,
 * docs/platforms/capillary.md#expiry-notices).
 */
export const POINTS_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  pointsIssued: forAnyCustomer(pointsIssuedContent),
  pointsRedeemed: forCustomerWithPoints(pointsRedeemedContent),
  pointsExpired: forCustomerWithPoints(pointsExpiredContent),
  pointsExpiryReminder: forAnyCustomer(expiryReminderContent),
  pointsExpiryChange: forAnyCustomer(expiryChangeContent),
};
