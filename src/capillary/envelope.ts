import { dataOf, eventNameOf, orgIdOf } from './event-fields.ts';
import { identityOf, laneOf } from './event-identity.ts';
import { type CapillaryEvent, SAMPLE_EVENT_ID } from './event.ts';
import { customerIdOf, idText, laneKeyOf } from './identifiers.ts';
import { parseJsonText } from './json-text.ts';
import type { JsonObject } from './json.ts';
import { parseEpoch } from './times.ts';
import { unwrapEnvelope } from './unwrap.ts';

/** `detail` says what was wrong and where and holds nothing of the body: it goes into answers and logs. */
export type ParsedEvent =
  | { readonly ok: true; readonly event: CapillaryEvent }
  | {
      readonly ok: false;
      readonly code: 'not-json' | 'not-an-event' | 'wrong-org';
      readonly detail: string;
    };

export interface ParseOptions {
  /** Organisations the source takes events of; absent or empty: any. */
  readonly orgIds?: readonly number[];
  /** Of an event that was read before: it keeps them, however events are read by now. */
  readonly known?: Pick<CapillaryEvent, 'identity' | 'lane'>;
}

/** Takes a byte order mark off and replaces bytes that are not UTF-8: one broken name must not cost the event. */
const decoder = new TextDecoder();

/** Makes the one event of a request body, in whichever envelope it came (reference: capillary.md §2). Never throws. */
export function parseEvent(body: Uint8Array, options: ParseOptions): ParsedEvent {
  const parsed = parseJsonText(decoder.decode(body));
  if (!parsed.ok) {
    return parsed.code === 'not-json'
      ? { ok: false, code: 'not-json', detail: parsed.detail }
      : notAnEvent(parsed.detail);
  }
  const unwrapped = unwrapEnvelope(parsed.value);
  return unwrapped.ok ? normalise(unwrapped.event, options) : notAnEvent(unwrapped.detail);
}

function normalise(flat: JsonObject, { orgIds = [], known }: ParseOptions): ParsedEvent {
  const eventName = eventNameOf(flat);
  if ('problem' in eventName) {
    return notAnEvent(eventName.problem);
  }
  const orgId = orgIdOf(flat, orgIds);
  if ('problem' in orgId) {
    return notAnEvent(orgId.problem);
  }
  if (orgIds.length > 0 && !orgIds.includes(orgId.value)) {
    return { ok: false, code: 'wrong-org', detail: 'orgId is not one of those of this source' };
  }
  return { ok: true, event: eventFrom(flat, eventName.value, orgId.value, known) };
}

type Draft = { -readonly [Name in keyof CapillaryEvent]: CapillaryEvent[Name] };

function eventFrom(
  flat: JsonObject,
  eventName: string,
  orgId: number,
  known: ParseOptions['known'],
): CapillaryEvent {
  const data = dataOf(flat);
  const eventId = idText(flat['eventId']);
  const refId = idText(flat['refId']);
  const apiRequestId = idText(flat['apiRequestId']);
  const createdAt = parseEpoch(flat['createdAt']);
  const loyaltyEventId = idText(flat['loyaltyEventId']);
  const eventLogId = idText(flat['eventLogId']);
  const isSample = eventId?.toLowerCase() === SAMPLE_EVENT_ID;
  const fields = { eventName, eventId, orgId, refId, apiRequestId, createdAt, data, isSample };
  const identity = known?.identity ?? identityOf(fields);
  const customerId = customerIdOf(data);
  const lane = known === undefined ? laneIn(data, orgId, customerId) : known.lane;
  const event: Draft = { eventName, orgId, data, identity, isSample };
  // Each by its name: a loop that leaves out what is undefined costs as much as the hashes.
  if (eventId !== undefined) event.eventId = eventId;
  if (refId !== undefined) event.refId = refId;
  if (apiRequestId !== undefined) event.apiRequestId = apiRequestId;
  if (createdAt !== undefined) event.createdAt = createdAt;
  if (loyaltyEventId !== undefined) event.loyaltyEventId = loyaltyEventId;
  if (eventLogId !== undefined) event.eventLogId = eventLogId;
  if (customerId !== undefined) event.customerId = customerId;
  if (lane !== undefined) event.lane = lane;
  return event;
}

function laneIn(data: JsonObject, orgId: number, customerId: string | undefined): string | undefined {
  const laneKey = laneKeyOf(data, customerId);
  return laneKey === undefined ? undefined : laneOf(orgId, laneKey);
}

function notAnEvent(detail: string): ParsedEvent {
  return { ok: false, code: 'not-an-event', detail };
}
