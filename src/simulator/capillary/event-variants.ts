import { SAMPLE_EVENT_ID } from '../../capillary/event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { billReturned, canReturn } from './bill-events.ts';
import { customerDeleted } from './customer-events.ts';
import {
  bareIdentifiers,
  type EventContent,
  type EventContext,
  type EventTemplate,
} from './event-template.ts';
import { groupPoints } from './expiry-events.ts';
import { balanceOf, promisedOf } from './world/points-account.ts';
import type { Population } from './world/population.ts';

/** An event with unusual content. */
export interface ContentVariant {
  readonly variant: string;
  readonly names: readonly string[];
  readonly make: (context: EventContext, name: string, population: Population) => EventContent;
  /** Whether it really happens to a customer; else it is only a form that an event can have. */
  readonly isChange: boolean;
  /** Whether the customer can have it, if that is not what the template says. */
  readonly fits?: EventTemplate['fits'];
  /** Replaces keys of the envelope; a key that becomes undefined is left out. */
  readonly envelope?: Readonly<Record<string, string | undefined>>;
}

/** An event whose name has no template (docs/platforms/capillary.md#catalogue). */
export function genericContent({ customer, serial, at }: EventContext, name: string): EventContent {
  return {
    data: {
      customerIdentifiers: bareIdentifiers(customer),
      reference: `${name}-${serial}`,
      enteredAt: at - 300,
      details: { level: serial % 5, note: 'of the simulator' },
    },
    ref: String(customer.customerId),
    loyaltyEventId: null,
  };
}

/**
 * Capillary's sample function uses field names as values and always the same customer
 * (docs/platforms/capillary.md#sample-events).
 */
function sampleContent(): EventContent {
  return {
    data: {
      customerIdentifiers: { customerId: 379_499_720 },
      entityInformation: { entityType: 'entityType', entityId: 1_676 },
      loyaltyProgramDetails: { id: 1_676, name: 'name', isDefault: null, tiers: null },
      notes: 'notes',
    },
    ref: '7250807',
    loyaltyEventId: null,
  };
}

/**
 * The customer absorbs another one, who never appears again. Only the summary of the survivor is
 * documented (docs/platforms/capillary.md#merges); we assume that it includes the victim's points.
 */
function mergeContent(
  { customer, serial, at, world }: EventContext,
  _: string,
  population: Population,
): EventContent {
  const victim = population.other(at, customer);
  population.replace(at, victim);
  world.merge(customer, victim, at);
  const summaries = customer.accounts.map(
    (account): JsonObject => ({
      loyaltyProgramId: account.program.id,
      lifetimePoints: account.lifetimePoints,
      currentPoints: balanceOf(account),
      promisedPoints: promisedOf(account),
      tierNumber: account.standing.tier.number,
    }),
  );
  return {
    data: {
      survivorCustomerIdentifiers: bareIdentifiers(customer),
      victimCustomerIdentifiers: bareIdentifiers(victim),
      triggeringActivity: { name: 'customerMerge', identifiers: [], additionalAttributes: [] },
      enteredBy: { id: -1 },
      survivorCustomerLoyaltySummary: summaries,
    },
    ref: `merge${serial}`,
    loyaltyEventId: null,
    followUps: ['identifierReleased'],
  };
}

function deletionContent(context: EventContext, _: string, population: Population): EventContent {
  population.replace(context.at, context.customer);
  return customerDeleted(context);
}

function groupContent(context: EventContext, name: string): EventContent {
  return groupPoints(context, name === 'pointsExpired' ? name : 'pointsRedeemed');
}

export const CONTENT_VARIANTS: readonly ContentVariant[] = [
  { variant: 'group', names: ['pointsExpired', 'pointsRedeemed'], make: groupContent, isChange: true },
  {
    variant: 'sample',
    names: ['tierUpgraded', 'tierRenewed', 'tierDowngraded', 'tierDowngradeReminder', 'customerAdded'],
    make: sampleContent,
    isChange: false,
    envelope: { eventId: SAMPLE_EVENT_ID, apiRequestId: '1344ffd5-7b6f-4af0-a23d-ce354da13c76' },
  },
  {
    variant: 'deletion',
    names: ['customerUpdated'],
    make: deletionContent,
    isChange: true,
    envelope: { apiRequestId: '' },
  },
  {
    variant: 'merge',
    names: ['loyaltyCustomerMerge'],
    make: mergeContent,
    isChange: true,
    envelope: { eventId: undefined },
  },
  {
    variant: 'return-bill',
    names: ['transactionAdded'],
    make: billReturned,
    isChange: true,
    fits: canReturn,
  },
  {
    variant: 'unmapped',
    names: ['badgeEarned', 'cardUpdated', 'streakStart', 'teaTastingBooked'],
    make: genericContent,
    isChange: true,
  },
];

/** A flat event, with the keys that the variants change. */
export type FlatEvent = JsonObject & {
  readonly eventName: string;
  readonly orgId: number;
  readonly createdAt: number;
  readonly data: JsonObject;
};

/**
 * An event in a form other than flat, as seen in practice (docs/platforms/capillary.md#envelopes).
 */
export interface EnvelopeVariant {
  readonly variant: string;
  readonly wrap?: (event: FlatEvent) => JsonObject;
  /** A change of the JSON text that a JSON value cannot express. */
  readonly rewrite?: (body: string) => string;
}

function routerMessage(event: FlatEvent, eventType: string): JsonObject {
  const { eventId, ...attributes } = event;
  const timeStamp = event.createdAt + 13;
  return {
    ...(eventId === undefined ? {} : { eventId }),
    eventType,
    consumerGroupId: null,
    actionType: 'START',
    timeStamp,
    attributes,
  };
}

function withoutId(event: FlatEvent): JsonObject {
  const { eventId: _, ...rest } = event;
  return rest;
}

function numbersAsText(value: JsonValue): JsonValue {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(numbersAsText);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, numbersAsText(item)]));
}

function strayKeys({ apiRequestId = '', refId = '', data, ...event }: FlatEvent): JsonObject {
  return {
    ...event,
    'apiRequestId ': apiRequestId,
    ' refId': refId,
    data: Object.fromEntries(
      Object.entries(data).map(([key, item], index) => [index === 0 ? `${key} ` : key, item]),
    ),
  };
}

function inSeconds(event: FlatEvent): JsonObject {
  return {
    ...event,
    createdAt: Math.floor(event.createdAt / 1_000),
  };
}

function floatIds(body: string): string {
  return body.replace(/("(?:orgId|customerId|entityId|transactionId|createdAt)":\d+)(?=[,}])/g, '$1.0');
}

export const ENVELOPE_VARIANTS: readonly EnvelopeVariant[] = [
  { variant: 'wrapper', wrap: (event) => routerMessage(event, event.eventName) },
  { variant: 'wrapper-org', wrap: (event) => routerMessage(event, `${event.orgId}_${event.eventName}`) },
  { variant: 'data-nested', wrap: (event) => ({ data: event, errors: null, warnings: null }) },
  { variant: 'event-nested', wrap: (event) => ({ event }) },
  { variant: 'body-nested', wrap: (event) => ({ body: event }) },
  { variant: 'no-event-id', wrap: withoutId },
  { variant: 'text-numbers', wrap: (event) => numbersAsText(event) as JsonObject },
  { variant: 'stray-keys', wrap: strayKeys },
  { variant: 'seconds', wrap: inSeconds },
  { variant: 'float-ids', rewrite: floatIds },
];
