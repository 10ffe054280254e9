import { eventIdText, shortId } from './event-id.ts';
import { readBodyText } from './body-text.ts';
import { splitArray } from './event-array.ts';
import { splitEventType, unwrapEnvelope } from './event-envelope.ts';
import { identityOf, laneKeyOf, laneOf } from './event-identity.ts';
import { type CapillaryEvent, SAMPLE_EVENT_ID } from './event.ts';
import { idText } from './identifiers.ts';
import {
  isBlank,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type ParsedText,
  parseJsonText,
} from './json.ts';
import { customerIdOf } from './person.ts';
import { parseEpoch, parseTime } from './times.ts';

/**
 * `detail` explains what is wrong and where. It appears in responses and logs, so it has no content
 * of the body.
 */
export type ParsedEvent =
  | { readonly ok: true; readonly event: CapillaryEvent }
  | {
      readonly ok: false;
      readonly code: 'not-json' | 'not-an-event' | 'wrong-org';
      readonly detail: string;
    };

export interface ParseOptions {
  /** Organisations whose events the source accepts; absent or empty: any. */
  readonly orgIds?: readonly number[];
  /** Zone of times of the envelope that have no offset; UTC if absent. */
  readonly timezone?: string;
  /**
   * For an event that was parsed before: it keeps these values even if the rules have changed
   * since.
   */
  readonly known?: Pick<CapillaryEvent, 'identity' | 'lane'>;
  /** Parses the event as if it had no eventId. */
  readonly withoutId?: boolean;
}

/** One event, or the elements of an array, each of which must be one event by itself. */
export type ParsedBody = ParsedEvent | { readonly elements: () => Iterable<Uint8Array> };

const MAX_NAME_CHARS = 200;

/**
 * Parses the one event of a body, in any envelope (docs/platforms/capillary.md#envelopes). Never
 * throws.
 */
export function parseEvent(body: Uint8Array, options: ParseOptions): ParsedEvent {
  const { text, isWindows1252 } = readBodyText(body);
  return parseOne(parseJsonText(text), isWindows1252, options);
}

/** The same for a body that can also be an array of events. An empty array is not an event. */
export function parseBody(body: Uint8Array, options: ParseOptions): ParsedBody {
  const { text, isWindows1252 } = readBodyText(body);
  const parsed = parseJsonText(text);
  return isFilledArray(parsed, text)
    ? { elements: () => splitArray(body) }
    : parseOne(parsed, isWindows1252, options);
}

/** The name of the event in a body, of an array that of the first; undefined if there is none. */
export function eventNameIn(body: Uint8Array): string | undefined {
  const event = firstEventIn(body);
  const name = event === undefined ? undefined : eventNameOf(event);
  return name !== undefined && 'value' in name ? name.value : undefined;
}

/** The id of the event in a body, as it is stored; of an array that of the first. */
export function eventIdIn(body: Uint8Array): string | undefined {
  const id = eventIdText(firstEventIn(body)?.['eventId']);
  return id === undefined ? undefined : shortId(id);
}

/**
 * Parses the body and at most one element, whatever is nested, because the sender can be unknown.
 */
function firstEventIn(body: Uint8Array): JsonObject | undefined {
  const { text } = readBodyText(body);
  const parsed = parseJsonText(text);
  if (!isFilledArray(parsed, text)) return eventIn(parsed);
  for (const element of splitArray(body)) return eventIn(parseJsonText(readBodyText(element).text));
  return undefined;
}

function eventIn(parsed: ParsedText): JsonObject | undefined {
  const result = parsed.ok ? unwrapEnvelope(parsed.value) : undefined;
  return result?.ok === true ? result.event : undefined;
}

/** An array that is nested too deeply can still have elements that are events. */
function isFilledArray(parsed: ParsedText, text: string): boolean {
  return parsed.ok
    ? Array.isArray(parsed.value) && parsed.value.length > 0
    : parsed.code === 'too-deep' && /^\s*\[/.test(text);
}

function parseOne(parsed: ParsedText, isWindows1252: boolean, options: ParseOptions): ParsedEvent {
  if (!parsed.ok) {
    return parsed.code === 'not-json'
      ? { ok: false, code: 'not-json', detail: parsed.detail }
      : notAnEvent(parsed.detail);
  }
  const unwrapped = unwrapEnvelope(parsed.value);
  if (!unwrapped.ok) {
    return notAnEvent(unwrapped.detail);
  }
  const result = parseFields(unwrapped.event, options);
  return result.ok && isWindows1252 ? { ok: true, event: { ...result.event, isWindows1252 } } : result;
}

function parseFields(flat: JsonObject, options: ParseOptions): ParsedEvent {
  const { orgIds = [] } = options;
  const eventName = eventNameOf(flat);
  if ('problem' in eventName) {
    return notAnEvent(eventName.problem);
  }
  const orgId = orgIdOf(flat, orgIds);
  if ('problem' in orgId) {
    return notAnEvent(orgId.problem);
  }
  if (orgIds.length > 0 && !orgIds.includes(orgId.value)) {
    return { ok: false, code: 'wrong-org', detail: 'orgId is not one of the orgIds of this source' };
  }
  return { ok: true, event: buildEvent(flat, eventName.value, orgId.value, options) };
}

type Draft = { -readonly [Name in keyof CapillaryEvent]: CapillaryEvent[Name] };

function buildEvent(
  flat: JsonObject,
  eventName: string,
  orgId: number,
  { known, timezone = 'UTC', withoutId = false }: ParseOptions,
): CapillaryEvent {
  const data = dataOf(flat);
  const eventId = withoutId ? undefined : eventIdText(flat['eventId']);
  const refId = idText(flat['refId']);
  const apiRequestId = idText(flat['apiRequestId']);
  const createdAt = createdAtOf(flat, timezone);
  const loyaltyEventId = eventIdText(flat['loyaltyEventId']);
  const eventLogId = idText(flat['eventLogId']);
  const isSample = eventId?.toLowerCase() === SAMPLE_EVENT_ID;
  const identity =
    known?.identity ??
    identityOf({
      eventName,
      eventId,
      orgId,
      refId,
      apiRequestId,
      loyaltyEventId,
      createdAt: stableCreatedAt(flat),
      data,
      isSample,
    });
  const customerId = customerIdOf(data);
  const lane = known === undefined ? findLane(data, orgId, customerId) : known.lane;
  const event: Draft = { eventName, orgId, data, identity, isSample };
  // Not a loop: one that skips undefined values costs as much as the hashes.
  if (eventId !== undefined) event.eventId = shortId(eventId);
  if (refId !== undefined) event.refId = refId;
  if (apiRequestId !== undefined) event.apiRequestId = apiRequestId;
  if (createdAt !== undefined) event.createdAt = createdAt;
  if (loyaltyEventId !== undefined) event.loyaltyEventId = loyaltyEventId;
  if (eventLogId !== undefined) event.eventLogId = eventLogId;
  if (customerId !== undefined) event.customerId = customerId;
  if (lane !== undefined) event.lane = lane;
  return event;
}

/**
 * When Capillary stored the event, else when its router sent it
 * (docs/platforms/capillary.md#event-clocks). A bare date is the end of that day, so that the event
 * counts as older than those of the next day, and not as newer than one of its own day.
 */
function createdAtOf(flat: JsonObject, timezone: string): number | undefined {
  const createdAt = flat['createdAt'];
  return (
    parseEpoch(createdAt) ??
    parseTime(createdAt, timezone, 'end') ??
    parseTime(flat['timeStamp'], timezone, 'end')
  );
}

/**
 * `createdAt` for the identity: the same for every resend, so without the router's time, and
 * whatever zone is configured.
 */
function stableCreatedAt(flat: JsonObject): number | undefined {
  return parseTime(flat['createdAt'], 'UTC', 'end');
}

function findLane(data: JsonObject, orgId: number, customerId: string | undefined): string | undefined {
  const laneKey = laneKeyOf(data, customerId);
  return laneKey === undefined ? undefined : laneOf(orgId, laneKey);
}

function notAnEvent(detail: string): ParsedEvent {
  return { ok: false, code: 'not-an-event', detail };
}

/** The value of a field, or what is wrong with it; `problem` has no content of the body. */
type Field<T> = { readonly value: T } | { readonly problem: string };

/** The trimmed name: 1–200 characters without control characters. */
function eventNameOf(event: JsonObject): Field<string> {
  const name = event['eventName'];
  const value = typeof name === 'string' ? name.trim() : '';
  if (value === '') {
    return { problem: 'there is no eventName' };
  }
  if (value.length > MAX_NAME_CHARS) {
    return { problem: `eventName is longer than ${MAX_NAME_CHARS} characters` };
  }
  return /\p{Cc}/u.test(value) ? { problem: 'eventName contains control characters' } : { value };
}

/**
 * The organisation. If the event does not name it, it is taken from the prefix of `refId`
 * (docs/platforms/capillary.md#flat-event) or of the wrapper's `eventType`
 * (docs/platforms/capillary.md#router-wrapper), else it is the only organisation of the source.
 */
function orgIdOf(event: JsonObject, orgIds: readonly number[]): Field<number> {
  const own = event['orgId'];
  const [only] = orgIds.length === 1 ? orgIds : [];
  const value = isBlank(own) ? (orgIdPrefixOf(event) ?? only) : integerOf(own);
  if (value !== undefined) {
    return { value };
  }
  return { problem: isBlank(own) ? 'there is no orgId' : 'orgId is not a non-negative integer' };
}

/**
 * The content of the event; `{}` if it is not an object. Some senders encode it as a JSON string.
 */
function dataOf(event: JsonObject): JsonObject {
  const data = event['data'];
  if (typeof data !== 'string') {
    return isJsonObject(data) ? data : {};
  }
  const parsed = parseJsonText(data);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
}

function orgIdPrefixOf(event: JsonObject): number | undefined {
  const refId = event['refId'];
  const [, prefix] = typeof refId === 'string' ? (/^\s*(\d+)_./s.exec(refId) ?? []) : [];
  return integerOf(prefix) ?? integerOf(splitEventType(event['eventType']).orgId);
}

/** `100458`, `100458.0` and `"100458"` are the same number. */
function integerOf(value: JsonValue | undefined): number | undefined {
  const isDigits = typeof value === 'string' && /^\s*\d+(\.0+)?\s*$/.test(value);
  const number = isDigits ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
