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
 * Spans through OpenTelemetry's API. The SDK is the operator's (docs/operations.md, Tracing); without one every call here does nothing and
 * no context is valid, so nothing is stored either. Attributes hold configured names, fixed codes, counts and receipts: no payload, no words.
 */

const tracer = trace.getTracer('capillary-aep-relay');

/** What traces while nobody has loaded an SDK: nothing. */
const NOBODY = new ProxyTracerProvider().getDelegate();
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Whether spans go anywhere. An SDK may come at any time. */
export function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NOBODY;
}

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The span's context as W3C traceparent text; undefined without an SDK. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!isSpanContextValid(span.spanContext())) return undefined;
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}

/** By which a log line is found from a trace; undefined without an SDK. */
export function traceIdOf(span: Span): string | undefined {
  return isSpanContextValid(span.spanContext()) ? span.spanContext().traceId : undefined;
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = (traceparent && FORM.exec(traceparent)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
}

/** The context in which an event was journaled; the root for one without. */
export function contextOf(traceparent: string | undefined): Context {
  const found = spanContextOf(traceparent);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found);
}

/**
 * Where a span over several events belongs: in their trace when they are all of one, else in a trace of its own. Linked to each of them
 * either way.
 */
export function originOf(traceparents: readonly (string | undefined)[]): {
  readonly parent: Context;
  readonly links: Link[];
} {
  const contexts = [...new Set(traceparents)].flatMap((text) => spanContextOf(text) ?? []);
  const [first] = contexts;
  const isOne =
    traceparents.every((text) => text !== undefined) &&
    contexts.every(({ traceId }) => traceId === first?.traceId);
  return {
    parent: first !== undefined && isOne ? trace.setSpanContext(ROOT_CONTEXT, first) : ROOT_CONTEXT,
    links: contexts.map((one) => ({ context: one })),
  };
}

/** The context that a request came with, unless an instrumentation of the process has begun a span for it already. */
export function incomingContext(headers: object): Context {
  const active = context.active();
  return trace.getSpan(active) === undefined ? propagation.extract(active, headers) : active;
}

/** Begins a span that whoever calls this ends. */
export function beginSpan(name: string, options: SpanOptions, parent: Context): Span {
  return tracer.startSpan(name, options, parent);
}

/** Runs the work as what happens within the span. */
export function within<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** Marks the span as failed. @param type a code, never a sentence */
export function markFailed(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type);
}

/** Runs the work within a span of its own, below the given context or else below the span that is under way. */
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
  const span = beginSpan(name, options, parent);
  try {
    return await within(span, () => work(span));
  } catch (error) {
    // The name only: messages can quote what was read.
    markFailed(span, error instanceof Error ? error.name : 'unknown');
    throw error;
  } finally {
    span.end();
  }
}

/** Has the SDK, if there is one, send off the spans it holds; gives up after so many ms. Never throws. */
export async function flushSpans(ms: number): Promise<void> {
  const proxy = trace.getTracerProvider() as { getDelegate?: () => { forceFlush?: () => Promise<void> } };
  const flushed = Promise.resolve(proxy.getDelegate?.().forceFlush?.()).catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([flushed, late]);
  clearTimeout(timer);
}
