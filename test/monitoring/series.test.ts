import { Counter, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { CounterSeries, HistogramSeries } from '../../src/monitoring/series.ts';

const TEXT = {
  name: 'relay_things',
  help: 'Things, by "kind"\nand place',
  labelNames: ['kind', 'place'] as const,
};
const PLACES = [
  { kind: 'a', place: 'here' },
  { kind: 'a', place: 'there' },
  { kind: 'b', place: 'a "quoted" name\\' },
];

it('a counter is printed as prom-client prints its own', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const counter = new CounterSeries(TEXT, ours);
  const expected = new Counter({ ...TEXT, registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  for (const [at, labels] of [...PLACES, ...PLACES].entries()) {
    counter.inc(labels);
    expected.inc(labels);
    counter.inc(labels, at);
    expected.inc(labels, at);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.getMetricsAsJSON()).toEqual(await theirs.getMetricsAsJSON());
});

it('a counter without labels begins at 0', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const text = { name: 'relay_removed_total', help: 'Removed', labelNames: [] };
  const counter = new CounterSeries(text, ours);
  const expected = new Counter({ ...text, registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  counter.inc({}, 3);
  expected.inc(3);
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

it('a histogram is printed as prom-client prints its own', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const buckets = [0.5, 1, 10];
  const histogram = new HistogramSeries(TEXT, buckets, ours);
  const expected = new Histogram({ ...TEXT, buckets, registers: [theirs] });
  for (const labels of PLACES) {
    for (const value of [0, 0.25, 0.5, 0.75, 1, 1.5, 10, 10.5, 1_000]) {
      histogram.observe(labels, value);
      expected.observe(labels, value);
    }
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

it('labels that a caller changes later do not change the series', async () => {
  const registry = new Registry();
  const counter = new CounterSeries(TEXT, registry);
  const labels = { kind: 'a', place: 'here' };
  counter.inc(labels);
  labels.kind = 'b';
  expect(await registry.metrics()).toContain('relay_things{kind="a",place="here"} 1');
});

it('a name is registered once', () => {
  const registry = new Registry();
  expect(new CounterSeries(TEXT, registry)).toBeDefined();
  expect(() => new CounterSeries(TEXT, registry)).toThrow('already been registered');
});
