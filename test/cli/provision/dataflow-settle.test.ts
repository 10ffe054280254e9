import { expect, it } from 'vitest';
import { SETTLE_MS, settledAt, waitUntil } from '../../../src/cli/provision/dataflow-settle.ts';

const NOW = Date.UTC(2026, 10, 30);

function flow(changedAt: number) {
  return { kind: 'dataflow', changedAt } as const;
}

it('counts from the youngest dataflow', () => {
  const flows = [flow(NOW - 400_000), flow(NOW - 100_000), { kind: 'dataset', changedAt: NOW } as const];
  expect(settledAt(flows, SETTLE_MS, NOW)).toBe(NOW + 200_000);
  expect(settledAt([flow(NOW - SETTLE_MS)], SETTLE_MS, NOW)).toBeUndefined();
  expect(settledAt([], SETTLE_MS, NOW)).toBeUndefined();
});

it("waits no longer than a whole time if Adobe's clock is ahead", () => {
  expect(settledAt([flow(NOW + 3_600_000)], SETTLE_MS, NOW)).toBe(NOW + SETTLE_MS);
});

it('shows every minute how long it still takes', async () => {
  let time = NOW;
  const shown: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    time += ms;
  };
  await waitUntil(NOW + 150_000, (left) => shown.push(left), { now: () => time, wait });
  expect(shown).toEqual([150_000, 90_000, 30_000]);
  expect(time).toBe(NOW + 150_000);
});
