/** Part of a destination's messages per second that replays may have. */
const PART = 0.1;
/** Replays are claimed for a tenth of a second at a time, not one by one. */
const PORTION_SECONDS = 0.1;

export interface ReplayShareLimits {
  /** Of the destination. */
  readonly messagesPerSecond: number;
  /** Messages that an event becomes, at most. */
  readonly messagesPerEvent: number;
  /** Replayed events in flight at once, at most. */
  readonly inFlight: number;
}

/** What replays may take of a destination, so that they are slower than live traffic, whether there is any or not. */
export interface ReplayShare {
  /** How many replayed events may be claimed now. */
  room(): number;
  /** So many were claimed. */
  took(events: number): void;
  /** One that was claimed is no longer in flight. */
  ended(): void;
  /** ms until more may be claimed; Infinity while one in flight has to end first. */
  wait(): number;
}

/**
 * A bucket of at most one second's worth of replays that fills at a tenth of the destination's messages per second, but never slower than one
 * message in a second; and a bound on those in flight.
 * @param steady ms of a clock that only runs
 */
export function createReplayShare(limits: ReplayShareLimits, steady: () => number): ReplayShare {
  const rate = Math.max(1, limits.messagesPerSecond * PART) / limits.messagesPerEvent;
  const most = Math.max(1, rate);
  const portion = Math.max(1, rate * PORTION_SECONDS);
  let level = most;
  let filledAt = steady();
  let inFlight = 0;

  const fill = (): void => {
    const at = steady();
    level = Math.min(most, level + ((at - filledAt) * rate) / 1_000);
    filledAt = at;
  };

  return {
    room() {
      fill();
      return level < portion ? 0 : Math.max(0, Math.min(Math.floor(level), limits.inFlight - inFlight));
    },
    took(events) {
      level -= events;
      inFlight += events;
    },
    ended() {
      inFlight -= 1;
    },
    wait() {
      if (inFlight >= limits.inFlight) return Number.POSITIVE_INFINITY;
      fill();
      return Math.max(0, Math.ceil(((portion - level) * 1_000) / rate));
    },
  };
}
