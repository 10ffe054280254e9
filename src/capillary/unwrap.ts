import { parseJsonText } from './json-text.ts';
import { isBlank, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Keys under which an envelope carries the event (reference: capillary.md §2.1–2.2), in the order they are looked into. */
const CARRIERS = ['attributes', 'event', 'body', 'data'] as const;

/** Fields that an envelope may hold for its event; the event's own come first. */
const SHARED = [
  'eventId',
  'eventType',
  'orgId',
  'refId',
  'apiRequestId',
  'createdAt',
  'loyaltyEventId',
  'eventLogId',
] as const;

/** Envelopes within envelopes that are taken off. */
const MAX_ENVELOPES = 6;

/** The event with an `eventName`, or what was wrong and where, without any content. */
export type Unwrapped =
  | { readonly ok: true; readonly event: JsonObject }
  | { readonly ok: false; readonly detail: string };

/** An event, a text that says what is wrong, or undefined: nothing like an event here. */
type Found = JsonObject | string | undefined;

/**
 * Takes the envelopes off an event. Keys must have been trimmed. An object with an `eventName` and `data` is the event, even
 * when its data has an `eventName` too: streak events name the streak's event there (reference: events/documented).
 */
export function unwrapEnvelope(body: JsonValue): Unwrapped {
  const found = search(body, 'the body', MAX_ENVELOPES);
  if (isJsonObject(found)) {
    return { ok: true, event: found };
  }
  const isContainer = typeof body === 'object' && body !== null;
  const detail = isContainer
    ? 'there is no eventName, neither at the top nor in attributes, event, body or data'
    : 'the body is not an object';
  return { ok: false, detail: found ?? detail };
}

/** The organisation and name that a router wrapper's `eventType` holds: `100458_customerAdded`, or the name alone. */
export function splitEventType(eventType: JsonValue | undefined): { orgId?: string; eventName?: string } {
  if (typeof eventType !== 'string' || isBlank(eventType)) {
    return {};
  }
  const [, orgId, eventName] = /^(\d+)_(.+)$/s.exec(eventType.trim()) ?? [];
  return orgId === undefined ? { eventName: eventType.trim() } : { orgId, eventName };
}

function search(value: JsonValue | undefined, place: string, levels: number): Found {
  if (typeof value === 'string') {
    return searchText(value, place, levels);
  }
  if (Array.isArray(value)) {
    const [only] = value;
    return value.length === 1 && isJsonObject(only)
      ? search(only, place, levels)
      : `${place} is an array of ${value.length}; it must be one event`;
  }
  if (!isJsonObject(value)) {
    return undefined;
  }
  const isNamed = hasName(value);
  if (isNamed && !isBlank(value['data'])) {
    return value;
  }
  const inner = levels > 0 ? searchInside(value, levels - 1) : undefined;
  return isNamed && !isJsonObject(inner) ? value : inner;
}

function searchText(text: string, place: string, levels: number): Found {
  if (levels === 0 || !/^\s*["[{]/.test(text)) {
    return undefined;
  }
  const parsed = parseJsonText(text);
  return parsed.ok ? search(parsed.value, place, levels - 1) : `the text in ${place} is ${parsed.detail}`;
}

function searchInside(envelope: JsonObject, levels: number): Found {
  let problem: string | undefined;
  for (const carrier of CARRIERS) {
    const inner = search(envelope[carrier], carrier, levels);
    const isWhole = isJsonObject(inner) && !isBlank(inner['data']);
    const found = (isWhole || carrier !== 'attributes' ? undefined : namedByWrapper(envelope)) ?? inner;
    if (isJsonObject(found)) {
      return merge(envelope, found, carrier);
    }
    problem ??= found;
  }
  return problem;
}

/**
 * `attributes` without an `eventName` of its own is named by the wrapper. That comes before a name found deeper without data: it
 * is one that the event's own data has.
 */
function namedByWrapper(wrapper: JsonObject): JsonObject | undefined {
  const attributes = wrapper['attributes'];
  const name = hasName(wrapper) ? wrapper['eventName'] : splitEventType(wrapper['eventType']).eventName;
  const isNameless = isJsonObject(attributes) && !hasName(attributes);
  return isNameless && name !== undefined ? { ...attributes, eventName: name } : undefined;
}

/** The router puts the eventId outside (reference: capillary.md §2.1), so there the outer one is the event's. */
function merge(envelope: JsonObject, event: JsonObject, carrier: string): JsonObject {
  const merged = { ...event };
  for (const field of SHARED) {
    const outer = envelope[field];
    const isOuters = field === 'eventId' && carrier === 'attributes';
    if (outer !== undefined && !isBlank(outer) && (isOuters || isBlank(merged[field]))) {
      merged[field] = outer;
    }
  }
  return merged;
}

function hasName(object: JsonObject): boolean {
  return typeof object['eventName'] === 'string' && !isBlank(object['eventName']);
}
