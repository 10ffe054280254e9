import { parseEvent, type ParseOptions } from '../../src/capillary/event-parser.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';

export const EVENT_ID = '0b0f5c36-54d5-4a39-9be2-0f4f4b0c0001';

/** A small event in the flat form, with every envelope field. */
export const FLAT: JsonObject = {
  eventName: 'pointsIssued',
  eventId: EVENT_ID,
  orgId: 100458,
  refId: '100458_wIybJMkaCq',
  apiRequestId: '08ccc811706f99919580fdf035c50003',
  createdAt: 1_790_848_802_438,
  data: {
    customerIdentifiers: { customerId: 387450112, instore: { externalId: 'LOY-1', cardNumbers: [] } },
    totalPointsIssued: 64.5,
    notes: null,
    currencies: [{ name: 'Stars', amount: 3 }],
    billNumber: '000317',
  },
  loyaltyEventId: '6bb1',
  eventLogId: 662389307,
};

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** Parses a body: bytes, or a value that is serialized as JSON. */
export function parse(body: Uint8Array | JsonValue, options: ParseOptions = {}) {
  return parseEvent(body instanceof Uint8Array ? body : bytes(JSON.stringify(body)), options);
}

/** The event of a valid body. */
export function eventOf(body: Uint8Array | JsonValue, options: ParseOptions = {}): CapillaryEvent {
  const parsed = parse(body, options);
  if (!parsed.ok) {
    throw new Error(`${parsed.code}: ${parsed.detail}`);
  }
  return parsed.event;
}

/** Code and detail of the refusal of an invalid body. */
export function refusalOf(body: Uint8Array | JsonValue, options: ParseOptions = {}): string {
  const parsed = parse(body, options);
  return parsed.ok ? 'an event' : `${parsed.code}: ${parsed.detail}`;
}

export function without(object: JsonObject, ...fields: string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

/** Copies a value with changed leaves and keys, at every level. */
export function rewrite(
  value: JsonValue,
  leaf: (leaf: JsonValue) => JsonValue,
  key = (name: string) => name,
): JsonValue {
  if (Array.isArray(value)) {
    return value.map((item) => rewrite(item, leaf, key));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [key(name), rewrite(item, leaf, key)]),
    );
  }
  return leaf(value);
}

function unchanged(value: JsonValue): JsonValue {
  return value;
}

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, item]) => [name, reversed(item)]),
      )
    : value;
}

/**
 * All envelopes and spellings in which a flat event can arrive
 * (docs/platforms/capillary.md#envelopes).
 */
export const ENVELOPES: Readonly<Record<string, (flat: JsonObject) => Uint8Array>> = {
  flat: (flat) => bytes(JSON.stringify(flat)),
  'byte order mark': (flat) => bytes(`\uFEFF${JSON.stringify(flat)}`),
  'key order': (flat) => bytes(JSON.stringify(reversed(flat))),
  'router wrapper': (flat) => bytes(JSON.stringify(wrapped(flat, nameOf(flat)))),
  'router wrapper with the organisation': (flat) =>
    bytes(JSON.stringify(wrapped(flat, `${Number(flat['orgId'])}_${nameOf(flat)}`))),
  'router wrapper with the only name': (flat) => {
    const wrapper = wrapped(flat, `${Number(flat['orgId'])}_${nameOf(flat)}`);
    return bytes(JSON.stringify({ ...wrapper, attributes: without(flat, 'eventName', 'eventId', 'orgId') }));
  },
  data: (flat) => bytes(JSON.stringify({ data: flat, errors: null, warnings: null })),
  event: (flat) => bytes(JSON.stringify({ event: flat })),
  body: (flat) => bytes(JSON.stringify({ body: flat })),
  'event as a string': (flat) => bytes(JSON.stringify({ event: JSON.stringify(flat) })),
  'body as a string': (flat) => bytes(JSON.stringify({ body: JSON.stringify(flat), headers: { a: 'b' } })),
  'everything as a string': (flat) => bytes(JSON.stringify(JSON.stringify(flat))),
  'data as a string': (flat) => bytes(JSON.stringify({ ...flat, data: JSON.stringify(flat['data']) })),
  array: (flat) => bytes(JSON.stringify([flat])),
  'array in body': (flat) => bytes(JSON.stringify({ body: [flat] })),
  nested: (flat) => bytes(JSON.stringify({ body: { data: { event: wrapped(flat, 'x') } } })),
  'stray spaces': (flat) => bytes(JSON.stringify(rewrite(flat, unchanged, (name) => ` ${name}\t\u00a0`))),
  'stray spaces in a wrapper': (flat) =>
    bytes(JSON.stringify(rewrite(wrapped(flat, 'x'), unchanged, (name) => `${name} `))),
  'numbers as strings': (flat) =>
    bytes(JSON.stringify(rewrite(flat, (leaf) => (typeof leaf === 'number' ? String(leaf) : leaf)))),
  floats: (flat) => bytes(asFloats(flat)),
  'floats as strings': (flat) =>
    bytes(JSON.stringify(rewrite(flat, (leaf) => (Number.isSafeInteger(leaf) ? `${Number(leaf)}.0` : leaf)))),
};

function nameOf(flat: JsonObject): string {
  return typeof flat['eventName'] === 'string' ? flat['eventName'] : '';
}

function wrapped(flat: JsonObject, eventType: string): JsonObject {
  return {
    ...('eventId' in flat ? { eventId: flat['eventId'] ?? null } : {}),
    eventType,
    consumerGroupId: null,
    actionType: 'START',
    timeStamp: 1_790_848_809_999,
    attributes: without(flat, 'eventId'),
  };
}

/** Integers as `1676.0`, which JSON.stringify never writes. */
function asFloats(flat: JsonObject): string {
  return JSON.stringify(
    rewrite(flat, (leaf) => (Number.isSafeInteger(leaf) ? `@float:${Number(leaf)}` : leaf)),
  ).replaceAll(/"@float:(-?\d+)"/g, '$1.0');
}
