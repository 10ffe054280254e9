import { createWaker } from './scheduling.ts';

export interface PaceLimits {
  readonly requestsPerSecond: number;
  readonly messagesPerSecond: number;
  /** Maximum number of requests in flight. */
  readonly concurrency: number;
}

/**
 * Enforces a destination's limits on concurrent requests and on requests and messages per second.
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

export function createPace(first: PaceLimits, clock: PaceClock = systemClock): Pace {
  let limits = first;
  const isSlow = createSlownessDetector();
  let used = 0;
  let allowed = limits.concurrency;
  const sent: { at: number; messages: number }[] = [];
  /** Each once, those that have waited longest first. */
  const waiting = new Set<() => void>();
  // One caller at a time checks the window, so that callers are admitted in order.
  let queue: Promise<void> = Promise.resolve();

  /** ms until the limits allow the request; 0 if they do now. */
  const msUntilAllowed = (messages: number): number => {
    const now = clock.now();
    while (sent.length > 0 && now - (sent[0]?.at ?? 0) >= WINDOW_MS) sent.shift();
    let requests = sent.length;
    let total = sent.reduce((sum, request) => sum + request.messages, 0);
    for (const oldest of sent) {
      if (requests < limits.requestsPerSecond && total + messages <= limits.messagesPerSecond) return 0;
      requests -= 1;
      total -= oldest.messages;
      if (requests < limits.requestsPerSecond && total + messages <= limits.messagesPerSecond) {
        return Math.max(1, oldest.at + WINDOW_MS - now);
      }
    }
    return 0;
  };

  const waitForWindow = async (messages: number, signal: AbortSignal): Promise<void> => {
    for (let ms = msUntilAllowed(messages); ms > 0 && !signal.aborted; ms = msUntilAllowed(messages)) {
      await clock.wait(ms, signal);
    }
    signal.throwIfAborted();
    sent.push({ at: clock.now(), messages });
  };

  const callWaiting = (): void => {
    const callbacks = [...waiting];
    waiting.clear();
    for (const onFree of callbacks) onFree();
  };

  return {
    tryAcquireSlot(onFree) {
      if (used < Math.max(1, Math.floor(allowed))) {
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
      if (isSlow(durationMs)) allowed = Math.max(1, allowed - SLOW_RESPONSE_FACTOR / allowed);
      else allowed = Math.min(limits.concurrency, allowed + 1 / allowed);
    },
    setLimits(next) {
      const isReduced = allowed < limits.concurrency;
      limits = next;
      allowed = isReduced ? Math.min(allowed, next.concurrency) : next.concurrency;
      callWaiting();
    },
    get slots() {
      return { used, limit: Math.max(1, Math.floor(allowed)) };
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
