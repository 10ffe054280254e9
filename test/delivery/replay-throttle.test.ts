import { describe, expect, it } from 'vitest';
import { createReplayThrottle, type ReplayThrottleLimits } from '../../src/delivery/claim-limits.ts';

/** A throttle with a clock that a test advances. */
function throttleOf(given: Partial<ReplayThrottleLimits> = {}) {
  let at = 5_000;
  const limits = { messagesPerSecond: 1_000, messagesPerEvent: 1, inFlight: 1_000, ...given };
  return { ...createReplayThrottle(limits, () => at), advance: (ms: number) => void (at += ms) };
}

describe('the replay throttle', () => {
  it('allows a tenth of the messages per second, and no more after a pause', () => {
    const throttle = throttleOf();
    expect(throttle.available()).toBe(100);
    throttle.advance(60_000);
    expect(throttle.available()).toBe(100);
    throttle.consume(100);
    expect(throttle.available()).toBe(0);
    throttle.advance(500);
    expect(throttle.available()).toBe(50);
  });

  it('allows the share of this replica, and even of the smallest one now and then', () => {
    let share = 0.25;
    const throttle = throttleOf({ shareOf: () => share });
    expect(throttle.available()).toBe(25);
    throttle.consume(25);
    share = 1;
    throttle.advance(1_000);
    expect(throttle.available()).toBe(100);
    const small = throttleOf({ messagesPerSecond: 5, shareOf: () => 1 / 64 });
    small.consume(1);
    expect(small.msUntilAvailable()).toBe(64_000);
    small.advance(64_000);
    expect(small.available()).toBe(1);
  });

  it('releases events in portions of a tenth of a second, and says how long until the next', () => {
    const throttle = throttleOf();
    throttle.consume(100);
    expect(throttle.msUntilAvailable()).toBe(100);
    throttle.advance(99);
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([0, 1]);
    throttle.advance(1);
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([10, 0]);
  });

  it.each([
    [1, 1, 1_000],
    [5, 1, 1_000],
    [5, 2, 2_000],
    [40, 2, 500],
  ])('of %i messages per second, %i per event, allows one event in %i ms', (messages, each, ms) => {
    const throttle = throttleOf({ messagesPerSecond: messages, messagesPerEvent: each });
    throttle.advance(60_000);
    throttle.consume(throttle.available());
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([0, ms]);
    throttle.advance(ms - 1);
    expect(throttle.available()).toBe(0);
    throttle.advance(1);
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([1, 0]);
  });

  it('counts an event by its messages', () => {
    expect(throttleOf({ messagesPerEvent: 2 }).available()).toBe(50);
  });

  it('never allows more in flight than the limit', () => {
    const throttle = throttleOf({ inFlight: 30 });
    expect(throttle.available()).toBe(30);
    throttle.consume(30);
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([0, Number.POSITIVE_INFINITY]);
    throttle.release();
    expect([throttle.available(), throttle.msUntilAvailable()]).toEqual([1, 0]);
  });

  it('matches the rate over a long time, however often it is asked', () => {
    const throttle = throttleOf({ messagesPerSecond: 730 });
    let claimed = 0;
    for (let ms = 0; ms < 100_000; ms += 7) {
      throttle.advance(7);
      const available = throttle.available();
      throttle.consume(available);
      for (let n = 0; n < available; n += 1) throttle.release();
      claimed += available;
    }
    expect(claimed).toBeLessThanOrEqual(7_300 + 73);
    expect(claimed).toBeGreaterThan(7_200);
  });
});
