import type { TokenAnswer } from '../ports.ts';
import { type Clocks, type Deadline, deadlineIn, msUntil } from './deadline.ts';
import type { MintFailure } from './token-response.ts';

interface DelayRange {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Temporary faults: 1 s doubling to 1 min, with full jitter. */
const TEMPORARY: DelayRange = { firstMs: 1_000, maxMs: 60_000 };
/** Configuration faults: 1 min doubling to 10 min. Source: docs/platforms/adobe.md#token-errors */
const PERMANENT: DelayRange = { firstMs: 60_000, maxMs: 600_000 };
/**
 * New tokens that the inlet refuses. Its own trouble may be temporary, so the first waits are
 * short.
 */
const REFUSED: DelayRange = { firstMs: 5_000, maxMs: 600_000 };
/** Full jitter can be close to zero; without a minimum, a caller in a loop would flood IMS. */
const MIN_DELAY_MS = 250;
/** Delays other than those of temporary faults grow by up to this share, to spread replicas out. */
const DELAY_SPREAD = 0.2;

export type NoToken = Extract<TokenAnswer, { ok: false }>;

/** Decides for how long IMS must not be asked. */
export interface MintBackoff {
  /** The answer to give instead of asking IMS; undefined if asking is allowed. */
  pending(): NoToken | undefined;
  /** A mint failed: the wait grows with each failure in a row, or is as long as IMS asks. */
  recordFailure(failure: MintFailure): NoToken;
  /**
   * The inlet refused a valid token. The first refusal in a row costs no wait; further waits grow.
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
  return Math.max(MIN_DELAY_MS, doubledDelay(TEMPORARY, times) * jitter);
}

/** @param times failures of this kind in a row before this one */
function failureDelay(failure: MintFailure, times: number, jitter: number): number {
  const retryAfter = failure.retryAfter ?? 0;
  if (failure.permanent) return Math.max(retryAfter, spreadDelay(PERMANENT, times, jitter));
  return retryAfter > 0 ? Math.max(MIN_DELAY_MS, retryAfter) : temporaryDelay(times, jitter);
}

export function createMintBackoff(clocks: Clocks, jitter: () => number): MintBackoff {
  let current: { readonly until: Deadline; readonly answer: NoToken } | undefined;
  let failures = 0;
  let isPermanent = false;
  let refusals = 0;

  const backOff = (answer: Omit<NoToken, 'retryAfter'>, delayMs: number): NoToken => {
    const retryAfter = Math.ceil(delayMs);
    current = { until: deadlineIn(clocks, retryAfter), answer: { ...answer, retryAfter } };
    return current.answer;
  };

  return {
    pending() {
      if (current === undefined) return undefined;
      const retryAfter = Math.ceil(msUntil(clocks, current.until));
      return retryAfter > 0 ? { ...current.answer, retryAfter } : undefined;
    },
    recordFailure(failure) {
      failures = failure.permanent === isPermanent ? failures : 0;
      isPermanent = failure.permanent;
      const { code, detail, permanent } = failure;
      const delayMs = failureDelay(failure, failures, jitter());
      const answer = backOff({ ok: false, code, detail, permanent }, delayMs);
      failures += 1;
      return answer;
    },
    recordRefusal(age) {
      refusals = age === 'young' ? refusals + 1 : 1;
      if (refusals === 1) return undefined;
      const detail = 'The inlet refuses newly minted tokens. Does the credential have access to the sandbox?';
      const delayMs = spreadDelay(REFUSED, refusals - 2, jitter());
      return backOff({ ok: false, code: 'token_refused', detail, permanent: false }, delayMs);
    },
    recordSuccess() {
      failures = 0;
      if (current?.answer.code !== 'token_refused') current = undefined;
    },
    reset() {
      current = undefined;
      failures = 0;
      refusals = 0;
    },
  };
}
