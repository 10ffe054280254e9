import { type Span, SpanKind } from '@opentelemetry/api';
import type { ClaimedEvent, Settlement } from '../journal/journal.ts';
import { contextOf, inSpan, isTraced, markFailed, originOf, traceIdOf } from '../telemetry/tracing.ts';
import type { OutMessage } from './message.ts';
import type { RequestReport } from './observer.ts';
import type { Prepared } from './prepare.ts';

/*
 * Where nobody traces, the work alone is done: what a span would be told of it costs more than to ask.
 */

function ofEvent({ receipt, source, destination, replays }: ClaimedEvent, operation: string) {
  return {
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'settle' ? 'settle' : 'process',
    'messaging.destination.name': destination,
    'messaging.message.id': receipt,
    'relay.source': source,
    'relay.replays': replays,
  };
}

/** The mapping of an event, in the trace in which it was accepted. */
export function mapSpan(event: ClaimedEvent, work: () => Promise<Prepared>): Promise<Prepared> {
  return isTraced() ? tracedMapping(event, work) : work();
}

const tracedMapping: typeof mapSpan = (event, work) =>
  inSpan(
    'map',
    { kind: SpanKind.CONSUMER, attributes: ofEvent(event, 'map') },
    async (span) => {
      const prepared = await work();
      span.setAttributes({
        'relay.outcome': prepared.kind,
        ...(prepared.kind === 'messages'
          ? { 'messaging.batch.message_count': prepared.messages.length }
          : { 'relay.reason': prepared.reason }),
      });
      return prepared;
    },
    contextOf(event.traceparent),
  );

/** The recording of an outcome, likewise. */
export function settleSpan(
  event: ClaimedEvent,
  settlement: Settlement,
  work: () => Promise<void>,
): Promise<void> {
  return isTraced() ? tracedSettling(event, settlement, work) : work();
}

const tracedSettling: typeof settleSpan = (event, settlement, work) => {
  const outcome = {
    'relay.outcome': settlement.state,
    ...('reason' in settlement ? { 'relay.reason': settlement.reason } : {}),
  };
  const attributes = { ...ofEvent(event, 'settle'), ...outcome };
  return inSpan('settle', { attributes }, work, contextOf(event.traceparent));
};

/** What a request is about, before it is answered. */
type Sent = Pick<RequestReport, 'destination' | 'kind' | 'endpoint'> & {
  readonly batch: readonly OutMessage[];
};

/** One request to the inlet: linked to the traces of its events, and in their trace when it is one. */
export function deliverSpan<T>(
  sent: Sent,
  work: (tell: (report: RequestReport) => RequestReport) => Promise<T>,
): Promise<T> {
  return isTraced() ? tracedDelivery(sent, work) : work((report) => report);
}

const tracedDelivery: typeof deliverSpan = ({ destination, kind, endpoint, batch }, work) => {
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
    (span) => work((report) => describe(span, report)),
    parent,
  );
};

/** @returns the report with the trace that it is in, if it is in one */
function describe(span: Span, report: RequestReport): RequestReport {
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
