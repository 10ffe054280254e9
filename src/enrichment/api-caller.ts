import type { ApiError } from '../capillary/api/api-errors.ts';
import type { MissingReason } from '../capillary/enricher.ts';
import type { FetchedCall } from '../capillary/entities.ts';
import type { CallAllowance } from './call-allowance.ts';
import type { CallQueue, Ticket } from './api-call-queue.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { Endpoint, EnrichmentObserver } from './enrichment-observer.ts';
import type { ForbiddenEndpoints } from './forbidden-endpoints.ts';
import type { ReadAnswer } from '../capillary/api/read-answer.ts';
import type { StageClock } from './stage-clock.ts';

/** How a call ended, after all its attempts. */
export type CallResult<T> =
  | {
      readonly ok: true;
      readonly value: T;
      readonly at: number;
      readonly call: FetchedCall;
      /** Monotonic ms. */
      readonly startedAt: number;
    }
  /** Capillary refuses this call, such as for a customer that it does not know. */
  | { readonly ok: false; readonly refusal: ApiError; readonly startedAt: number }
  /** The call cannot be made; `cancelled`: nobody wants it any more. */
  | {
      readonly ok: false;
      readonly reason: Extract<MissingReason, 'unavailable' | 'forbidden'> | 'cancelled';
      /** Of the last attempt, if it was answered. */
      readonly requestId?: string | undefined;
    };

export interface CallOptions {
  /** Made although the circuit is open or the endpoint was forbidden, and only once. */
  readonly isProbe?: boolean;
}

/** Makes the calls of one API client: each waits for its turn and is repeated if that can help. */
export interface ApiCaller {
  call<T>(
    endpoint: Endpoint,
    ticket: Ticket,
    read: (signal: AbortSignal) => Promise<ReadAnswer<T>>,
    options?: CallOptions,
  ): Promise<CallResult<T>>;
}

export interface ApiCallerParts {
  readonly source: string;
  /** How often a call is tried. */
  readonly attempts: number;
  readonly budget: CallAllowance;
  readonly queue: CallQueue;
  readonly circuit: CircuitBreaker;
  readonly forbidden: ForbiddenEndpoints;
  readonly observer: Pick<EnrichmentObserver, 'callEnded'>;
  readonly clock: StageClock;
  /** A number in [0, 1). */
  readonly jitter: () => number;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 1_000;
/** The limit is per minute. Source: docs/platforms/capillary.md#api-access */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;

/** What a failed attempt means for the next one. */
type Verdict = 'refusal' | 'forbidden' | 'again' | 'failing' | 'lasting' | 'throttled';

const VERDICTS: Partial<Readonly<Record<ApiError['kind'], Verdict>>> = {
  forbidden: 'forbidden',
  // Data of this customer that is not ready: the API itself is well.
  incomplete: 'again',
  busy: 'failing',
  network: 'failing',
  unavailable: 'failing',
  foreign: 'failing',
  unauthorized: 'lasting',
  throttled: 'throttled',
};

/**
 * Several actions of one customer are running, as they are right after an event.
 * Source: docs/platforms/capillary.md#api-errors
 */
const CUSTOMER_BUSY = 521;

function verdictOf({ kind, status }: ApiError): Verdict {
  return status === CUSTOMER_BUSY ? 'again' : (VERDICTS[kind] ?? 'refusal');
}

/** For status and log: where and how it failed, without what was answered. */
function reasonOf({ kind, status, code }: ApiError): string {
  return [kind, status ?? code].filter((part) => part !== undefined).join(' ');
}

export function createApiCaller(parts: ApiCallerParts): ApiCaller {
  const { budget, queue, circuit, forbidden, observer, clock, jitter, signal } = parts;
  /** 429 in a row. */
  let throttled = 0;

  /** Resolves after the time, or when all calls end. */
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      signal.addEventListener('abort', end);
    });

  const attempt = async <T>(
    endpoint: Endpoint,
    read: (signal: AbortSignal) => Promise<ReadAnswer<T>>,
  ): Promise<{ readonly answer: ReadAnswer<T> | undefined; readonly startedAt: number }> => {
    const startedAt = clock.monotonic();
    let answer: ReadAnswer<T> | undefined;
    try {
      answer = await read(signal);
    } catch (error) {
      // Only the end of the stage is thrown.
      if (!signal.aborted) throw error;
    } finally {
      queue.leave();
    }
    if (answer !== undefined) {
      const outcome = answer.ok ? 'ok' : answer.error.kind;
      const { requestId } = answer.ok ? answer.call : answer.error;
      observer.callEnded(parts.source, { endpoint, outcome, ms: clock.monotonic() - startedAt, requestId });
    }
    return { answer, startedAt };
  };

  const pauseAll = ({ retryAfterMs }: ApiError): void => {
    throttled += 1;
    const ms = retryAfterMs ?? Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(throttled - 1, 6));
    budget.pause(ms * (1 + jitter() / 4));
  };

  /** Records what an answer says about the API as a whole. */
  const judge = (endpoint: Endpoint, error: ApiError): Verdict => {
    const verdict = verdictOf(error);
    if (verdict === 'throttled') pauseAll(error);
    if (verdict === 'failing' || verdict === 'lasting')
      circuit.failed(reasonOf(error), verdict === 'lasting');
    if (verdict === 'forbidden') forbidden.refused(endpoint, error.missing ?? error.text);
    if (verdict === 'forbidden' || verdict === 'refusal') circuit.succeeded();
    return verdict;
  };

  return {
    async call(endpoint, ticket, read, { isProbe = false } = {}) {
      for (let failures = 0; ; ) {
        if (signal.aborted) return { ok: false, reason: 'cancelled' };
        if (circuit.isOpen && !isProbe) return { ok: false, reason: 'unavailable' };
        if (forbidden.isOff(endpoint) && !isProbe) return { ok: false, reason: 'forbidden' };
        if (!(await queue.enter(ticket))) return { ok: false, reason: 'cancelled' };
        const { answer, startedAt } = await attempt(endpoint, read);
        if (answer === undefined) return { ok: false, reason: 'cancelled' };
        if (answer.ok) {
          throttled = 0;
          forbidden.answered(endpoint);
          circuit.succeeded();
          return { ...answer, startedAt };
        }
        const { requestId } = answer.error;
        const verdict = judge(endpoint, answer.error);
        if (verdict === 'refusal') return { ok: false, refusal: answer.error, startedAt };
        if (verdict === 'forbidden') return { ok: false, reason: 'forbidden', requestId };
        if (verdict === 'throttled') continue;
        failures += 1;
        if (isProbe || verdict === 'lasting' || failures >= parts.attempts)
          return { ok: false, reason: 'unavailable', requestId };
        await wait(FIRST_RETRY_MS * 2 ** (failures - 1) * (0.75 + jitter() / 2));
      }
    },
  };
}
