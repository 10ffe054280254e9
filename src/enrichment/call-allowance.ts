import { type Rate, rateOf } from '../capillary/api/call-pace.ts';
import type { StageClock } from './stage-clock.ts';

export interface CallAllowanceOptions {
  readonly callsPerMinute: number;
  readonly concurrency: number;
  /** Processes that share the API key, from 1. */
  readonly share: () => number;
  readonly clock: Pick<StageClock, 'monotonic'>;
}

/**
 * How many calls of one API key may start. The client has the same limit, but serves its callers in
 * their order; here the next call is chosen when it may start.
 */
export interface CallAllowance {
  /** ms until a call may start; infinite while as many are running as may. */
  msUntilFree(): number;
  /** ms until a call can start that has so many others before it, were all of them short. */
  msUntilStart(ahead: number): number;
  start(): void;
  end(): void;
  /** No call starts for this many ms. */
  pause(ms: number): void;
  /** Takes a call of the share of batch jobs. @returns false if there is none left */
  takeFlood(): boolean;
  readonly status: BudgetStatus;
}

export interface BudgetStatus {
  /** Of this process. */
  readonly callsPerMinute: number;
  /** Calls that may start at once; at 0 they wait for their turn. */
  readonly left: number;
  readonly running: number;
  /** ms for which no call starts, because the API asked for it; 0: none. */
  readonly pausedFor: number;
}

/** Small limits have no call to spare for tokens. */
const MIN_RATE_WITH_RESERVE = 20;
/** Share of the events that batch jobs raise. */
const FLOOD_SHARE = 1 / 4;
/** Calls of that share which may start at once: what it has in so many minutes. */
const FLOOD_BURST_MINUTES = 1 / 4;

export function createCallAllowance(options: CallAllowanceOptions): CallAllowance {
  const { share, clock } = options;
  let running = 0;
  let pausedUntil = 0;
  let filledAt = clock.monotonic();

  const shared = (limit: number): number => Math.max(1, Math.floor(limit / Math.max(1, share())));
  const callsPerMinute = (): number => shared(options.callsPerMinute);
  const floodBurst = (): number => Math.max(1, callsPerMinute() * FLOOD_SHARE * FLOOD_BURST_MINUTES);
  const rate = (): Rate => {
    const limit = callsPerMinute();
    return rateOf(limit >= MIN_RATE_WITH_RESERVE ? limit - 1 : limit);
  };

  let allowance = rate().burst;
  let floodAllowance = floodBurst();

  const refill = (): void => {
    const now = clock.monotonic();
    const { burst, perMs } = rate();
    const more = (now - filledAt) * perMs;
    allowance = Math.min(burst, allowance + more);
    floodAllowance = Math.min(floodBurst(), floodAllowance + more * FLOOD_SHARE);
    filledAt = now;
  };

  const msUntilStart = (ahead: number): number => {
    refill();
    const lacking = ahead + 1 - allowance;
    return Math.max(pausedUntil - filledAt, lacking <= 0 ? 0 : lacking / rate().perMs);
  };

  return {
    msUntilFree: () => (running >= shared(options.concurrency) ? Number.POSITIVE_INFINITY : msUntilStart(0)),
    msUntilStart,
    start() {
      refill();
      allowance -= 1;
      running += 1;
    },
    end() {
      running -= 1;
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.monotonic() + ms);
    },
    takeFlood() {
      refill();
      if (floodAllowance < 1) return false;
      floodAllowance -= 1;
      return true;
    },
    get status() {
      refill();
      const pausedFor = Math.max(0, Math.ceil(pausedUntil - filledAt));
      const left = pausedFor > 0 ? 0 : Math.max(0, Math.floor(allowance));
      return { callsPerMinute: callsPerMinute(), left, running, pausedFor };
    },
  };
}
