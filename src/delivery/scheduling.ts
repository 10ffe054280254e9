import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Two clocks in ms: `now` is epoch time and may be adjusted; waits are measured by `monotonic`. */
export interface Clocks {
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** ms of a monotonic clock. */
export function monotonic(): number {
  return performance.now();
}

/**
 * Lets a loop sleep until an event, a time or an abort. A wake during the loop's work is
 * remembered.
 */
export interface Waker {
  wake(): void;
  /** Resolves after `ms`, at the next wake, or at abort, whichever is first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout treats longer delays as 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function createWaker(): Waker {
  let isAwake = false;
  let finish: (() => void) | undefined;

  const untilWoken = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      finish = () => {
        finish = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = finish;
      const timer = setTimeout(stop, Math.min(ms, MAX_TIMEOUT_MS));
      signal.addEventListener('abort', stop);
    });

  return {
    wake() {
      isAwake = true;
      finish?.();
    },
    async wait(ms, signal) {
      if (!isAwake && !signal.aborted && ms > 0) await untilWoken(ms, signal);
      isAwake = false;
    },
  };
}

/** Resolves after `ms`, or at abort. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Works on queued items in order, a few per turn of the event loop. */
export interface YieldingQueue<T> {
  push(items: readonly T[]): void;
  /** Items that are not started yet. */
  readonly waiting: number;
  /** Removes and returns the items that are not started yet. */
  clear(): readonly T[];
}

/**
 * A queue that yields to the event loop, so that webhooks are served while it works.
 * @param itemsPerTurn how many items to work on per turn of the event loop
 * @param work must not throw
 * @param afterTurn called after each turn
 */
export function createYieldingQueue<T>(
  itemsPerTurn: number,
  work: (items: readonly T[]) => void,
  afterTurn: () => void,
): YieldingQueue<T> {
  let items: T[] = [];
  let isRunning = false;

  const run = async (): Promise<void> => {
    isRunning = true;
    while (items.length > 0) {
      work(items.splice(0, itemsPerTurn));
      await nextTurn();
      afterTurn();
    }
    isRunning = false;
  };

  return {
    push(more) {
      items.push(...more);
      if (!isRunning) void run();
    },
    get waiting() {
      return items.length;
    },
    clear() {
      const removed = items;
      items = [];
      return removed;
    },
  };
}

/** Counts events in flight. A set of promises would cost several objects per event. */
export interface InFlightCounter {
  readonly count: number;
  add(events: number): void;
  remove(events: number): void;
  /** Resolves as soon as the count is 0. */
  whenIdle(): Promise<void>;
}

export function createInFlightCounter(): InFlightCounter {
  let count = 0;
  const onIdle: (() => void)[] = [];
  return {
    get count() {
      return count;
    },
    add(events) {
      count += events;
    },
    remove(events) {
      count -= events;
      if (count > 0) return;
      for (const resolve of onIdle.splice(0)) resolve();
    },
    whenIdle() {
      return new Promise((resolve) => {
        if (count === 0) resolve();
        else onIdle.push(resolve);
      });
    },
  };
}

interface DelayLimits {
  /** ms */
  readonly minDelay: number;
  /** ms */
  readonly maxDelay: number;
}

/**
 * Exponential backoff with full jitter: a random delay between 0 and the capped delay, so that many
 * senders do not retry at the same time.
 * @param failures failures so far, 0 for the first delay
 * @param random a number in [0, 1)
 * @returns ms
 */
export function jitteredDelay(
  failures: number,
  limits: DelayLimits,
  random: () => number = Math.random,
): number {
  return Math.round(random() * cappedDelay(failures, limits));
}

/** The same without jitter, for a single prober. @returns ms */
export function cappedDelay(failures: number, limits: DelayLimits): number {
  return Math.min(limits.maxDelay, limits.minDelay * 2 ** Math.min(failures, 30));
}
