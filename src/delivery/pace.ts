import { createLatency } from './latency.ts';
import { createWaker } from './waker.ts';

export interface PaceLimits {
  readonly requestsPerSecond: number;
  readonly messagesPerSecond: number;
  /** Requests under way at once, at most. */
  readonly concurrency: number;
}

/** Holds a destination's limits: how many requests at once, and how many requests and messages in any one second. */
export interface Pace {
  /** Takes a slot if one is free now. */
  trySlot(): boolean;
  freeSlot(): void;
  /** Waits until a request of so many messages fits into the last second. */
  admit(messages: number, signal: AbortSignal): Promise<void>;
  /** Adobe slowed us: half as many at once (additive increase, multiplicative decrease). */
  slower(): void;
  /** A request passed: a little more at once, up to the limit; or a little less when the answers have become slow. */
  answered(ms: number): void;
  readonly slots: { readonly used: number; readonly limit: number };
}

/** Time as the pace sees it: a clock in ms that is never set, and a way to wait. */
export interface PaceClock {
  now(): number;
  /** Resolves after `ms`, or at abort. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** A tenth over a second: requests admitted evenly can still reach Adobe bunched. */
const WINDOW_MS = 1_100;
/** Slow answers take slots away faster than good ones give them. */
const SLOWING = 2;

const systemClock: PaceClock = {
  now: () => performance.now(),
  wait: (ms, signal) => createWaker().wait(ms, signal),
};

export function createPace(limits: PaceLimits, clock: PaceClock = systemClock): Pace {
  const latency = createLatency();
  let used = 0;
  let allowed = limits.concurrency;
  const sent: { at: number; messages: number }[] = [];
  // One caller at a time looks at the window, so that waiters are admitted in the order they came.
  let turn: Promise<void> = Promise.resolve();

  /** ms until the request fits; 0 when it does now. */
  const waitFor = (messages: number): number => {
    const at = clock.now();
    while (sent.length > 0 && at - (sent[0]?.at ?? 0) >= WINDOW_MS) sent.shift();
    let requests = sent.length;
    let total = sent.reduce((sum, one) => sum + one.messages, 0);
    for (const one of sent) {
      if (requests < limits.requestsPerSecond && total + messages <= limits.messagesPerSecond) return 0;
      requests -= 1;
      total -= one.messages;
      if (requests < limits.requestsPerSecond && total + messages <= limits.messagesPerSecond) {
        return Math.max(1, one.at + WINDOW_MS - at);
      }
    }
    return 0;
  };

  const passWindow = async (messages: number, signal: AbortSignal): Promise<void> => {
    for (let ms = waitFor(messages); ms > 0 && !signal.aborted; ms = waitFor(messages)) {
      await clock.wait(ms, signal);
    }
    signal.throwIfAborted();
    sent.push({ at: clock.now(), messages });
  };

  return {
    trySlot() {
      if (used >= Math.max(1, Math.floor(allowed))) return false;
      used += 1;
      return true;
    },
    freeSlot() {
      used -= 1;
    },
    admit(messages, signal) {
      const mine = turn.then(() => passWindow(messages, signal));
      turn = mine.catch(() => undefined);
      return mine;
    },
    slower() {
      allowed = Math.max(1, allowed / 2);
    },
    answered(ms) {
      if (latency.add(ms)) allowed = Math.max(1, allowed - SLOWING / allowed);
      else allowed = Math.min(limits.concurrency, allowed + 1 / allowed);
    },
    get slots() {
      return { used, limit: Math.max(1, Math.floor(allowed)) };
    },
  };
}
