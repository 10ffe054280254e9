import {
  dated,
  type EventContent,
  type EventContext,
  type EventTemplate,
  forAnyCustomer,
} from './event-template.ts';
import {
  accountFor,
  batchEvent,
  canRedeem,
  pointsBase,
  pointsIssuedContent,
  pointsRedeemedContent,
  record,
} from './points-events.ts';
import { endOfDay } from './world/brand.ts';
import { dueLot, expireLot, futureLots, type PointsAccount } from './world/points-account.ts';
import { accountOf, type WorldCustomer } from './world/world-customer.ts';

/** The job takes the oldest points whose date has passed. */
function pointsExpiredContent(context: EventContext): EventContent {
  const account = accountFor(context, (candidate) => dueLot(candidate, context.at) !== undefined);
  const lot = dueLot(account, context.at);
  const pointsExpired = lot === undefined ? 0 : expireLot(account, lot);
  record(context, account, {
    eventName: 'PointsExpiry',
    type: 'DEBIT',
    points: pointsExpired,
    category: 'Main',
  });
  return batchEvent(context, account, { ...pointsBase(context, account, true), pointsExpired });
}

/** The points of the next date. */
function expiryReminderContent(context: EventContext): EventContent {
  const account = accountFor(context, (candidate) => futureLots(candidate, context.at).length > 0);
  const lots = futureLots(account, context.at);
  const date = lots[0]?.expiresAt ?? context.at;
  const due = lots.filter(({ expiresAt }) => expiresAt === date);
  return batchEvent(context, account, {
    ...pointsBase(context, account, true),
    pointsScheduledForExpiry: due.reduce((total, { available }) => total + available, 0),
    ...dated('scheduledExpiryDate', date),
  });
}

const EXTENSION_DAYS = 90;

/** The next points to expire get a later date. The event names no program, so it is the default. */
function expiryChangeContent(context: EventContext): EventContent {
  const account = accountOf(context.customer);
  const { loyaltyProgramId: _, ...data } = pointsBase(context, account, true);
  const [lot] = futureLots(account, context.at);
  if (lot === undefined) throw new RangeError('no points to extend');
  const previous = lot.expiresAt;
  lot.expiresAt = endOfDay(previous, EXTENSION_DAYS);
  account.expiryChanges.push({ lot, previous, expiresAt: lot.expiresAt, at: context.at });
  const change = {
    pointAwardedRefID: lot.id,
    pointsAwardedRefType: 'POINT_AWARDED',
    points: lot.available,
    ...dated('pointsPreviousExpiryDate', previous),
    expiryUpdateReasonType: 'EXTEND_EXPIRY',
    expiryUpdateReasonNote: 'festival extension',
    ...dated('newExpiryDate', lot.expiresAt),
  };
  return batchEvent(context, account, { ...data, updatedPointsExpiryBreakup: [change] });
}

/**
 * A group's points: no identifiers; in a redemption, the activity names the person who acted
 * (docs/platforms/capillary.md#group-entities). The points of its members do not change.
 */
export function groupPoints(context: EventContext, name: 'pointsExpired' | 'pointsRedeemed'): EventContent {
  const group: WorldCustomer = { ...context.customer, accounts: structuredClone(context.customer.accounts) };
  const content = (name === 'pointsExpired' ? pointsExpiredContent : pointsRedeemedContent)({
    ...context,
    customer: group,
  });
  const { customerIdentifiers: _, ...data } = content.data;
  const entityInformation = { entityType: 'USERGROUP2', entityId: 6_600_000 + context.serial };
  return { ...content, data: { ...data, entityInformation } };
}

function withDefaultAccount(
  fits: (account: PointsAccount, at: number) => boolean,
  make: EventTemplate['make'],
): EventTemplate {
  return { fits: (customer, at) => fits(accountOf(customer), at), make };
}

/**
 * Points events by name (docs/platforms/capillary.md#points,
 * docs/platforms/capillary.md#expiry-notices).
 */
export const POINTS_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  pointsIssued: forAnyCustomer(pointsIssuedContent),
  pointsRedeemed: withDefaultAccount(canRedeem, pointsRedeemedContent),
  pointsExpired: withDefaultAccount((account, at) => dueLot(account, at) !== undefined, pointsExpiredContent),
  pointsExpiryReminder: withDefaultAccount(
    (account, at) => futureLots(account, at).length > 0,
    expiryReminderContent,
  ),
  pointsExpiryChange: withDefaultAccount(
    (account, at) => futureLots(account, at).length > 0,
    expiryChangeContent,
  ),
};
