import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StageClock } from '../../src/enrichment/stage-clock.ts';

export interface FakeClock extends StageClock {
  /** Lets so many ms pass: all that is due in between happens in its order. */
  advance(ms: number): Promise<void>;
  /** Timers that have not fired. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until it is advanced. */
export function createFakeClock(epoch = Date.UTC(2026, 9, 1, 12)): FakeClock {
  const timers = new Set<Timer>();
  let time = 0;

  const next = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.at <= until && timer.at < (first?.at ?? Infinity)) first = timer;
    return first;
  };

  return {
    now: () => epoch + time,
    monotonic: () => time,
    after(ms, run) {
      const timer = { at: time + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = time + ms;
      await nextTurn();
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer);
        time = Math.max(time, timer.at);
        timer.run();
        await nextTurn();
      }
      time = until;
    },
    get pending() {
      return timers.size;
    },
  };
}
