/** Total body size that a destination holds in memory. */
export const MAX_IN_FLIGHT_BYTES = 64 * 1_048_576;
/** Events of a destination in flight at once; each needs about 10 KB in addition to its body. */
export const MAX_IN_FLIGHT_EVENTS = 4_096;
/**
 * So many events may wait for their enrichment in addition to those in flight, and so many bytes:
 * they use nothing of the destination, but their number must have a limit.
 */
const MAX_WAITING_EVENTS = 1_000;
const MAX_WAITING_BYTES = 16 * 1_048_576;
/** Bounds one claim, because the storage thread serves other callers only between claims. */
export const MAX_EVENTS_PER_CLAIM = 256;
/** Pause between two claims, so that events that arrive one by one are claimed a few at a time. */
export const CLAIM_INTERVAL_MS = 10;
/** Events whose mapping starts in one turn of the event loop; webhooks are served in between. */
export const MAPPED_PER_TURN = 16;
/**
 * Events that may still wait for their mapping when the next ones are claimed: the storage thread
 * works on the claim meanwhile.
 */
const MAX_CLAIMED_AHEAD = 128;

/** The claimed events of a destination. */
export interface ClaimedRoom {
  /** Events that wait for their mapping. */
  readonly waiting: number;
  /** Events whose processing has begun. */
  readonly started: number;
  /** Body size of all of them. */
  readonly bytes: number;
  /** The started ones that wait for their enrichment. */
  readonly waits: { readonly events: number; readonly bytes: number };
}

/**
 * How many more events may be claimed, and bytes; undefined if it is better to wait until a quarter
 * of the limit is free than to claim one event for each that finishes.
 * @param limit of events in flight
 */
export function freeRoom(
  { waiting, started, bytes, waits }: ClaimedRoom,
  limit: number,
): { readonly events: number; readonly bytes: number } | undefined {
  if (waiting > MAX_CLAIMED_AHEAD) return undefined;
  const freeEvents = limit - started - waiting + Math.min(waits.events, MAX_WAITING_EVENTS);
  const freeBytes = MAX_IN_FLIGHT_BYTES - bytes + Math.min(waits.bytes, MAX_WAITING_BYTES);
  if (freeEvents < limit / 4 || freeBytes < MAX_IN_FLIGHT_BYTES / 4) return undefined;
  return { events: freeEvents, bytes: freeBytes };
}

/** Share of a destination's messages per second that replays may use. */
const REPLAY_SHARE = 0.1;
/** Replays are claimed in portions of this duration, not one by one. */
const REPLAY_PORTION_SECONDS = 0.1;

export interface ReplayThrottleLimits {
  /** Of the destination. */
  readonly messagesPerSecond: number;
  /** Maximum number of messages per event. */
  readonly messagesPerEvent: number;
  /** Maximum number of replayed events in flight. */
  readonly inFlight: number;
  /** The share of the destination's limits that this process may use now; 1 without it. */
  readonly shareOf?: () => number;
}

/**
 * Limits the replays of a destination, so that they stay slower than live traffic even if there is
 * none.
 */
export interface ReplayThrottle {
  /** How many replayed events may be claimed now. */
  available(): number;
  /** Counts replayed events that were claimed. */
  consume(events: number): void;
  /** A replayed event is no longer in flight. */
  release(): void;
  /** ms until more may be claimed; Infinity while too many are in flight. */
  msUntilAvailable(): number;
}

/**
 * A token bucket of up to one second of replays, and a limit on those in flight. It fills at a
 * tenth of the destination's messages per second, but at least at one message per second; at its
 * share of that if there are other replicas.
 * @param monotonic ms of a monotonic clock
 */
export function createReplayThrottle(limits: ReplayThrottleLimits, monotonic: () => number): ReplayThrottle {
  const { shareOf = () => 1 } = limits;
  const whole = Math.max(1, limits.messagesPerSecond * REPLAY_SHARE) / limits.messagesPerEvent;
  const rate = (): number => whole * shareOf();
  const capacity = (): number => Math.max(1, rate());
  const portion = (): number => Math.max(1, rate() * REPLAY_PORTION_SECONDS);
  let level = capacity();
  let filledAt = monotonic();
  let inFlight = 0;

  const fill = (): void => {
    const now = monotonic();
    level = Math.min(capacity(), level + ((now - filledAt) * rate()) / 1_000);
    filledAt = now;
  };

  return {
    available() {
      fill();
      return level < portion() ? 0 : Math.max(0, Math.min(Math.floor(level), limits.inFlight - inFlight));
    },
    consume(events) {
      level -= events;
      inFlight += events;
    },
    release() {
      inFlight -= 1;
    },
    msUntilAvailable() {
      if (inFlight >= limits.inFlight) return Number.POSITIVE_INFINITY;
      fill();
      return Math.max(0, Math.ceil(((portion() - level) * 1_000) / rate()));
    },
  };
}
