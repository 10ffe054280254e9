import { describe, expect, it } from 'vitest';
import { createReplayShare, type ReplayShareLimits } from '../../src/delivery/replay-share.ts';

/** A share with a clock that stands still until it is moved. */
const share = (given: Partial<ReplayShareLimits> = {}) => {
  let at = 5_000;
  const limits = { messagesPerSecond: 1_000, messagesPerEvent: 1, inFlight: 1_000, ...given };
  return { ...createReplayShare(limits, () => at), pass: (ms: number) => void (at += ms) };
};

describe('the share of the replays', () => {
  it('is a tenth of the messages in a second, and no more after a rest', () => {
    const one = share();
    expect(one.room()).toBe(100);
    one.pass(60_000);
    expect(one.room()).toBe(100);
    one.took(100);
    expect(one.room()).toBe(0);
    one.pass(500);
    expect(one.room()).toBe(50);
  });

  it('is given in tenths of a second, and says how long until the next', () => {
    const one = share();
    one.took(100);
    expect(one.wait()).toBe(100);
    one.pass(99);
    expect([one.room(), one.wait()]).toEqual([0, 1]);
    one.pass(1);
    expect([one.room(), one.wait()]).toEqual([10, 0]);
  });

  it.each([
    [1, 1, 1_000],
    [5, 1, 1_000],
    [5, 2, 2_000],
    [40, 2, 500],
  ])('of %i messages in a second, %i for each event, is one event in %i ms', (messages, each, ms) => {
    const one = share({ messagesPerSecond: messages, messagesPerEvent: each });
    one.pass(60_000);
    one.took(one.room());
    expect([one.room(), one.wait()]).toEqual([0, ms]);
    one.pass(ms - 1);
    expect(one.room()).toBe(0);
    one.pass(1);
    expect([one.room(), one.wait()]).toEqual([1, 0]);
  });

  it('counts an event by the messages it becomes', () => {
    expect(share({ messagesPerEvent: 2 }).room()).toBe(50);
  });

  it('never has more in flight than allowed', () => {
    const one = share({ inFlight: 30 });
    expect(one.room()).toBe(30);
    one.took(30);
    expect([one.room(), one.wait()]).toEqual([0, Number.POSITIVE_INFINITY]);
    one.ended();
    expect([one.room(), one.wait()]).toEqual([1, 0]);
  });

  it('adds up to the rate over a long time, however it is asked', () => {
    const one = share({ messagesPerSecond: 730 });
    let taken = 0;
    for (let ms = 0; ms < 100_000; ms += 7) {
      one.pass(7);
      const room = one.room();
      one.took(room);
      for (let n = 0; n < room; n += 1) one.ended();
      taken += room;
    }
    expect(taken).toBeLessThanOrEqual(7_300 + 73);
    expect(taken).toBeGreaterThan(7_200);
  });
});
