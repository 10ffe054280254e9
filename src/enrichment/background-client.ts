import type { ApiAnswer } from '../capillary/api/api-answer.ts';
import type { ApiErrorKind } from '../capillary/api/api-errors.ts';
import type { CallOptions, CapillaryClient } from '../capillary/api/capillary-client.ts';
import { type CallQueue, PRIORITY, type Ticket } from './api-call-queue.ts';
import type { CallAllowance } from './call-allowance.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { StageClock } from './stage-clock.ts';

export interface BackgroundClientParts {
  readonly client: Pick<CapillaryClient, 'get'>;
  readonly queue: CallQueue;
  readonly budget: Pick<CallAllowance, 'pause'>;
  readonly circuit: Pick<CircuitBreaker, 'isOpen'>;
  readonly clock: Pick<StageClock, 'after'>;
  /** A number in [0, 1). */
  readonly jitter: () => number;
}

/** Default number of attempts of a call. */
const ATTEMPTS = 5;
const FIRST_RETRY_MS = 1_000;
/** The limit is per minute. Source: docs/platforms/capillary.md#api-access */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;

const RETRIED: ReadonlySet<ApiErrorKind> = new Set([
  'throttled',
  'busy',
  'unavailable',
  'foreign',
  'network',
]);

/** A call waits for its turn at most so long. */
const MAX_TURN_MS = 600_000;

interface Attempt {
  readonly answer: ApiAnswer;
  /** Without a call another attempt is useless. */
  readonly isMade: boolean;
}

function notMade(path: string, kind: ApiErrorKind, text: string): Attempt {
  const error = { kind, call: `GET ${path}`, text: `not made, because ${text}`, ambiguous: false };
  return { answer: { ok: false, error }, isMade: false };
}

/** Resolves after the time. @throws the reason of the aborted signal */
function pauseFor(
  ms: number,
  clock: BackgroundClientParts['clock'],
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    const cancel = clock.after(ms, end);
    const abort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Calls of other stages with the API client of a source that is enriched. Each waits until the
 * enricher needs no call, so what is live never waits for them; a 429 pauses all. Their failures
 * say nothing about the calls of enrichment, so they do not open its circuit.
 */
export function createBackgroundClient(parts: BackgroundClientParts): Pick<CapillaryClient, 'get'> {
  const { client, queue, budget, circuit, clock, jitter } = parts;

  const enter = async (ticket: Ticket, signal: AbortSignal | undefined): Promise<boolean> => {
    const cancel = (): void => queue.cancel(ticket);
    const cancelTimer = clock.after(MAX_TURN_MS, cancel);
    signal?.addEventListener('abort', cancel);
    try {
      return await queue.enter(ticket);
    } finally {
      cancelTimer();
      signal?.removeEventListener('abort', cancel);
    }
  };

  const once = async (path: string, options: CallOptions): Promise<Attempt> => {
    options.signal?.throwIfAborted();
    const unavailable = 'the calls of enrichment fail';
    if (circuit.isOpen) return notMade(path, 'unavailable', unavailable);
    const ticket = queue.plan(PRIORITY.refresh);
    const mayStart = await enter(ticket, options.signal);
    if (!mayStart) {
      options.signal?.throwIfAborted();
      return circuit.isOpen
        ? notMade(path, 'unavailable', unavailable)
        : notMade(path, 'busy', 'enrichment needs all calls per minute (api.callsPerMinute)');
    }
    try {
      return { answer: await client.get(path, { ...options, attempts: 1 }), isMade: true };
    } finally {
      queue.leave();
    }
  };

  return {
    async get(path, options = {}) {
      const { attempts = ATTEMPTS } = options;
      for (let count = 1; ; count += 1) {
        const { answer, isMade } = await once(path, options);
        if (answer.ok || !isMade) return answer;
        const { kind, retryAfterMs } = answer.error;
        const isThrottled = kind === 'throttled';
        const first = isThrottled ? FIRST_PAUSE_MS : FIRST_RETRY_MS;
        const growing = Math.min(MAX_PAUSE_MS, first * 2 ** (count - 1)) * (0.75 + jitter() / 2);
        const ms = retryAfterMs ?? growing;
        if (isThrottled) budget.pause(ms);
        if (count >= attempts || ms > MAX_PAUSE_MS || !RETRIED.has(kind)) return answer;
        if (!isThrottled) await pauseFor(ms, clock, options.signal);
      }
    },
  };
}
