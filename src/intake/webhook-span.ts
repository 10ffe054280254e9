import { type Span, SpanKind } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { beginSpan, incomingContext, isTraced, markFailed, traceIdOf, within } from '../telemetry/tracing.ts';
import { loggable } from '../telemetry/loggable.ts';
import type { WebhookReport } from './observer.ts';

/** One span for each webhook, from its headers to its answer. It continues the trace that the request names. */
export interface WebhookSpans {
  begin(request: FastifyRequest): void;
  /** Runs the work as a part of the request's span. */
  within<T>(request: FastifyRequest, work: () => T): T;
  /** @returns the report with the trace that it is in, if it is in one */
  end(request: FastifyRequest, report: WebhookReport): WebhookReport;
}

export function createWebhookSpans(): WebhookSpans {
  const spans = new WeakMap<FastifyRequest, Span>();
  return {
    begin(request) {
      if (!isTraced()) return;
      const attributes = { 'http.request.method': request.method, 'http.route': '/webhooks/:source' };
      const options = { kind: SpanKind.SERVER, attributes };
      spans.set(request, beginSpan('webhook', options, incomingContext(request.headers)));
    },
    within(request, work) {
      const span = spans.get(request);
      return span === undefined ? work() : within(span, work);
    },
    end(request, report) {
      const { source, outcome, status, receipt, eventName, bytes } = report;
      const span = spans.get(request);
      if (span === undefined) return report;
      spans.delete(request);
      span.setAttributes({
        'http.response.status_code': status,
        'http.request.body.size': bytes,
        'relay.source': source,
        'relay.outcome': outcome,
        'relay.event_name': loggable(eventName),
        'messaging.message.id': receipt,
      });
      if (status >= 500) markFailed(span, outcome);
      span.end();
      const traceId = traceIdOf(span);
      return traceId === undefined ? report : { ...report, traceId };
    },
  };
}
