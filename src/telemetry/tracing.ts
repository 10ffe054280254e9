import {
  type Context,
  INVALID_SPAN_CONTEXT,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  context,
  isSpanContextValid,
  propagation,
  trace,
} from '@opentelemetry/api';

/*
 * Spans through OpenTelemetry's API. The operator provides the SDK (docs/operations.md, Tracing).
 * Without one every call here does nothing, and no context is valid, so none is stored. Attributes
 * hold configured names, fixed codes, counts and receipts: no payload and no free text.
 */

const tracer = trace.getTracer('capillary-aep-relay');

/** The provider that is in place until an SDK is loaded. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate();
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Whether an SDK receives spans. It can be loaded at any time. */
export function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NO_PROVIDER;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The span's context as W3C traceparent text; undefined without an SDK. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!isSpanContextValid(span.spanContext())) return undefined;
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}

/** Links a log line to its trace; undefined without an SDK. */
export function traceIdOf(span: Span): string | undefined {
  return isSpanContextValid(span.spanContext()) ? span.spanContext().traceId : undefined;
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = (traceparent && TRACEPARENT.exec(traceparent)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
}

/** The context in which an event was journaled; the root context if it has none. */
export function contextOf(traceparent: string | undefined): Context {
  const found = spanContextOf(traceparent);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found);
}

/**
 * Parent and links of a span that covers several events: it joins their trace if they share one,
 * else it starts a new trace. It links to each of them either way.
 */
export function originOf(traceparents: readonly (string | undefined)[]): {
  readonly parent: Context;
  readonly links: Link[];
} {
  const contexts = [...new Set(traceparents)].flatMap((text) => spanContextOf(text) ?? []);
  const [first] = contexts;
  const haveSameTrace =
    traceparents.every((text) => text !== undefined) &&
    contexts.every(({ traceId }) => traceId === first?.traceId);
  return {
    parent: first !== undefined && haveSameTrace ? trace.setSpanContext(ROOT_CONTEXT, first) : ROOT_CONTEXT,
    links: contexts.map((spanContext) => ({ context: spanContext })),
  };
}

/**
 * The context in the request's headers, unless an instrumentation has already started a span for
 * it.
 */
export function incomingContext(headers: object): Context {
  const active = context.active();
  return trace.getSpan(active) === undefined ? propagation.extract(active, headers) : active;
}

/** Starts a span; the caller must end it. */
export function startSpan(name: string, options: SpanOptions, parent: Context): Span {
  return tracer.startSpan(name, options, parent);
}

/** Runs the work with the span as the active one. */
export function withActiveSpan<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** Marks the span as failed. @param type a code, not a message */
export function markFailed(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type);
}

/** Runs the work in a new span, a child of the given context or of the active span. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  return isTraced() ? inTracedSpan(name, options, work, parent) : work(NO_SPAN);
}

async function inTracedSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
  parent: Context,
): Promise<T> {
  const span = startSpan(name, options, parent);
  try {
    return await withActiveSpan(span, () => work(span));
  } catch (error) {
    // The name only: messages can quote payloads.
    markFailed(span, error instanceof Error ? error.name : 'unknown');
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Asks the SDK, if there is one, to export its buffered spans. Gives up after `timeoutMs`. Never
 * throws.
 */
export async function flushSpans(timeoutMs: number): Promise<void> {
  const proxy = trace.getTracerProvider() as { getDelegate?: () => { forceFlush?: () => Promise<void> } };
  const flushed = Promise.resolve(proxy.getDelegate?.().forceFlush?.()).catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([flushed, timedOut]);
  clearTimeout(timer);
}
