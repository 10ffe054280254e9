import { ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SamplingDecision,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  startSpan,
  contextOf,
  flushSpans,
  inSpan,
  originOf,
  traceparentOf,
} from '../../src/telemetry/tracing.ts';

const A = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
const A2 = `00-${'a'.repeat(32)}-${'2'.repeat(16)}-01`;
const B = `00-${'b'.repeat(32)}-${'3'.repeat(16)}-01`;

function parentOf(traceparents: readonly (string | undefined)[]) {
  return trace.getSpanContext(originOf(traceparents).parent)?.spanId;
}

describe('the context of an event', () => {
  it.each([
    undefined,
    '',
    'nonsense',
    A.toUpperCase(),
    `${A}-more`,
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('is the root for %o', (text) => expect(contextOf(text)).toBe(ROOT_CONTEXT));

  it('is the stored one', () => {
    expect(trace.getSpanContext(contextOf(A))).toEqual({
      traceId: 'a'.repeat(32),
      spanId: '1'.repeat(16),
      traceFlags: 1,
      isRemote: true,
    });
  });
});

describe('the origin of a request', () => {
  const linked = (traceparents: readonly (string | undefined)[]) =>
    originOf(traceparents).links.map(({ context }) => context.spanId[0]);

  it('is the trace of its events if they share one', () => {
    expect(parentOf([A])).toBe('1'.repeat(16));
    expect(parentOf([A, A2])).toBe('1'.repeat(16));
    expect(linked([A, A2, A])).toEqual(['1', '2']);
  });

  it('is a new trace if its events have several traces, or one has none', () => {
    expect(parentOf([A, B])).toBeUndefined();
    expect(linked([A, B])).toEqual(['1', '3']);
    expect(parentOf([A, undefined])).toBeUndefined();
    expect(linked([A, undefined])).toEqual(['1']);
    expect(parentOf([])).toBeUndefined();
  });
});

/** Must run first: both blocks share a process, and an SDK cannot be unregistered. */
describe('without an SDK', () => {
  it('a span has no context to store, even with a parent', async () => {
    expect(traceparentOf(startSpan('one', {}, ROOT_CONTEXT))).toBeUndefined();
    expect(await inSpan('one', {}, async (span) => traceparentOf(span))).toBeUndefined();
    await flushSpans(1_000);
  });
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();
  let decision = SamplingDecision.RECORD_AND_SAMPLED;
  beforeAll(() => {
    new NodeTracerProvider({
      sampler: { shouldSample: () => ({ decision }) },
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    }).register();
  });
  beforeEach(() => {
    exporter.reset();
    decision = SamplingDecision.RECORD_AND_SAMPLED;
  });

  it('work runs in its span, a child of the enclosing one', async () => {
    let inner: Span | undefined;
    const outer = await inSpan('outer', {}, async (span) => {
      await inSpan('inner', {}, async (one) => void (inner = one));
      return span;
    });
    const [first, second] = exporter.getFinishedSpans();
    expect([first?.name, second?.name]).toEqual(['inner', 'outer']);
    expect(first?.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
    expect(traceparentOf(inner!)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('a failure marks the span with the name of the error, not its message', async () => {
    const failing = inSpan('one', {}, () => Promise.reject(new TypeError('ann@example.com')));
    await expect(failing).rejects.toThrow('ann@example.com');
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'TypeError' },
      events: [],
    });
    expect(JSON.stringify([span?.attributes, span?.status])).not.toContain('example');
  });

  it('the decision not to sample is propagated', async () => {
    decision = SamplingDecision.NOT_RECORD;
    expect(await inSpan('one', {}, async (span) => traceparentOf(span))).toMatch(/-00$/);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('flushing waits for the exporter for a limited time', async () => {
    const provider = trace.getTracerProvider() as unknown as {
      getDelegate(): { forceFlush(): Promise<void> };
    };
    provider.getDelegate().forceFlush = () => new Promise(() => undefined);
    await flushSpans(10);
    let flushed = false;
    provider.getDelegate().forceFlush = async () => void (flushed = true);
    await flushSpans(10_000);
    expect(flushed).toBe(true);
  });
});
