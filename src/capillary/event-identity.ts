import { hash } from 'node:crypto';
import type { CapillaryEvent } from './event.ts';
import { idText, type IdentifierKind, identifiersOf } from './identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { customerIdOf, personOf } from './person.ts';
import { placeholderFault } from './placeholder-values.ts';

/** The fields that decide whether two bodies are the same event. */
export type IdentityFields = Pick<
  CapillaryEvent,
  | 'orgId'
  | 'eventName'
  | 'eventId'
  | 'refId'
  | 'apiRequestId'
  | 'loyaltyEventId'
  | 'createdAt'
  | 'data'
  | 'isSample'
>;

/** `12`, `-3.50`, but not `007` and not `1e5`. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * The identity of an event: 64 hex digits, the same for every resend and in every envelope. It
 * includes organisation and name, because different events can have the same id
 * (docs/platforms/capillary.md#event-id).
 */
export function identityOf(event: IdentityFields): string {
  return sha256(JSON.stringify([event.orgId, event.eventName, keyOf(event)]));
}

/**
 * The key by which events are kept in order: the customerId, else the first stable identifier of
 * the person, else the group. It is personal data in plain text, so it is hashed (`laneOf`) before
 * it is stored. Undefined if the event concerns no
 * customer and no group.
 */
export function laneKeyOf(data: JsonObject, customerId = customerIdOf(data)): string | undefined {
  if (customerId !== undefined) {
    return customerId;
  }
  const identifiers = identifiersOf(personOf(data)?.identifiers ?? {});
  for (const kind of ['externalId', 'email', 'phone', 'cardNumber'] as const) {
    // A placeholder would put strangers into one lane, where their attributes become one profile.
    const found = identifiers.find(
      (identifier) => identifier.kind === kind && placeholderFault(kind, identifier.value) === undefined,
    );
    if (found !== undefined) {
      return `${kind}:${normalizeIdentifier(kind, found.value)}`;
    }
  }
  const entity = data['entityInformation'];
  const groupId = isJsonObject(entity) ? idText(entity['entityId']) : undefined;
  return groupId === undefined ? undefined : `group:${groupId}`;
}

/** The lane of a key in one organisation: 64 hex digits of SHA-256. */
export function laneOf(orgId: number, laneKey: string): string {
  return sha256(JSON.stringify(['lane', orgId, laneKey]));
}

/**
 * One text for all spellings of a value: keys sorted, null members removed, and a number equal to
 * its plain text (`70`, `70.0`, `"70"`, `"70.00"`). For hashing only; the result is not always JSON
 * of the same value. The depth of `value` must be limited.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    return canonicalObject(Object.entries(value));
  }
  if (typeof value === 'number') {
    return String(value);
  }
  return typeof value === 'string' ? (canonicalDecimal(value) ?? JSON.stringify(value)) : String(value);
}

/**
 * All samples share one constant eventId (docs/platforms/capillary.md#sample-events), so their
 * content is used instead.
 */
function keyOf(event: IdentityFields): string {
  return event.eventId === undefined || event.isSample ? `sha256:${contentHash(event)}` : event.eventId;
}

/**
 * A field that the event lacks is not part of the text, so a field that is added here changes the
 * identity of events that have it, and of no other.
 */
function contentHash(event: IdentityFields): string {
  const { orgId, eventName, refId = null, apiRequestId = null, createdAt = null, data } = event;
  const { loyaltyEventId = null } = event;
  return sha256(canonicalJson({ orgId, eventName, refId, apiRequestId, loyaltyEventId, createdAt, data }));
}

function sha256(text: string): string {
  return hash('sha256', text);
}

/**
 * Removes only the differences in spelling that do not depend on the country: the lane must not
 * depend on the configuration.
 */
function normalizeIdentifier(kind: IdentifierKind, value: string): string {
  if (kind === 'phone') {
    return value.replaceAll(/\D/g, '') || value;
  }
  return kind === 'email' ? value.toLowerCase() : value;
}

function canonicalObject(entries: readonly [string, JsonValue][]): string {
  const members = entries
    .filter(([, value]) => value !== null)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${canonicalJson(value)}`);
  return `{${members.join(',')}}`;
}

/**
 * Undefined if the text is not a plain number. Integers beyond 2^53 keep all digits; fractions are
 * parsed and printed as numbers.
 */
function canonicalDecimal(text: string): string | undefined {
  if (!DECIMAL.test(text)) {
    const isPrinted = /\d$/.test(text) && String(Number(text)) === text;
    return isPrinted ? text : undefined;
  }
  const integer = text.replace(/\.0+$/, '');
  if (integer === '-0') {
    return '0';
  }
  return integer.includes('.') ? String(Number(integer)) : integer;
}
