import { createWaker } from './scheduling.ts';

export interface PaceLimits {
  readonly requestsPerSecond: number;
  readonly messagesPerSecond: number;
  /** Maximum number of requests in flight. */
  readonly concurrency: number;
}

/**
 * Enforces a destination's limits on concurrent requests and on requests and messages per second.
 * The limits are those of the destination: each of several replicas keeps within its share.
 */
export interface Pace {
  /**
   * Acquires a slot if one is free now. If not, `onFree` is called once when one may be: another
   * user of the pace may hold all slots.
   */
  tryAcquireSlot(onFree?: () => void): boolean;
  releaseSlot(): void;
  /** Waits until the limits per second allow a request of this many messages. */
  admit(messages: number, signal: AbortSignal): Promise<void>;
  /** After a 429: halves the slots (additive increase, multiplicative decrease). */
  slowDown(): void;
  /**
   * After a response: adds slots up to the limit, or removes some if responses have become slow.
   */
  recordResponse(durationMs: number): void;
  /** Other limits from now on; what was sent before counts. */
  setLimits(limits: PaceLimits): void;
  readonly slots: { readonly used: number; readonly limit: number };
}

/** A monotonic clock in ms, and a function that waits. */
export interface PaceClock {
  now(): number;
  /** Resolves after `ms`, or at abort. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Ten percent over a second: requests admitted evenly can still reach Adobe in a burst. */
const WINDOW_MS = 1_100;
/** Slow responses remove slots faster than normal ones add them. */
const SLOW_RESPONSE_FACTOR = 2;

const systemClock: PaceClock = {
  now: () => performance.now(),
  wait: (ms, signal) => createWaker().wait(ms, signal),
};

interface Sent {
  readonly at: number;
  readonly messages: number;
}

/** What is admitted, and until when it counts. */
interface Counted {
  readonly units: number;
  readonly end: number;
}

/**
 * ms until there is room for so many more units. A share of a limit is rarely whole: the next whole
 * number is admitted, in a window that is longer by as much (`countedMs`).
 */
function msUntilRoom(units: number, all: readonly Counted[], limit: number, now: number): number {
  const counted = all.filter(({ end }) => end > now);
  let total = counted.reduce((sum, one) => sum + one.units, 0);
  const hasRoom = (): boolean => total === 0 || total + units <= Math.ceil(limit);
  if (hasRoom()) return 0;
  for (const one of counted.toSorted((a, b) => a.end - b.end)) {
    total -= one.units;
    if (hasRoom()) return Math.max(1, one.end - now);
  }
  return 0;
}

/** How long units count. More at once than the limit allows count longer. */
function countedMs(units: number, limit: number): number {
  return (WINDOW_MS * Math.max(1, Math.ceil(limit), units)) / limit;
}

/**
 * @param shareOf the share of the limits that this process may use now: above 0, at most 1
 */
export function createPace(
  first: PaceLimits,
  clock: PaceClock = systemClock,
  shareOf: () => number = () => 1,
): Pace {
  let limits = first;
  const isSlow = createSlownessDetector();
  let used = 0;
  /** Of the whole destination. */
  let allowed = limits.concurrency;
  let sent: Sent[] = [];
  /** Each once, those that have waited longest first. */
  const waiting = new Set<() => void>();
  // One caller at a time checks the window, so that callers are admitted in order.
  let queue: Promise<void> = Promise.resolve();

  /** ms until the limits allow the request; 0 if they do now. */
  const msUntilAllowed = (messages: number): number => {
    const now = clock.now();
    const share = shareOf();
    const requestLimit = limits.requestsPerSecond * share;
    const messageLimit = limits.messagesPerSecond * share;
    const requestEnd = ({ at }: Sent): number => at + countedMs(1, requestLimit);
    const messageEnd = (one: Sent): number => one.at + countedMs(one.messages, messageLimit);
    sent = sent.filter((one) => Math.max(requestEnd(one), messageEnd(one)) > now);
    const total = sent.reduce((sum, one) => sum + one.messages, 0);
    if (sent.length < requestLimit && total + messages <= messageLimit) return 0;
    const requests = sent.map((one) => ({ units: 1, end: requestEnd(one) }));
    const all = sent.map((one) => ({ units: one.messages, end: messageEnd(one) }));
    return Math.max(
      msUntilRoom(1, requests, requestLimit, now),
      msUntilRoom(messages, all, messageLimit, now),
    );
  };

  const waitForWindow = async (messages: number, signal: AbortSignal): Promise<void> => {
    for (let ms = msUntilAllowed(messages); ms > 0 && !signal.aborted; ms = msUntilAllowed(messages)) {
      // The share may have grown by then.
      await clock.wait(Math.min(ms, WINDOW_MS), signal);
    }
    signal.throwIfAborted();
    sent.push({ at: clock.now(), messages });
  };

  const callWaiting = (): void => {
    const callbacks = [...waiting];
    waiting.clear();
    for (const onFree of callbacks) onFree();
  };

  const slotLimit = (): number => Math.max(1, Math.floor(allowed * shareOf()));

  return {
    tryAcquireSlot(onFree) {
      if (used < slotLimit()) {
        used += 1;
        return true;
      }
      if (onFree !== undefined) waiting.add(onFree);
      return false;
    },
    releaseSlot() {
      used -= 1;
      callWaiting();
    },
    admit(messages, signal) {
      const admitted = queue.then(() => waitForWindow(messages, signal));
      queue = admitted.catch(() => undefined);
      return admitted;
    },
    slowDown() {
      allowed = Math.max(1, allowed / 2);
    },
    recordResponse(durationMs) {
      // One more or less for each round of as many requests as this process may have in flight.
      const step = 1 / Math.max(1, allowed * shareOf());
      if (isSlow(durationMs)) allowed = Math.max(1, allowed - SLOW_RESPONSE_FACTOR * step);
      else allowed = Math.min(limits.concurrency, allowed + step);
    },
    setLimits(next) {
      const isReduced = allowed < limits.concurrency;
      limits = next;
      allowed = isReduced ? Math.min(allowed, next.concurrency) : next.concurrency;
      callWaiting();
    },
    get slots() {
      return { used, limit: slotLimit() };
    },
  };
}

/** Weight of the newest response in the moving average. */
const NEWEST_WEIGHT = 0.2;
/**
 * The best average grows by this share with each response, so that a lasting change becomes normal.
 */
const BEST_GROWTH = 0.002;
/** Slow means more than twice the best average, and by more than this. Less is noise. */
const NOISE_MS = 250;

/**
 * @returns a function of each response's duration in ms: true while responses are slower than usual
 */
function createSlownessDetector(): (ms: number) => boolean {
  let mean: number | undefined;
  let best = Number.POSITIVE_INFINITY;
  return (ms) => {
    mean = mean === undefined ? ms : mean + NEWEST_WEIGHT * (ms - mean);
    best = Math.min(mean, best === Number.POSITIVE_INFINITY ? mean : best * (1 + BEST_GROWTH));
    return mean > 2 * best && mean > best + NOISE_MS;
  };
}
