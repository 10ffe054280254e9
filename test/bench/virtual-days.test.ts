import { describe, expect, test } from 'vitest';
import { runDays } from '../../bench/enrichment/virtual-days.ts';
import { createVirtualClock } from '../../bench/enrichment/virtual-clock.ts';

test('a virtual clock runs timers in their order, and what follows from each before the next', async () => {
  const clock = createVirtualClock(1_000);
  const ran: string[] = [];
  const note = (name: string): void => {
    ran.push(`${name} ${clock.monotonic()}`);
  };
  clock.after(20, () => note('late'));
  clock.after(10, () => {
    note('first');
    void Promise.resolve()
      .then(() => undefined)
      .then(() => clock.after(5, () => note('inner')));
  });
  clock.after(10, () => note('second'));
  clock.after(12, () => note('cancelled'))();
  await clock.runUntil(30);
  expect(ran).toEqual(['first 10', 'second 10', 'inner 15', 'late 20']);
  expect(clock.now()).toBe(1_030);
});

describe('a virtual day', () => {
  const day = { customers: 1_000, maxDelay: 60_000, expiries: 0, days: 1 };

  test('of few purchases is complete at once, with two calls for each', async () => {
    const result = await runDays({ ...day, purchasesPerDay: 300, callsPerMinute: 100 });
    expect(result.purchases).toBeGreaterThan(200);
    expect(result.liveProfiles).toBe(result.purchases);
    expect(result.liveBills).toBe(result.purchases);
    expect(result.calls / result.purchases).toBeLessThan(2.2);
    expect(result.left).toEqual({ customers: 0, bills: 0 });
    expect(result.emptyAfter).toBe(0);
    for (const ms of result.profileTimes) expect(ms).toBeGreaterThan(3_000);
  });

  test('of too many leaves the rest to the refresh job', async () => {
    const result = await runDays({ ...day, purchasesPerDay: 1_500, callsPerMinute: 1 });
    expect(result.liveProfiles).toBeLessThan(result.purchases);
    expect(result.left.customers + result.left.bills).toBeGreaterThan(500);
    expect(result.emptyAfter).toBeUndefined();
    expect(result.calls).toBeLessThan(1_440 + 1);
  });

  test('with a flood completes purchases nevertheless', async () => {
    const result = await runDays({ ...day, purchasesPerDay: 300, callsPerMinute: 20, expiries: 3_000 });
    expect(result.liveProfiles).toBeGreaterThan(result.purchases * 0.95);
  });
});
