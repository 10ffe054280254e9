import { type Span, SpanKind } from '@opentelemetry/api';
import type { CapillaryEvent } from '../capillary/event.ts';
import { parseEvent } from '../capillary/envelope.ts';
import type { SourceConfig } from '../config/schema.ts';
import type { Appended, Journal, NewEvent } from '../journal/journal.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import { inSpan, isTraced, traceparentOf } from '../telemetry/tracing.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';

export type Acceptance =
  | { readonly status: 'accepted' | 'duplicate'; readonly receipt: string; readonly event: CapillaryEvent }
  | {
      readonly status: 'malformed';
      readonly receipt: string;
      readonly code: 'not-json' | 'not-an-event' | 'wrong-org';
      readonly detail: string;
    };

/** What the journal keeps of an event. */
export function newEvent(
  event: CapillaryEvent,
  source: Pick<SourceConfig, 'name' | 'destination'>,
  request: Pick<VerifiedRequest, 'receivedAt' | 'verifiedBy' | 'body'>,
): NewEvent {
  return {
    source: source.name,
    destination: source.destination,
    identity: event.identity,
    orgId: event.orgId,
    eventName: event.eventName,
    receivedAt: request.receivedAt,
    verifiedBy: request.verifiedBy,
    body: request.body,
    lane: event.lane,
    customerId: event.customerId,
    eventId: event.eventId,
    createdAt: event.createdAt,
  };
}

function appendOptions({ source, destination, body }: NewEvent) {
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

/** With the context of this span, so that the trace goes on when the event is delivered, perhaps by another process. */
function traced(event: NewEvent, span: Span): NewEvent {
  const traceparent = traceparentOf(span);
  return traceparent === undefined ? event : { ...event, traceparent };
}

/** Most processes are not traced, and each event comes through here: so what a span would be told is made for spans only. */
function append(journal: Pick<Journal, 'append'>, event: NewEvent): Promise<Appended> {
  return isTraced()
    ? inSpan('journal.append', appendOptions(event), (span) => journal.append(traced(event, span)))
    : journal.append(event);
}

/**
 * Journals a proven request: as an event, or as a malformed body that is kept for inspection. Resolves once it is durable.
 * @throws StoreError when the journal could not take it
 */
export async function accept(
  journal: Pick<Journal, 'append' | 'appendMalformed'>,
  source: SourceConfig,
  request: VerifiedRequest,
): Promise<Acceptance> {
  const parsed = parseEvent(request.body, { orgIds: source.orgIds });
  if (parsed.ok) {
    const event = newEvent(parsed.event, source, request);
    const { receipt, duplicate } = await append(journal, event);
    hitFailpoint('intake-appended');
    return { status: duplicate ? 'duplicate' : 'accepted', receipt, event: parsed.event };
  }
  const { receipt } = await journal.appendMalformed({
    source: source.name,
    destination: source.destination,
    receivedAt: request.receivedAt,
    verifiedBy: request.verifiedBy,
    detail: `${parsed.code}: ${parsed.detail}`,
    body: request.body,
  });
  return { status: 'malformed', receipt, code: parsed.code, detail: parsed.detail };
}
