import { randomOf } from '../random.ts';
import {
  bareIdentifiers,
  type EventContent,
  type EventContext,
  type EventTemplate,
  forAnyCustomer,
  identifiers,
} from './event-template.ts';
import { activity, liveEvent, pointsBase, record } from './points-events.ts';
import { pointsFor } from './world/world-bill.ts';
import {
  balanceOf,
  issuePoints,
  type PointsAccount,
  returnPoints,
  reverseRedemption,
} from './world/points-account.ts';
import { accountOf, type WorldCustomer } from './world/world-customer.ts';
import { endOfDay } from './world/brand.ts';

function balances(account: PointsAccount) {
  return { programCurrentPoints: balanceOf(account), programLifetimePoints: account.lifetimePoints };
}

/** The newest returned bill gives back what it had earned, as far as it is still there. */
function issuedPointsReversedContent(context: EventContext): EventContent {
  const { customer } = context;
  const account = accountOf(customer);
  const bill = customer.bills.findLast(({ type }) => type === 'RETURN');
  const original = bill?.returnOf;
  const points = original ? returnPoints(account, original.id, pointsFor(bill.amount)) : 0;
  record(context, account, {
    eventName: 'TransactionUpdate',
    type: 'DEBIT',
    points,
    category: 'Main',
    ...(bill ? { billId: bill.id } : {}),
  });
  const keys = { BillId: String(bill?.id ?? -1) };
  return liveEvent(context, {
    ...pointsBase(context, account, false),
    triggeringActivity: activity(context, { name: 'ReturnBill', keys, till: bill?.till ?? customer.till }),
    totalIssuedPointsReversed: points,
    currentEventTotalPointsReturned: points,
    regularPointsReversed: points,
    promisedPointsReversed: 0,
    promotionalPointsReversed: [],
    ...balances(account),
  });
}

function redeemedPointsReversedContent(context: EventContext): EventContent {
  const { customer, at, random } = context;
  const account = accountOf(customer);
  const redemption = randomOf(random, account.redemptions);
  const details = reverseRedemption(account, redemption, at);
  record(context, account, {
    eventName: 'PointsRedemptionReversal',
    type: 'CREDIT',
    points: details.available,
    category: 'Main',
  });
  const keys = { redemptionId: redemption.id };
  return liveEvent(context, {
    ...pointsBase(context, account, false),
    triggeringActivity: activity(context, { name: 'PointsRedemptionReversal', keys, till: customer.till }),
    redeemedPointsReversed: redemption.points,
    redeemedPointsReversedDetails: { ...details },
    redemptionReversalToEarningPrograms: [
      {
        programId: account.program.id,
        redeemedPointsReversed: redemption.points,
        redeemedPointsReversedDetails: { ...details },
        programCurrentPoints: balanceOf(account),
      },
    ],
  });
}

/** Promised points whose date has come become points. */
function conversionContent(context: EventContext): EventContent {
  const { customer, at, serial } = context;
  const account = accountOf(customer);
  const due = account.promised.find(({ convertsAt }) => convertsAt <= at);
  if (due === undefined) throw new RangeError('no promised points are due');
  account.promised = account.promised.filter((other) => other !== due);
  const source = { kind: 'bill_regular', issued: due.points, awardedAt: at, billId: due.billId } as const;
  issuePoints(account, { ...source, id: 890_000_000 + serial * 2, expiresAt: endOfDay(at, 365) });
  const entry = { eventName: 'DelayedAccrual', points: due.points, billId: due.billId };
  record(context, account, { ...entry, type: 'DEBIT', category: 'Promised' });
  record(context, account, { ...entry, type: 'CREDIT', category: 'Main' });
  return liveEvent(context, {
    ...pointsBase(context, account, true),
    billId: due.billId,
    pointsConverted: due.points,
    pointsConversionSource: 'DELAYED_ACCRUAL',
    pointsConvertedBreakup: [],
    ...balances(account),
  });
}

/** What answers and events call a consent. */
export function consentOf(isOptedIn: boolean): string {
  return isOptedIn ? 'OPTIN' : 'OPTOUT';
}

/** The customer answers otherwise for one channel. */
function subscriptionContent({ customer, random }: EventContext): EventContent {
  const subscription = randomOf(
    random,
    customer.subscriptions.filter(({ priority }) => priority === 'BULK'),
  );
  const previousStatus = consentOf(subscription.isOptedIn);
  subscription.isOptedIn = !subscription.isOptedIn;
  const { channel, priority, isOptedIn } = subscription;
  const change = {
    channel,
    priority,
    previousStatus,
    currentStatus: consentOf(isOptedIn),
    sourceName: 'INSTORE',
    sourceAccountId: '',
  };
  return {
    data: { customerIdentifiers: identifiers(customer), subscriptions: [change] },
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

/** The identifiers of the newest victim can be registered by someone else from now on. */
function releasedContent({ customer, world, at, serial }: EventContext): EventContent {
  const victim = [...world.customers.values()].findLast(
    ({ mergedInto, mergedAt = 0 }) => mergedInto === customer.customerId && mergedAt <= at,
  );
  const released = victim ? world.release(victim) : {};
  const identifierList = Object.entries(released).map(([type, value]) => ({ type, value }));
  return {
    data: {
      mergeEventId: `merge${serial - 1}`,
      profiles: victim ? [{ customerId: victim.customerId, identifiers: identifierList }] : [],
      releasedAt: at,
    },
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

function deletionRequestContent({ customer, serial }: EventContext): EventContent {
  return {
    data: {
      customerIdentifiers: bareIdentifiers(customer),
      requestTrackingId: 7_000 + serial,
      requestType: 'CUSTOMER',
      requestBaseType: 'DELETE',
      status: 'SUCCESS',
    },
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

function fitsAccount(fits: (account: PointsAccount, at: number) => boolean): EventTemplate['fits'] {
  return (customer: WorldCustomer, at) => fits(accountOf(customer), at);
}

/** Events that only follow another one, by name. */
export const FOLLOW_UP_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  issuedPointsReversed: forAnyCustomer(issuedPointsReversedContent),
  identifierReleased: forAnyCustomer(releasedContent),
  requestUpdated: forAnyCustomer(deletionRequestContent),
};

/**
 * Further events by name (docs/platforms/capillary.md#points-corrections,
 * docs/platforms/capillary.md#subscriptions).
 */
export const CORRECTION_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  redeemedPointsReversed: {
    fits: fitsAccount(({ redemptions }) => redemptions.length > 0),
    make: redeemedPointsReversedContent,
  },
  promisedToCurrentPointsConversion: {
    fits: fitsAccount(({ promised }, at) => promised.some(({ convertsAt }) => convertsAt <= at)),
    make: conversionContent,
  },
  customerSubscription: forAnyCustomer(subscriptionContent),
};
