import { describe, expect, test } from 'vitest';
import { anEvent, startEnricher } from './enrich-rig.ts';

const MINUTE_MS = 60_000;

function pointsOf(customerId: number | string) {
  return anEvent('pointsIssued', {}, String(customerId));
}

/** The largest number of calls in any minute. */
function busiestMinute(calls: readonly { readonly at: number }[]): number {
  const counts = calls.map(
    ({ at }) => calls.filter((call) => call.at >= at && call.at < at + MINUTE_MS).length,
  );
  return Math.max(...counts);
}

describe('the budget', () => {
  test('is never exceeded, and nearly used up under load', async () => {
    const { watch, clock, calls } = startEnricher({ callsPerMinute: 80 });
    for (let id = 0; id < 2_400; id += 1) {
      watch(pointsOf(id));
      await clock.advance(100);
    }
    expect(busiestMinute(calls)).toBeLessThanOrEqual(80);
    expect(calls.length).toBeGreaterThan(4 * 65);
  });

  test('is divided by the replicas, and follows their number', async () => {
    let replicas = 4;
    const { watch, clock, calls, enricher } = startEnricher({ callsPerMinute: 80, share: () => replicas });
    const load = async (seconds: number) => {
      const before = calls.length;
      for (let second = 0; second < seconds; second += 1) {
        watch(pointsOf(`${clock.monotonic()}`));
        watch(pointsOf(`${clock.monotonic()}1`));
        await clock.advance(1_000);
      }
      return calls.length - before;
    };
    expect(await load(120)).toBeLessThanOrEqual(2 * 20);
    expect(enricher.status().budget.callsPerMinute).toBe(20);
    replicas = 1;
    expect(await load(120)).toBeGreaterThan(100);
    expect(busiestMinute(calls)).toBeLessThanOrEqual(80);
  });

  test('shows how many calls may start at once', async () => {
    const { watch, clock, enricher } = startEnricher({ callsPerMinute: 80 });
    const { left } = enricher.status().budget;
    expect(enricher.status().budget).toEqual({ callsPerMinute: 80, left, running: 0, pausedFor: 0 });
    watch(pointsOf(7));
    await clock.advance(3_150);
    expect(enricher.status().budget).toMatchObject({ left: left - 2, running: 1 });
    for (let id = 10; id < 50; id += 1) watch(pointsOf(id));
    await clock.advance(10_000);
    expect(enricher.status().budget.left).toBe(0);
    await clock.advance(62_000);
    expect(enricher.status().budget.left).toBe(left);
  });

  test('sends an event on at once if its call could not start in time', async () => {
    const { watch, clock, enricher } = startEnricher({ callsPerMinute: 60, enrich: { maxDelay: 60_000 } });
    const events = Array.from({ length: 60 }, (_, id) => watch(pointsOf(id)));
    await clock.advance(0);
    const atOnce = events.filter(({ endedAt }) => endedAt === 0);
    expect(atOnce.length).toBeGreaterThan(25);
    for (const { result } of atOnce) expect(result?.missing).toMatchObject({ customer: 'budget' });
    expect(enricher.hasCallsToSpare).toBe(false);
    // A quarter of the longest wait, after those of the purchase were gathered.
    await clock.advance(22_000);
    const rest = events.filter(({ endedAt }) => endedAt !== 0);
    expect(rest.filter(({ result }) => result?.missing === undefined).length).toBeGreaterThan(15);
    expect(events.every(({ endedAt }) => (endedAt ?? Infinity) <= 22_000)).toBe(true);
    expect(enricher.status().lastHour['budget']).toBeGreaterThan(25);
  });

  test('lets what is asked for later wait longer', async () => {
    const { watch, clock } = startEnricher({ callsPerMinute: 60, enrich: { maxDelay: 60_000 } });
    for (let id = 0; id < 60; id += 1) watch(pointsOf(id));
    const replayed = watch(pointsOf(100), { purpose: 'replay' });
    await clock.advance(30_000);
    expect(replayed.result).toMatchObject({ entities: { customer: { kind: 'found' } } });
    expect(replayed.result?.missing).toBeUndefined();
  });

  test('lets at most 500 events wait', async () => {
    const { watch, clock, enricher } = startEnricher({ callsPerMinute: 100_000 });
    const events = Array.from({ length: 600 }, (_, id) => watch(pointsOf(id)));
    await clock.advance(0);
    expect(enricher.status().waiting).toBe(500);
    expect(events.filter(({ result }) => result?.missing?.customer === 'budget')).toHaveLength(100);
  });

  test('runs no more calls at once than configured', async () => {
    const { watch, clock, api, enricher } = startEnricher({ callsPerMinute: 6_000, concurrency: 3 });
    api.latency = 2_000;
    for (let id = 0; id < 10; id += 1) watch(pointsOf(id));
    await clock.advance(6_000);
    expect(enricher.status().budget.running).toBe(3);
  });
});

describe('the next call is for', () => {
  test('live events, then floods, then replays, then refreshes', async () => {
    const { watch, clock, asked } = startEnricher({ callsPerMinute: 60, concurrency: 1 });
    const receivedAt = clock.now() - 10_000;
    watch(pointsOf('warm-up'), { receivedAt });
    await clock.advance(10_000);
    const parts = { customer: true, bill: false };
    for (let index = 0; index < 4; index += 1) {
      watch(pointsOf(`refresh${index}`), { receivedAt, purpose: 'refresh', parts });
      watch(pointsOf(`replay${index}`), { receivedAt, purpose: 'replay' });
      watch(anEvent('tierRenewed', {}, `flood${index}`), { receivedAt });
      watch(pointsOf(`live${index}`), { receivedAt });
    }
    await clock.advance(30_000);
    const order = asked()
      .slice(2)
      .map((call) => call.replace(/customer |\d/g, ''));
    expect(order).toEqual(order.toSorted((a, b) => rank(a) - rank(b)));
    expect(new Set(order)).toEqual(new Set(['live', 'flood', 'replay', 'refresh']));
  });

  test('a refresh as soon as a live event wants the same customer', async () => {
    const { watch, clock, asked } = startEnricher({ callsPerMinute: 60, concurrency: 1 });
    const receivedAt = clock.now() - 10_000;
    const parts = { customer: true, bill: false };
    for (let id = 1; id <= 20; id += 1) watch(pointsOf(id), { receivedAt, purpose: 'refresh', parts });
    watch(pointsOf(20), { receivedAt });
    await clock.advance(30_000);
    expect(asked().indexOf('customer 20')).toBeLessThan(4);
  });
});

function rank(kind: string): number {
  return ['live', 'flood', 'replay', 'refresh'].indexOf(kind);
}

describe('a flood', () => {
  test('gets a quarter of the calls, and what is above goes on at once', async () => {
    const { watch, clock, calls, enricher } = startEnricher({ callsPerMinute: 80 });
    let atOnce = 0;
    for (let id = 0; id < 3_000; id += 1) {
      const event = watch(anEvent('pointsExpired', {}, String(id)));
      await clock.advance(100);
      if (event.result?.missing?.customer === 'budget') atOnce += 1;
    }
    const minutes = (3_000 * 100) / MINUTE_MS;
    expect(calls.length).toBeLessThanOrEqual((minutes + 1) * 20 + 1);
    expect(calls.length).toBeGreaterThan(minutes * 15);
    expect(atOnce).toBeGreaterThan(2_850);
    expect(enricher.hasCallsToSpare).toBe(true);
  });

  test('takes nothing from purchases meanwhile', async () => {
    const { watch, clock } = startEnricher({ callsPerMinute: 80 });
    const purchases: ReturnType<typeof watch>[] = [];
    for (let second = 0; second < 300; second += 1) {
      for (let index = 0; index < 20; index += 1) watch(anEvent('tierDowngraded', {}, `${second}0${index}`));
      if (second % 2 === 0) purchases.push(watch(pointsOf(`9${second}`)));
      await clock.advance(1_000);
    }
    await clock.advance(10_000);
    expect(purchases.filter(({ result }) => result?.missing !== undefined)).toEqual([]);
  });

  test('shares a call that is made for somebody else anyway', async () => {
    const { watch, clock } = startEnricher({ callsPerMinute: 8 });
    const receivedAt = clock.now();
    watch(pointsOf(7));
    for (let id = 100; id < 110; id += 1) watch(anEvent('pointsExpired', {}, String(id)));
    const flood = watch(anEvent('pointsExpired', {}, '7'), { receivedAt });
    await clock.advance(30_000);
    expect(flood.result?.missing).toBeUndefined();
  });
});

test('nothing waits after the end, and no call starts', async () => {
  const { watch, request, clock, calls, enricher } = startEnricher();
  const event = watch(pointsOf(7));
  const running = watch(pointsOf(8), { receivedAt: 0 });
  await clock.advance(150);
  enricher.close();
  enricher.close();
  await clock.advance(0);
  expect([event.result?.missing, running.result?.missing]).toMatchObject([
    { customer: 'unavailable' },
    { customer: 'unavailable' },
  ]);
  const before = calls.length;
  expect(request(pointsOf(9))).toMatchObject({ missing: { customer: 'unavailable' } });
  await clock.advance(60_000);
  expect(calls).toHaveLength(before);
  expect(enricher.hasCallsToSpare).toBe(false);
});
