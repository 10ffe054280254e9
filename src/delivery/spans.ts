import { type Span, SpanKind } from '@opentelemetry/api';
import type { ClaimedEvent, Settlement } from '../journal/journal.ts';
import {
  contextOf,
  inSpan,
  isTraced,
  markFailed,
  originOf,
  startSpan,
  traceIdOf,
} from '../telemetry/tracing.ts';
import type { Enriched } from './enriched-event.ts';
import type { OutgoingMessage } from './outcome.ts';
import type { RequestReport } from './delivery-observer.ts';
import type { Prepared } from './prepare.ts';

/* Attributes are collected only if the process is traced, because that is costly. */

function eventAttributes({ receipt, source, destination, replays }: ClaimedEvent, operation: string) {
  return {
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'settle' ? 'settle' : 'process',
    'messaging.destination.name': destination,
    'messaging.message.id': receipt,
    'relay.source': source,
    'relay.replays': replays,
  };
}

/**
 * Starts the span of the mapping of an event, in the trace in which the event was accepted;
 * undefined if the process is not traced.
 */
export function startMapping(event: ClaimedEvent): Span | undefined {
  if (!isTraced()) return undefined;
  const options = { kind: SpanKind.CONSUMER, attributes: eventAttributes(event, 'map') };
  return startSpan('map', options, contextOf(event.traceparent));
}

/** Ends it with what came of it. */
export function endMapping(span: Span, prepared: Prepared): void {
  span.setAttributes({
    'relay.outcome': prepared.kind,
    ...(prepared.kind === 'messages'
      ? { 'messaging.batch.message_count': prepared.messages.length }
      : { 'relay.reason': prepared.reason }),
  });
  span.end();
}

/** Notes the end of the wait for what the event lacked. */
export function markEnriched(span: Span, { missing, waitedMs }: Enriched): void {
  const reasons =
    missing && [...new Set([missing.customer, missing.bill])].filter((one) => one !== undefined);
  span.addEvent('enriched', {
    'relay.waited_ms': Math.round(waitedMs),
    'relay.enrichment': reasons === undefined ? 'complete' : 'incomplete',
    ...(reasons === undefined ? {} : { 'relay.missing': reasons }),
  });
}

/** Ends it because the event is released before it is mapped. */
export function releaseMapping(span: Span): void {
  span.setAttributes({ 'relay.outcome': 'released' });
  span.end();
}

/** Ends it after an error for which the event is released. */
export function failMapping(span: Span, error: unknown): void {
  // The name only: messages can quote payloads.
  markFailed(span, error instanceof Error ? error.name : 'unknown');
  span.end();
}

/** Starts the span of the settlement of an event in the same trace; the caller must end it. */
export function startSettlement(event: ClaimedEvent, settlement: Settlement): Span | undefined {
  if (!isTraced()) return undefined;
  const outcome = {
    'relay.outcome': settlement.state,
    ...('reason' in settlement ? { 'relay.reason': settlement.reason } : {}),
  };
  const attributes = { ...eventAttributes(event, 'settle'), ...outcome };
  return startSpan('settle', { attributes }, contextOf(event.traceparent));
}

/** A request that is about to be sent. */
type OutgoingRequest = Pick<RequestReport, 'destination' | 'kind' | 'endpoint'> & {
  readonly batch: readonly OutgoingMessage[];
};

/**
 * Runs one request to the inlet in a span that is linked to the traces of its events; the span is
 * in their trace if they share one.
 * @param work receives a function that records the report on the span and returns it with the
 *   trace id
 */
export function traceDelivery<T>(
  sent: OutgoingRequest,
  work: (addToSpan: (report: RequestReport) => RequestReport) => Promise<T>,
): Promise<T> {
  return isTraced() ? deliverInSpan(sent, work) : work((report) => report);
}

const deliverInSpan: typeof traceDelivery = ({ destination, kind, endpoint, batch }, work) => {
  const { parent, links } = originOf(batch.map(({ traceparent }) => traceparent));
  const attributes = {
    'messaging.operation.name': 'deliver',
    'messaging.operation.type': 'send',
    'messaging.destination.name': destination,
    'messaging.batch.message_count': batch.length,
    'http.request.method': 'POST',
    'relay.kind': kind,
    'relay.endpoint': endpoint,
  };
  return inSpan(
    'deliver',
    { kind: SpanKind.CLIENT, attributes, links },
    (span) => work((report) => addReport(span, report)),
    parent,
  );
};

/** @returns the report, with the trace id if there is one */
function addReport(span: Span, report: RequestReport): RequestReport {
  const { status, failure, outcome, bytes } = report;
  span.setAttributes({
    'http.response.status_code': status,
    'http.request.body.size': bytes,
    'relay.outcome': outcome,
  });
  if (outcome !== 'taken') markFailed(span, failure ?? (outcome === 'mixed' ? outcome : String(status)));
  const traceId = traceIdOf(span);
  return traceId === undefined ? report : { ...report, traceId };
}
