import { eventIdText } from './event-id.ts';
import { isBlank, isJsonObject, type JsonObject, type JsonValue, parseJsonText } from './json.ts';
import { parseTime } from './times.ts';

/**
 * Keys under which an envelope contains the event (docs/platforms/capillary.md#router-wrapper,
 * docs/platforms/capillary.md#nested-event), in the order in which they are searched.
 */
const EVENT_KEYS = ['attributes', 'event', 'body', 'data'] as const;

/** Fields that an event inherits from its envelope if it lacks them. */
const INHERITED_FIELDS = [
  'eventId',
  'eventType',
  'orgId',
  'refId',
  'apiRequestId',
  'createdAt',
  'timeStamp',
  'loyaltyEventId',
  'eventLogId',
] as const;

/** Maximum number of nested envelopes. */
const MAX_ENVELOPES = 6;

/** The event with an `eventName`, or what is wrong and where, without content of the body. */
export type Unwrapped =
  | { readonly ok: true; readonly event: JsonObject }
  | { readonly ok: false; readonly detail: string };

/** An event, a text that explains what is wrong, or undefined if there is no event here. */
type Found = JsonObject | string | undefined;

/**
 * Removes the envelopes of an event, whose keys are already trimmed. An object with `eventName` and
 * `data` is the event even if its data has an `eventName` too: streak events name the event of the
 * streak there (docs/platforms/capillary.md#targets-and-streaks).
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

/**
 * Organisation and event name from a router wrapper's `eventType`: `100458_customerAdded`, or the
 * name alone (docs/platforms/capillary.md#router-wrapper).
 */
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
  if (parsed.ok) return search(parsed.value, place, levels - 1);
  return `the text in ${place} ${parsed.code === 'not-json' ? 'is not JSON:' : 'is'} ${parsed.detail}`;
}

function searchInside(envelope: JsonObject, levels: number): Found {
  let problem: string | undefined;
  for (const key of EVENT_KEYS) {
    const inner = search(envelope[key], key, levels);
    const isComplete = isJsonObject(inner) && !isBlank(inner['data']);
    const found = (isComplete || key !== 'attributes' ? undefined : namedByWrapper(envelope)) ?? inner;
    if (isJsonObject(found)) {
      return inherit(envelope, found, key);
    }
    problem ??= found;
  }
  return problem;
}

/**
 * The wrapper names an event whose `attributes` have no `eventName`. This has precedence over a
 * name that is found deeper and has no data beside it: that one belongs to the event's own data.
 */
function namedByWrapper(wrapper: JsonObject): JsonObject | undefined {
  const attributes = wrapper['attributes'];
  const name = hasName(wrapper) ? wrapper['eventName'] : splitEventType(wrapper['eventType']).eventName;
  const isNameless = isJsonObject(attributes) && !hasName(attributes);
  return isNameless && name !== undefined ? { ...attributes, eventName: name } : undefined;
}

/**
 * Copies the inherited fields. The router puts the event's id outside
 * (docs/platforms/capillary.md#router-wrapper), so the outer eventId has precedence there.
 */
function inherit(envelope: JsonObject, event: JsonObject, key: string): JsonObject {
  const merged = { ...event };
  for (const field of INHERITED_FIELDS) {
    const outer = envelope[field];
    const hasPrecedence = field === 'eventId' && key === 'attributes';
    if (
      outer !== undefined &&
      !isMissing(field, outer) &&
      (hasPrecedence || isMissing(field, merged[field]))
    ) {
      merged[field] = outer;
    }
  }
  return merged;
}

/** True for a value that says nothing: blank, an id that stands for none, or no time. */
function isMissing(field: (typeof INHERITED_FIELDS)[number], value: JsonValue | undefined): boolean {
  if (field === 'eventId') {
    return eventIdText(value) === undefined;
  }
  const isTime = field === 'createdAt' || field === 'timeStamp';
  return isTime ? parseTime(value, 'UTC', 'end') === undefined : isBlank(value);
}

function hasName(object: JsonObject): boolean {
  return typeof object['eventName'] === 'string' && !isBlank(object['eventName']);
}
