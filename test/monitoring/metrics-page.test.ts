import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { placeOf } from '../docs/generated.ts';
import { metricsPage } from '../docs/metrics-page.ts';

it('docs/metrics.md matches the registry (npm run docs updates it)', async () => {
  expect(readFileSync(placeOf('docs/metrics.md'), 'utf8')).toBe(await metricsPage());
});

it('every metric has a help text, and every label a bounded set of values', async () => {
  const { registry, labels } = createMetrics();
  const metrics = await registry.getMetricsAsJSON();
  for (const { help } of metrics) expect(help).not.toBe('');
  const own = metrics.filter(({ name }) => name.startsWith('relay_'));
  expect(own.map(({ name }) => name)).toEqual([...labels.keys()]);
  for (const of of labels.values()) {
    for (const values of Object.values(of)) {
      expect(values.length).toBeGreaterThan(0);
      expect(new Set(values).size).toBe(values.length);
    }
  }
});
