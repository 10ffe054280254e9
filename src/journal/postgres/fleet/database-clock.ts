/** How much two clocks may drift apart: 500 ms in a thousand seconds. */
const DRIFT = 0.0005;
/** A clock that was set back by less stands still until it has caught up. */
const MAX_STAND_MS = 1_000;

/** The database's clock, estimated from its answers. */
export interface DatabaseClock {
  /**
   * Epoch ms, without asking. Off by at most half of the shortest round trips, and never goes back,
   * except when the database's clock itself was set back by more than a second.
   */
  now(): number;
  /** The database read its clock between these two times of the monotonic clock. */
  observe(sentAt: number, receivedAt: number, databaseNow: number): void;
  /** Bound on the error of `now` in ms when it was last observed. */
  readonly error: number;
}

/**
 * @param monotonic ms of a monotonic clock
 * @param wall epoch ms by this machine, until the first answer
 */
export function createDatabaseClock(monotonic: () => number, wall: () => number): DatabaseClock {
  // The offset to the monotonic clock is between these two.
  let low = wall() - monotonic();
  let high = low;
  let observedAt: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  return {
    now() {
      const estimate = Math.round(monotonic() + (low + high) / 2);
      last = last - estimate > MAX_STAND_MS ? estimate : Math.max(last, estimate);
      return last;
    },
    observe(sentAt, receivedAt, databaseNow) {
      const newLow = databaseNow - receivedAt;
      const newHigh = databaseNow - sentAt;
      const drift = observedAt === undefined ? Infinity : (receivedAt - observedAt) * DRIFT;
      observedAt = receivedAt;
      low = Math.max(newLow, low - drift);
      high = Math.min(newHigh, high + drift);
      // Each answer alone bounds the offset; if they contradict each other, a clock was set.
      if (low > high) [low, high] = [newLow, newHigh];
    },
    get error() {
      return (high - low) / 2;
    },
  };
}
