import { expect, it } from 'vitest';
import { withEnrichment } from '../../src/delivery/enriched-event.ts';
import { MAX_REFRESHES, refreshDelay } from '../../src/delivery/refresh-delay.ts';

const HOUR_MS = 3_600_000;

it('waits longer after each refresh in vain, and never less than what can help', () => {
  const delays = Array.from({ length: MAX_REFRESHES }, (_, refreshes) => refreshDelay(5_000, refreshes));
  expect(delays.slice(0, 4)).toEqual([5_000, 60_000, 120_000, 240_000]);
  expect(delays.at(-1)).toBe(6 * HOUR_MS);
  expect(refreshDelay(HOUR_MS, 1)).toBe(HOUR_MS);
  const all = delays.reduce<number>((sum, delay) => sum + (delay ?? 0), 0);
  expect(all).toBeGreaterThan(20 * HOUR_MS);
  expect(all).toBeLessThan(48 * HOUR_MS);
  expect(refreshDelay(5_000, MAX_REFRESHES)).toBeUndefined();
});

it('says that an event stays incomplete after the last refresh', () => {
  const settled = (attempts: number) =>
    withEnrichment(
      { receipt: 'r', attempts: [], delivered: ['event'], state: 'delivered' },
      {
        entities: {},
        stored: {},
        waitedMs: 0,
        missing: { customer: 'forbidden', retryIn: 600_000 },
        refresh: { customer: true, bill: false, attempts },
      },
      { isReplay: true },
    ).enrichment;
  expect(settled(0)).toEqual({ missing: { customer: true, bill: false, dueIn: 600_000 } });
  expect(settled(MAX_REFRESHES - 1)).toEqual({ abandoned: { customer: true, bill: false } });
});
