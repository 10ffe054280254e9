import { waitFor } from '../../http/api-client.ts';
import { abortable } from '../../http/outbound.ts';

export interface CallPaceOptions {
  readonly callsPerMinute: number;
  readonly concurrency: number;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** When a call may begin: rate, concurrency and pauses of one API key. */
export interface CallPace {
  /**
   * Waits for its turn, in the order of the calls.
   * @returns must be called when the call has ended
   * @throws the reason of an aborted signal
   */
  enter(signal: AbortSignal): Promise<() => void>;
  /** No call begins for this many ms. */
  pause(ms: number): void;
}

/** Calls that may begin at once after a time without any: enough for a command of the CLI. */
const MAX_BURST = 10;
const MINUTE_MS = 60_000;

/**
 * Never more than `callsPerMinute` in any minute, because it is not documented when Capillary's
 * minute begins: what a burst takes is missing from the steady rate.
 * Source: docs/platforms/capillary.md#api-access
 */
export function createCallPace(options: CallPaceOptions): CallPace {
  const { callsPerMinute, concurrency, monotonic = () => performance.now(), wait = waitFor } = options;
  const burst = Math.max(1, Math.min(MAX_BURST, Math.floor(callsPerMinute / 8)));
  const perMs = (callsPerMinute - burst + 1) / MINUTE_MS;
  let allowance = burst;
  let filledAt = monotonic();
  let pausedUntil = filledAt;
  let running = 0;
  let freed = Promise.withResolvers<void>();
  let lastTurn: Promise<unknown> = Promise.resolve();

  const msUntilAllowed = (): number => {
    const now = monotonic();
    allowance = Math.min(burst, allowance + (now - filledAt) * perMs);
    filledAt = now;
    const forRate = allowance >= 1 ? 0 : (1 - allowance) / perMs;
    return Math.max(forRate, pausedUntil - now);
  };

  const leave = (): void => {
    running -= 1;
    freed.resolve();
    freed = Promise.withResolvers<void>();
  };

  const isFull = (): boolean => running >= concurrency;

  const takeTurn = async (signal: AbortSignal): Promise<() => void> => {
    while (isFull()) await abortable(freed.promise, signal);
    for (let ms = msUntilAllowed(); ms > 0; ms = msUntilAllowed()) await wait(Math.ceil(ms), signal);
    signal.throwIfAborted();
    allowance -= 1;
    running += 1;
    let hasLeft = false;
    return () => {
      if (!hasLeft) leave();
      hasLeft = true;
    };
  };

  return {
    async enter(signal) {
      signal.throwIfAborted();
      const turn = lastTurn.then(() => takeTurn(signal));
      lastTurn = turn.catch(() => undefined);
      try {
        return await abortable(turn, signal);
      } catch (error) {
        // The turn may have come while the caller gave up.
        void turn.then(
          (release) => release(),
          () => undefined,
        );
        throw error;
      }
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, monotonic() + ms);
    },
  };
}
