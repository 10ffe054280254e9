import { waitFor } from '../../http/api-client.ts';
import { abortable } from '../../http/outbound.ts';

export interface CallPaceOptions {
  readonly callsPerMinute: number;
  readonly concurrency: number;
  /** Processes that share the calls of the key, from 1. Default: 1. */
  readonly share?: () => number;
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

/** Enough for a command of the CLI. */
const MAX_BURST = 10;
const MINUTE_MS = 60_000;

export interface Rate {
  /** Calls that may begin at once after a time without any. */
  readonly burst: number;
  readonly perMs: number;
}

/**
 * What a burst takes is missing from the steady rate.
 * @param perMinute calls, from 1
 */
export function rateOf(perMinute: number): Rate {
  const burst = Math.max(1, Math.min(MAX_BURST, Math.floor(perMinute / 8)));
  return { burst, perMs: (perMinute - burst + 1) / MINUTE_MS };
}

/**
 * Never more than `callsPerMinute` in any minute, because it is not documented when Capillary's
 * minute begins.
 * Source: docs/platforms/capillary.md#api-access
 */
export function createCallPace(options: CallPaceOptions): CallPace {
  const { callsPerMinute, concurrency, share = () => 1 } = options;
  const { monotonic = () => performance.now(), wait = waitFor } = options;
  let allowance = rateOf(callsPerMinute).burst;
  let filledAt = monotonic();
  let pausedUntil = filledAt;
  let running = 0;
  let freed = Promise.withResolvers<void>();
  let lastTurn: Promise<unknown> = Promise.resolve();

  const perMinute = (): number => callsPerMinute / Math.max(1, share());

  const msUntilAllowed = (): number => {
    const now = monotonic();
    const { burst, perMs } = rateOf(perMinute());
    allowance = Math.min(burst, allowance + (now - filledAt) * perMs);
    filledAt = now;
    return Math.max(pausedUntil - now, (1 - allowance) / perMs);
  };

  const leave = (): void => {
    running -= 1;
    freed.resolve();
    freed = Promise.withResolvers<void>();
  };

  const isFull = (): boolean => running >= concurrency;

  const takeTurn = async (signal: AbortSignal): Promise<() => void> => {
    signal.throwIfAborted();
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
