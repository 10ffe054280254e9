import type { TokenAnswer } from './answer.ts';
import { type Clocks, type Deadline, deadlineIn, timeLeft } from './deadline.ts';
import type { MintFailure } from './minted.ts';

/** Passing faults: 1 s doubling to 1 min, with full jitter. */
const PASSING = { first: 1_000, max: 60_000 } as const;
/** Faults of the configuration: 1 min doubling to 10 min (adobe.md §1.5). */
const LASTING = { first: 60_000, max: 600_000 } as const;
/** Fresh tokens that the inlet refuses. It may be its own passing trouble, so the first waits are short. */
const REFUSED = { first: 5_000, max: 600_000 } as const;
/** Full jitter may draw almost nothing; a caller in a loop must not become a storm. */
const MIN_MS = 250;
/** Lasting faults wait up to this share longer, so that replicas do not return together. */
const LASTING_SPREAD = 0.2;

export type NoToken = Extract<TokenAnswer, { ok: false }>;

/** Why IMS must not be asked now, and until when. */
export interface MintHold {
  /** The answer to give instead of asking; undefined when asking is allowed. */
  current(): NoToken | undefined;
  /** A mint failed: waits, longer each time in a row, or as long as IMS said. */
  failed(failure: MintFailure): NoToken;
  /** The inlet refused a good-looking token. The first time in a row costs no wait; then it grows. */
  refused(age: 'young' | 'old'): NoToken | undefined;
  /** A mint went well: forgets failures. Refusals are remembered: only time shows that a token is good. */
  minted(): void;
  /** Forgets everything. */
  clear(): void;
}

function doubled(span: { readonly first: number; readonly max: number }, times: number): number {
  return Math.min(span.max, span.first * 2 ** Math.min(times, 20));
}

function spreadDelay(span: { readonly first: number; readonly max: number }, times: number, jitter: number) {
  return Math.min(span.max, doubled(span, times) * (1 + LASTING_SPREAD * jitter));
}

function passingDelay(times: number, jitter: number): number {
  return Math.max(MIN_MS, doubled(PASSING, times) * jitter);
}

/** @param times failures of this kind in a row before this one */
function failureDelay(failure: MintFailure, times: number, jitter: number): number {
  const asked = failure.retryAfter ?? 0;
  if (failure.permanent) return Math.max(asked, spreadDelay(LASTING, times, jitter));
  return asked > 0 ? Math.max(MIN_MS, asked) : passingDelay(times, jitter);
}

export function createMintHold(clocks: Clocks, jitter: () => number): MintHold {
  let held: { readonly until: Deadline; readonly answer: NoToken } | undefined;
  let failures = 0;
  let lasting = false;
  let refusals = 0;

  const hold = (answer: Omit<NoToken, 'retryAfter'>, delay: number): NoToken => {
    const retryAfter = Math.ceil(delay);
    held = { until: deadlineIn(clocks, retryAfter), answer: { ...answer, retryAfter } };
    return held.answer;
  };

  return {
    current() {
      if (held === undefined) return undefined;
      const retryAfter = Math.ceil(timeLeft(clocks, held.until));
      return retryAfter > 0 ? { ...held.answer, retryAfter } : undefined;
    },
    failed(failure) {
      failures = failure.permanent === lasting ? failures : 0;
      lasting = failure.permanent;
      const { code, detail, permanent } = failure;
      const answer = hold({ ok: false, code, detail, permanent }, failureDelay(failure, failures, jitter()));
      failures += 1;
      return answer;
    },
    refused(age) {
      refusals = age === 'young' ? refusals + 1 : 1;
      if (refusals === 1) return undefined;
      const detail =
        'The inlet refuses tokens that were just minted: does the credential have access to the sandbox?';
      const delay = spreadDelay(REFUSED, refusals - 2, jitter());
      return hold({ ok: false, code: 'token_refused', detail, permanent: false }, delay);
    },
    minted() {
      failures = 0;
      if (held?.answer.code !== 'token_refused') held = undefined;
    },
    clear() {
      held = undefined;
      failures = 0;
      refusals = 0;
    },
  };
}
