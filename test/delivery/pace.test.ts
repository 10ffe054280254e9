import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace } from '../../src/delivery/pace.ts';

/** A clock that advances only by waiting. */
function waitingClock() {
  let time = 0;
  return {
    now: () => time,
    wait: async (ms: number) => {
      time += ms;
    },
  };
}
const forever = new AbortController().signal;

describe('limits per second', () => {
  it('admits at once what the limits allow', async () => {
    const clock = waitingClock();
    const pace = createPace({ requestsPerSecond: 3, messagesPerSecond: 100, concurrency: 8 }, clock);
    await pace.admit(50, forever);
    await pace.admit(50, forever);
    expect(clock.now()).toBe(0);
  });

  it('limits requests and messages in every window of one second', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 5, maxLength: 30 }),
        async (sizes) => {
          const clock = waitingClock();
          const limits = { requestsPerSecond: 4, messagesPerSecond: 20, concurrency: 8 };
          const sent: { at: number; messages: number }[] = [];
          const pace = createPace(limits, clock);
          for (const messages of sizes) {
            await pace.admit(messages, forever);
            sent.push({ at: clock.now(), messages });
            await clock.wait(messages * 7);
          }
          for (const first of sent) {
            const inWindow = sent.filter((one) => one.at >= first.at && one.at < first.at + 1_000);
            expect(inWindow.length).toBeLessThanOrEqual(limits.requestsPerSecond);
            expect(inWindow.reduce((sum, one) => sum + one.messages, 0)).toBeLessThanOrEqual(
              limits.messagesPerSecond,
            );
          }
        },
      ),
      { numRuns: 5 },
    );
  });

  it('shares the limits of a destination among replicas, whatever their shares', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          cuts: fc.array(fc.integer({ min: 1, max: 63 }), { maxLength: 4 }),
          requestsPerSecond: fc.integer({ min: 1, max: 12 }),
          messagesPerSecond: fc.integer({ min: 5, max: 60 }),
        }),
        async ({ cuts, ...limits }) => {
          const bounds = [0, ...new Set(cuts.toSorted((a, b) => a - b)), 64];
          const shares = bounds.slice(1).map((bound, n) => (bound - bounds[n]!) / 64);
          const rates = await Promise.all(
            shares.map(async (share) => {
              const clock = waitingClock();
              const pace = createPace({ ...limits, concurrency: 8 }, clock, () => share);
              let [requests, messages] = [0, 0];
              for (; clock.now() < 200_000; requests += 1) {
                const size = 1 + (requests % 5);
                await pace.admit(size, forever);
                messages += size;
              }
              return { requests: requests / 200, messages: messages / 200 };
            }),
          );
          const sum = (of: (rate: (typeof rates)[number]) => number) =>
            rates.reduce((all, rate) => all + of(rate), 0);
          expect(sum(({ requests }) => requests)).toBeLessThanOrEqual(limits.requestsPerSecond);
          expect(sum(({ messages }) => messages)).toBeLessThanOrEqual(limits.messagesPerSecond);
          // Whichever limit is the lower one, little of it is left.
          const used = Math.max(
            sum(({ requests }) => requests) / limits.requestsPerSecond,
            sum(({ messages }) => messages) / limits.messagesPerSecond,
          );
          expect(used).toBeGreaterThan(0.6);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lets a replica with the smallest share send a batch, and then wait for it', async () => {
    const clock = waitingClock();
    const limits = { requestsPerSecond: 500, messagesPerSecond: 640, concurrency: 8 };
    const pace = createPace(limits, clock, () => 1 / 64);
    await pace.admit(200, forever);
    expect(clock.now()).toBe(0);
    await pace.admit(1, forever);
    expect(clock.now()).toBeGreaterThanOrEqual(20_000);
    expect(clock.now()).toBeLessThan(23_000);
    expect(pace.slots.limit).toBe(1);
  });

  it('uses a larger share as soon as it has it', async () => {
    const clock = waitingClock();
    let share = 1 / 64;
    const pace = createPace(
      { requestsPerSecond: 1, messagesPerSecond: 10, concurrency: 8 },
      clock,
      () => share,
    );
    await pace.admit(1, forever);
    const second = pace.admit(1, forever);
    share = 1;
    await second;
    expect(clock.now()).toBeLessThan(2_500);
    expect(pace.slots.limit).toBe(8);
  });

  it('counts what was sent before the limits were changed', async () => {
    const clock = waitingClock();
    const pace = createPace({ requestsPerSecond: 5, messagesPerSecond: 100, concurrency: 4 }, clock);
    await pace.admit(60, forever);
    pace.setLimits({ requestsPerSecond: 5, messagesPerSecond: 80, concurrency: 6 });
    expect(pace.slots.limit).toBe(6);
    await pace.admit(30, forever);
    expect(clock.now()).toBeGreaterThanOrEqual(1_000);
    pace.slowDown();
    pace.setLimits({ requestsPerSecond: 5, messagesPerSecond: 80, concurrency: 64 });
    expect(pace.slots.limit).toBe(3);
    pace.setLimits({ requestsPerSecond: 5, messagesPerSecond: 80, concurrency: 2 });
    expect(pace.slots.limit).toBe(2);
  });

  it('stops waiting at abort', async () => {
    const pace = createPace({ requestsPerSecond: 1, messagesPerSecond: 10, concurrency: 1 });
    await pace.admit(1, forever);
    const stop = new AbortController();
    const waiting = pace.admit(1, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});

describe('slots', () => {
  it('are no more than the limit', () => {
    const pace = createPace({ requestsPerSecond: 9, messagesPerSecond: 9, concurrency: 2 });
    expect([pace.tryAcquireSlot(), pace.tryAcquireSlot(), pace.tryAcquireSlot()]).toEqual([
      true,
      true,
      false,
    ]);
    pace.releaseSlot();
    expect(pace.tryAcquireSlot()).toBe(true);
  });

  it('are halved by slowDown, never below one, and grow back to the limit', () => {
    const pace = createPace({ requestsPerSecond: 9, messagesPerSecond: 9, concurrency: 8 });
    pace.slowDown();
    expect(pace.slots.limit).toBe(4);
    for (let times = 0; times < 10; times += 1) pace.slowDown();
    expect(pace.slots.limit).toBe(1);
    for (let times = 0; times < 200; times += 1) pace.recordResponse(20);
    expect(pace.slots.limit).toBe(8);
  });

  it('are reduced while answers are slow, and restored when answers are fast again', () => {
    const pace = createPace({ requestsPerSecond: 9, messagesPerSecond: 9, concurrency: 8 });
    for (let times = 0; times < 50; times += 1) pace.recordResponse(40);
    expect(pace.slots.limit).toBe(8);
    for (let times = 0; times < 50; times += 1) pace.recordResponse(900);
    expect(pace.slots.limit).toBe(1);
    for (let times = 0; times < 200; times += 1) pace.recordResponse(40);
    expect(pace.slots.limit).toBe(8);
  });

  it('are not reduced by noise, nor by a lasting change of latency', () => {
    const pace = createPace({ requestsPerSecond: 9, messagesPerSecond: 9, concurrency: 8 });
    for (let times = 0; times < 200; times += 1) pace.recordResponse(times % 2 === 0 ? 20 : 180);
    expect(pace.slots.limit).toBe(8);
    for (let times = 0; times < 3_000; times += 1) pace.recordResponse(600);
    expect(pace.slots.limit).toBe(8);
  });
});
