import type { AttributeValue, Span } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { markEnriched, releaseMapping } from '../../src/delivery/spans.ts';
import { foundCustomer } from './fake-enricher.ts';

function fakeSpan() {
  const calls: unknown[] = [];
  const span = {
    addEvent: (name: string, attributes: Record<string, AttributeValue>) => calls.push([name, attributes]),
    setAttributes: (attributes: Record<string, AttributeValue>) => calls.push(attributes),
    end: () => calls.push('end'),
  } as unknown as Span;
  return { span, calls };
}

it('the wait of an event and what it lacks are in its span, and nothing that was fetched', () => {
  const { span, calls } = fakeSpan();
  const entities = { customer: foundCustomer(1, { firstName: 'Ann' }) };
  markEnriched(span, { entities, stored: {}, waitedMs: 3_204.4 });
  const missing = { customer: 'budget', bill: 'budget', retryIn: 1 } as const;
  markEnriched(span, { entities: {}, stored: {}, waitedMs: 0, missing });
  expect(calls).toEqual([
    ['enriched', { 'relay.waited_ms': 3_204, 'relay.enrichment': 'complete' }],
    ['enriched', { 'relay.waited_ms': 0, 'relay.enrichment': 'incomplete', 'relay.missing': ['budget'] }],
  ]);
});

it('the span of an event that is released while it waits ends', () => {
  const { span, calls } = fakeSpan();
  releaseMapping(span);
  expect(calls).toEqual([{ 'relay.outcome': 'released' }, 'end']);
});
