import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';

/** A flat event, with the keys that forms are made of. */
export type FlatEvent = JsonObject & {
  readonly eventName: string;
  readonly orgId: number;
  readonly createdAt: number;
  readonly data: JsonObject;
};

/** Ways in which the same event is met in the wild, other than flat (reference: capillary.md §2.2, §2.3). */
export interface EnvelopeVariant {
  readonly variant: string;
  readonly wrap?: (event: FlatEvent) => JsonObject;
  /** A change that JSON values cannot carry. */
  readonly write?: (body: string) => string;
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
  { variant: 'float-ids', write: floatIds },
];
