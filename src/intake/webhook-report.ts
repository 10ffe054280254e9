import type { DuplicateCounts } from './duplicates.ts';
import { type Span, SpanKind } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { loggable } from '../telemetry/redaction.ts';
import {
  incomingContext,
  isTraced,
  markFailed,
  startSpan,
  traceIdOf,
  withActiveSpan,
} from '../telemetry/tracing.ts';

/**
 * One answered webhook: the source of its wide log line and metrics. Holds no content and no
 * secret.
 */
export interface WebhookReport {
  /** Configured source name, or `unknown`. */
  readonly source: string;
  /**
   * `accepted`, `duplicate`, `partly-malformed` for an array with other elements than events,
   * `oversized` for a body over the limit that is stored, at least in part, or the problem code of
   * the response.
   */
  readonly outcome: string;
  readonly status: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly receipt?: string;
  /** Of an array: how many of its elements are new events, known events and no events. */
  readonly array?: { readonly events: number; readonly duplicates: number; readonly malformed: number };
  /** Of an array: the number of new events by name. */
  readonly acceptedNames?: ReadonlyMap<string, number>;
  /** Of an array. */
  readonly duplicates?: DuplicateCounts;
  readonly eventName?: string;
  /** Capillary's id of the event. */
  readonly eventId?: string;
  readonly verifiedBy?: string;
  /**
   * Of a duplicate: whether its data differs from that of the first event with this id; absent if
   * that is gone.
   */
  readonly differs?: boolean;
  /** Codes of the verifiers that refused. */
  readonly reasons?: readonly string[];
  /** Number of older unverified requests that were dropped to store this one. */
  readonly evicted?: number;
  /** Trace of the request, if the process is traced. */
  readonly traceId?: string;
}

/** Declared here, implemented by monitoring/. */
export interface IntakeObserver {
  webhookAnswered(report: WebhookReport): void;
  errorCaught(message: string, error: unknown): void;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The part of this webhook's report that is known so far. */
    reportFields: Partial<WebhookReport> | undefined;
    /** True for a probe of the port, which is no webhook and is not reported. */
    isProbe: boolean;
  }
}

/** Adds fields to the report of a request. */
export function addToReport(request: FastifyRequest, more: Partial<WebhookReport>): void {
  const { reportFields } = request;
  request.reportFields = reportFields === undefined ? more : { ...reportFields, ...more };
}

/** The report of an answered webhook. The log line has the fields in this order. */
export function buildReport(request: FastifyRequest, reply: FastifyReply, source: string): WebhookReport {
  const { reportFields } = request;
  return {
    outcome: reportFields?.outcome ?? 'not-found',
    bytes: Number(request.headers['content-length'] ?? 0),
    receipt: reportFields?.receipt,
    verifiedBy: reportFields?.verifiedBy,
    reasons: reportFields?.reasons,
    evicted: reportFields?.evicted,
    array: reportFields?.array,
    acceptedNames: reportFields?.acceptedNames,
    duplicates: reportFields?.duplicates,
    eventName: reportFields?.eventName,
    eventId: reportFields?.eventId,
    differs: reportFields?.differs,
    source,
    status: reply.statusCode,
    durationMs: reply.elapsedTime,
  };
}

/**
 * One span per webhook, from its headers to its response. It continues the trace of the request,
 * if it has one.
 */
export interface WebhookSpans {
  start(request: FastifyRequest): void;
  /** Runs the work with the request's span as the active one. */
  run<T>(request: FastifyRequest, work: () => T): T;
  /** @returns the report with its trace id, if the request is traced */
  end(request: FastifyRequest, report: WebhookReport): WebhookReport;
}

export function createWebhookSpans(): WebhookSpans {
  const spans = new WeakMap<FastifyRequest, Span>();
  return {
    start(request) {
      if (!isTraced()) return;
      const attributes = { 'http.request.method': request.method, 'http.route': '/webhooks/:source' };
      const options = { kind: SpanKind.SERVER, attributes };
      spans.set(request, startSpan('webhook', options, incomingContext(request.headers)));
    },
    run(request, work) {
      const span = spans.get(request);
      return span === undefined ? work() : withActiveSpan(span, work);
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
