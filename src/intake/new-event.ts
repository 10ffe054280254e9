import { type Span, SpanKind } from '@opentelemetry/api';
import type { CapillaryEvent } from '../capillary/event.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { Appended, Journal, NewEvent, Release } from '../journal/journal.ts';
import { inSpan, isTraced, traceparentOf } from '../telemetry/tracing.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';

/** What is recorded of the request that an event or a malformed body came with. */
export type Origin = Pick<VerifiedRequest, 'receivedAt' | 'verifiedBy'> & {
  /** Of a request that was in the quarantine. */
  readonly released?: Release | undefined;
};

/** The record of an event that is written to the journal. */
export function toNewEvent(
  event: CapillaryEvent,
  source: Pick<SourceConfig, 'name' | 'destination'>,
  { receivedAt, verifiedBy, body, released }: Origin & { readonly body: Uint8Array },
): NewEvent {
  return {
    source: source.name,
    destination: source.destination,
    identity: event.identity,
    orgId: event.orgId,
    eventName: event.eventName,
    receivedAt,
    verifiedBy,
    body,
    lane: event.lane,
    customerId: event.customerId,
    eventId: event.eventId,
    createdAt: event.createdAt,
    released,
  };
}

function spanOptions({ source, destination, body }: NewEvent) {
  return {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.operation.name': 'append',
      'messaging.operation.type': 'send',
      'messaging.destination.name': destination,
      'messaging.message.body.size': body.byteLength,
      'relay.source': source,
    },
  };
}

/** Adds the span's context, so that the trace continues at delivery, even in another process. */
function withTrace(event: NewEvent, span: Span): NewEvent {
  const traceparent = traceparentOf(span);
  return traceparent === undefined ? event : { ...event, traceparent };
}

/**
 * Appends an event, in a span if the process is traced. Runs for every event, and most processes
 * are not traced: span options are created lazily.
 */
export function appendEvent(journal: Pick<Journal, 'append'>, event: NewEvent): Promise<Appended> {
  return isTraced()
    ? inSpan('journal.append', spanOptions(event), (span) => appendOne(journal, withTrace(event, span)))
    : appendOne(journal, event);
}

async function appendOne(journal: Pick<Journal, 'append'>, event: NewEvent): Promise<Appended> {
  const [appended] = await journal.append([event]);
  if (appended === undefined) throw new Error('the journal has not answered for an event');
  return appended;
}

/** Stores a body that is not an event. `detail` has no content of the body. */
export async function storeMalformed(
  journal: Pick<Journal, 'appendMalformed'>,
  source: Pick<SourceConfig, 'name' | 'destination'>,
  { receivedAt, verifiedBy, released }: Origin,
  { body, detail }: { readonly body: Uint8Array; readonly detail: string },
): Promise<string> {
  const { name, destination } = source;
  const malformed = { source: name, destination, receivedAt, verifiedBy, detail, body, released };
  return (await journal.appendMalformed(malformed)).receipt;
}
