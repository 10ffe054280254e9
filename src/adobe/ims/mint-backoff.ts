import type { TokenResult } from '../ports.ts';
import type { MintFailure } from './token-response.ts';

/**
 * Two clocks, both in ms. The wall clock can be set back, which would keep an expired token in use;
 * the monotonic clock stops while the machine sleeps. So time is up as soon as either clock says
 * so.
 */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

/** A future time, on both clocks. */
export interface Deadline {
  readonly wall: number;
  readonly monotonic: number;
}

/** The time `ms` from now. */
export function deadlineIn(clocks: Clocks, ms: number): Deadline {
  return {
    wall: clocks.wall() + ms,
    monotonic: clocks.monotonic() + ms,
  };
}

/** ms until the deadline, by the clock that reaches it first; 0 once it has passed. */
export function msUntil(clocks: Clocks, deadline: Deadline): number {
  return Math.max(0, Math.min(deadline.wall - clocks.wall(), deadline.monotonic - clocks.monotonic()));
}

interface DelayRange {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Temporary faults: 1 s doubling to 1 min, with full jitter. */
const TEMPORARY_DELAYS: DelayRange = { firstMs: 1_000, maxMs: 60_000 };
/** Configuration faults: 1 min doubling to 10 min. Source: docs/platforms/adobe.md#token-errors */
const PERMANENT_DELAYS: DelayRange = { firstMs: 60_000, maxMs: 600_000 };
/**
 * Newly minted tokens that the inlet refuses. The cause may be a temporary fault of the inlet, so
 * the first delays are short.
 */
const REFUSED_DELAYS: DelayRange = { firstMs: 5_000, maxMs: 600_000 };
/** Full jitter can be close to zero; without a minimum, a caller in a loop would flood IMS. */
const MIN_DELAY_MS = 250;
/** Delays other than those of temporary faults grow by up to this share, to spread replicas out. */
const DELAY_SPREAD = 0.2;

export type NoToken = Extract<TokenResult, { ok: false }>;

/** Decides when IMS may be called again. */
export interface MintBackoff {
  /** The result to return instead of calling IMS; undefined if a call is allowed. */
  pending(): NoToken | undefined;
  /**
   * A mint failed: the wait grows with each consecutive failure, and is at least what IMS requests.
   */
  recordFailure(failure: MintFailure): NoToken;
  /**
   * The inlet refused a valid token. The first refusal causes no wait; the waits after consecutive
   * ones grow.
   */
  recordRefusal(age: 'young' | 'old'): NoToken | undefined;
  /** Forgets failures, but not refusals: only time shows whether a token is good. */
  recordSuccess(): void;
  reset(): void;
}

function doubledDelay(range: DelayRange, times: number): number {
  return Math.min(range.maxMs, range.firstMs * 2 ** Math.min(times, 20));
}

function spreadDelay(range: DelayRange, times: number, jitter: number): number {
  return Math.min(range.maxMs, doubledDelay(range, times) * (1 + DELAY_SPREAD * jitter));
}

function temporaryDelay(times: number, jitter: number): number {
  return Math.max(MIN_DELAY_MS, doubledDelay(TEMPORARY_DELAYS, times) * jitter);
}

/** @param times consecutive failures of this kind before this one */
function failureDelay(failure: MintFailure, times: number, jitter: number): number {
  const backoff = failure.permanent
    ? spreadDelay(PERMANENT_DELAYS, times, jitter)
    : temporaryDelay(times, jitter);
  return Math.max(failure.retryAfterMs ?? 0, backoff);
}

export function createMintBackoff(clocks: Clocks, jitter: () => number): MintBackoff {
  let current: { readonly until: Deadline; readonly result: NoToken } | undefined;
  let failures = 0;
  let isPermanent = false;
  let refusals = 0;

  const backOff = (result: Omit<NoToken, 'retryAfterMs'>, delayMs: number): NoToken => {
    const retryAfterMs = Math.ceil(delayMs);
    current = { until: deadlineIn(clocks, retryAfterMs), result: { ...result, retryAfterMs } };
    return current.result;
  };

  return {
    pending() {
      if (current === undefined) return undefined;
      const retryAfterMs = Math.ceil(msUntil(clocks, current.until));
      return retryAfterMs > 0 ? { ...current.result, retryAfterMs } : undefined;
    },
    recordFailure(failure) {
      failures = failure.permanent === isPermanent ? failures : 0;
      isPermanent = failure.permanent;
      const { code, detail, permanent } = failure;
      const delayMs = failureDelay(failure, failures, jitter());
      const result = backOff({ ok: false, code, detail, permanent }, delayMs);
      failures += 1;
      return result;
    },
    recordRefusal(age) {
      refusals = age === 'young' ? refusals + 1 : 1;
      if (refusals === 1) return undefined;
      const detail = 'The inlet refuses newly minted tokens. Does the credential have access to the sandbox?';
      const delayMs = spreadDelay(REFUSED_DELAYS, refusals - 2, jitter());
      return backOff({ ok: false, code: 'token_refused', detail, permanent: false }, delayMs);
    },
    recordSuccess() {
      failures = 0;
      if (current?.result.code !== 'token_refused') current = undefined;
    },
    reset() {
      current = undefined;
      failures = 0;
      refusals = 0;
    },
  };
}
