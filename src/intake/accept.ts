import { type Span, SpanKind } from '@opentelemetry/api';
import type { CapillaryEvent } from '../capillary/event.ts';
import { parseEvent } from '../capillary/event-parser.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { Appended, Journal, NewEvent } from '../journal/journal.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import { inSpan, isTraced, traceparentOf } from '../telemetry/tracing.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';
import { differsFromFirst, type DuplicateJournal } from './duplicates.ts';

/** The outcome of a verified request. */
export type Acceptance =
  | { readonly status: 'accepted'; readonly receipt: string; readonly event: CapillaryEvent }
  | {
      readonly status: 'duplicate';
      /** The receipt of the first. */
      readonly receipt: string;
      readonly event: CapillaryEvent;
      /** Whether its data differs from that of the first; undefined if that is gone. */
      readonly differs: boolean | undefined;
    }
  | {
      readonly status: 'malformed';
      readonly receipt: string;
      readonly code: 'not-json' | 'not-an-event' | 'wrong-org';
      readonly detail: string;
    };

/** The record of an event that is written to the journal. */
export function toNewEvent(
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

/** Runs for every event, and most processes are not traced: span options are created lazily. */
function append(journal: Pick<Journal, 'append'>, event: NewEvent): Promise<Appended> {
  return isTraced()
    ? inSpan('journal.append', spanOptions(event), (span) => journal.append(withTrace(event, span)))
    : journal.append(event);
}

/**
 * Journals a verified request as an event, or as a malformed body for inspection. Resolves once it
 * is durable.
 * @throws StoreError if the journal could not store it
 */
export async function accept(
  journal: Pick<Journal, 'append' | 'appendMalformed'> & DuplicateJournal,
  source: SourceConfig,
  request: VerifiedRequest,
): Promise<Acceptance> {
  const parsed = parseEvent(request.body, { orgIds: source.orgIds, timezone: source.timezone });
  if (parsed.ok) {
    const event = toNewEvent(parsed.event, source, request);
    const appended = await append(journal, event);
    const { receipt } = appended;
    hitFailpoint('intake-appended');
    if (!appended.duplicate) return { status: 'accepted', receipt, event: parsed.event };
    const differs = await differsFromFirst(journal, appended, event);
    return { status: 'duplicate', receipt, event: parsed.event, differs };
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
