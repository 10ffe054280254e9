import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createCallPace } from '../../../src/capillary/api/call-pace.ts';

const never = new AbortController().signal;

function paceAt(callsPerMinute: number, concurrency = 1_000, share = () => 1) {
  let time = 0;
  const pace = createCallPace({
    callsPerMinute,
    concurrency,
    share,
    monotonic: () => time,
    wait: async (ms) => {
      time += ms;
    },
  });
  return { pace, now: () => time };
}

describe('the rate', () => {
  test.each([1, 7, 80, 100, 1_000])('of %i calls a minute is never exceeded in any minute', async (limit) => {
    const { pace, now } = paceAt(limit);
    const starts: number[] = [];
    for (let call = 0; call < 3 * limit + 5; call += 1) {
      (await pace.enter(never))();
      starts.push(now());
    }
    const most = Math.max(
      ...starts.map((start) => starts.filter((at) => at >= start && at < start + 60_000).length),
    );
    expect(most).toBeLessThanOrEqual(limit);
    expect(most).toBeGreaterThanOrEqual(Math.floor(limit * 0.95));
  });

  test('lets a command begin at once', async () => {
    const { pace, now } = paceAt(80);
    for (let call = 0; call < 10; call += 1) (await pace.enter(never))();
    expect(now()).toBe(0);
  });
});

describe('concurrency', () => {
  test('is never exceeded, and calls begin in their order', async () => {
    const { pace } = paceAt(100_000, 2);
    const begun: number[] = [];
    const enter = async (call: number): Promise<() => void> => {
      const leave = await pace.enter(never);
      begun.push(call);
      return leave;
    };
    const [first, , third] = [enter(1), enter(2), enter(3), enter(4)];
    const leave = await first;
    await turn();
    expect(begun).toEqual([1, 2]);
    leave?.();
    leave?.();
    await third;
    await turn();
    expect(begun).toEqual([1, 2, 3]);
  });

  test('a caller that gives up takes no place', async () => {
    const { pace } = paceAt(100_000, 1);
    const leave = await pace.enter(never);
    const impatient = new AbortController();
    const given = pace.enter(impatient.signal);
    const next = pace.enter(never);
    const reason = new Error('gave up');
    impatient.abort(reason);
    await expect(given).rejects.toBe(reason);
    leave();
    expect(await next).toBeTypeOf('function');
  });
});

test('a pause holds up every call', async () => {
  const { pace, now } = paceAt(100_000);
  pace.pause(5_000);
  pace.pause(1_000);
  (await pace.enter(never))();
  expect(now()).toBe(5_000);
});

describe('the share of a process', () => {
  test('is what is left of the rate for it, also while it changes', async () => {
    let processes = 4;
    const { pace, now } = paceAt(80, 1_000, () => processes);
    const starts: number[] = [];
    for (let call = 0; call < 60; call += 1) {
      (await pace.enter(never))();
      starts.push(now());
    }
    const inMinute = (from: number): number => starts.filter((at) => at >= from && at < from + 60_000).length;
    expect(Math.max(...starts.map(inMinute))).toBe(20);
    processes = 1;
    const since = now();
    for (let call = 0; call < 60; call += 1) {
      (await pace.enter(never))();
      starts.push(now());
    }
    expect(now() - since).toBeLessThan(60_000);
  });

  test('of fewer calls than one a minute is still some', async () => {
    const { pace, now } = paceAt(2, 1_000, () => 8);
    for (let call = 0; call < 3; call += 1) (await pace.enter(never))();
    expect(now()).toBe(2 * 240_000);
  });
});
