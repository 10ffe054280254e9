import type { MissingReason } from '../capillary/enricher.ts';
import { type CallQueue, PRIORITY, type Priority, type Ticket } from './api-call-queue.ts';
import type { CallResult } from './api-caller.ts';
import type { StageClock } from './stage-clock.ts';

interface Answered {
  /** `X-CAP-REQUEST-ID` of the last call, if there was an answer. */
  readonly requestId?: string | undefined;
}

/** What a fetch came to. */
export type FetchOutcome<T> =
  | {
      readonly kind: 'fetched';
      readonly value: T;
      /** Monotonic ms at which its first call started. */
      readonly startedAt: number;
    }
  | ({
      readonly kind: 'failed';
      readonly reason: Extract<MissingReason, 'unavailable' | 'forbidden'>;
    } & Answered)
  /** Capillary does not know it; `isFinal`: it will not know it later either. */
  | ({ readonly kind: 'unknown'; readonly isFinal: boolean } & Answered)
  | { readonly kind: 'cancelled' };

/** What a call that was not answered with a value means for its fetch. */
export function failureOf(result: Extract<CallResult<unknown>, { ok: false }>): FetchOutcome<never> {
  // A refusal of the call itself is the same later.
  if ('refusal' in result) {
    const { kind, requestId } = result.refusal;
    return { kind: 'unknown', isFinal: kind === 'invalid', requestId };
  }
  const { reason, requestId } = result;
  return reason === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', reason, requestId };
}

/** The value, or why there is none. */
export type FetchedPart<T> =
  | { readonly value: T; readonly missing?: undefined }
  | ({ readonly value?: undefined; readonly missing: MissingReason } & Answered);

/** An event that waits for a fetch. All times are monotonic ms. */
export interface Waiter<T> {
  /** An answer serves it if its first call started then or later. */
  readonly servedFrom: number;
  /** Its fetch should start then, so that the events of one purchase share it. */
  readonly due: number;
  /** Then it goes on without. */
  readonly deadline: number;
  readonly priority: Priority;
  /** Called once, perhaps at once. */
  readonly done: (part: FetchedPart<T>) => void;
}

/**
 * Fetches one thing, such as a customer, for all events that want it. There is one fetch at a time;
 * it is repeated while Capillary does not know the thing yet.
 */
export interface SharedFetch<T> {
  /** The last answer if it serves an event that wants one from then on. */
  answerFor(servedFrom: number): T | undefined;
  /** @returns removes the waiter, which is then not called; if it was the last, no call starts */
  join(waiter: Waiter<T>): () => void;
  /** Whether a fetch is planned or running. */
  readonly isActive: boolean;
  /** All waiters go on without, and no call starts. */
  release(reason: MissingReason): void;
  /** Forgets the last answer, or only if it is of this kind. */
  forget(isMeant?: (value: T) => boolean): void;
  /** Whether nothing is worth keeping. */
  readonly isIdle: boolean;
}

export interface SharedFetchParts<T> {
  readonly fetch: (ticket: Ticket) => Promise<FetchOutcome<T>>;
  readonly queue: CallQueue;
  /** Called if `fetch` throws, which is a fault of the relay. */
  readonly onError: (error: unknown) => void;
  readonly clock: StageClock;
}

/** An answer is shared for so long. */
const MAX_ANSWER_AGE_MS = 30_000;
/** After each time that Capillary did not know it. */
const UNKNOWN_DELAYS_MS = [2_000, 5_000, 20_000, 60_000] as const;
/** After that an event waits for the first of these delays again. */
const UNKNOWN_MEMORY_MS = 60_000;

/** The others are not worth several calls: they are many, or come again. */
const WAITS_FOR_UNKNOWN: ReadonlySet<Priority> = new Set([PRIORITY.live, PRIORITY.replay]);

interface Waiting<T> {
  readonly waiter: Waiter<T>;
  readonly cancelDeadline: () => void;
}

interface Run {
  readonly ticket: Ticket;
  due: number;
  hasStarted: boolean;
  cancelTimer: () => void;
}

export function createSharedFetch<T>(parts: SharedFetchParts<T>): SharedFetch<T> {
  const { queue, clock } = parts;
  const waiting = new Set<Waiting<T>>();
  let run: Run | undefined;
  let answer: { readonly value: T; readonly startedAt: number } | undefined;
  let unknowns = 0;
  let unknownAt = 0;

  const end = (one: Waiting<T>, part: FetchedPart<T>): void => {
    if (!waiting.delete(one)) return;
    one.cancelDeadline();
    one.waiter.done(part);
  };

  const endAll = (missing: MissingReason, requestId?: string): void => {
    for (const one of waiting) end(one, { missing, requestId });
  };

  const stopIfUnwanted = (): void => {
    if (waiting.size > 0 || run === undefined) return;
    run.cancelTimer();
    queue.cancel(run.ticket);
    // A call that has started goes on: its answer serves the next event.
    if (!run.hasStarted) run = undefined;
  };

  const planAt = (due: number): void => {
    const now = clock.monotonic();
    if (run === undefined) {
      let priority: Priority = PRIORITY.refresh;
      for (const { waiter } of waiting) if (waiter.priority < priority) priority = waiter.priority;
      run = { ticket: queue.plan(priority), due, hasStarted: false, cancelTimer: () => undefined };
    }
    const planned = run;
    planned.due = due;
    planned.cancelTimer();
    if (due <= now) void start(planned);
    else planned.cancelTimer = clock.after(due - now, () => void start(planned));
  };

  const planForWaiting = (): void => {
    let due = Number.POSITIVE_INFINITY;
    let earliest = 0;
    for (const { waiter } of waiting) {
      due = Math.min(due, waiter.due);
      earliest = Math.max(earliest, waiter.servedFrom);
    }
    planAt(Math.max(due, earliest));
  };

  const finishUnknown = ({ isFinal, requestId }: Extract<FetchOutcome<T>, { kind: 'unknown' }>): void => {
    const delay = isFinal ? undefined : UNKNOWN_DELAYS_MS[unknowns];
    unknowns += 1;
    unknownAt = clock.monotonic();
    const retryAt = delay === undefined ? Number.POSITIVE_INFINITY : unknownAt + delay;
    for (const one of waiting)
      if (one.waiter.deadline < retryAt || !WAITS_FOR_UNKNOWN.has(one.waiter.priority))
        end(one, { missing: 'unknown', requestId });
    if (waiting.size > 0) planAt(retryAt);
  };

  const finish = (outcome: FetchOutcome<T>): void => {
    if (outcome.kind === 'unknown') {
      finishUnknown(outcome);
      return;
    }
    if (outcome.kind === 'failed') {
      endAll(outcome.reason, outcome.requestId);
      return;
    }
    if (outcome.kind === 'fetched') {
      const { value, startedAt } = outcome;
      answer = { value, startedAt };
      unknowns = 0;
      for (const one of waiting) if (one.waiter.servedFrom <= startedAt) end(one, { value });
    }
    if (waiting.size > 0) planForWaiting();
  };

  const start = async (started: Run): Promise<void> => {
    started.hasStarted = true;
    let outcome: FetchOutcome<T> = { kind: 'failed', reason: 'unavailable' };
    try {
      outcome = await parts.fetch(started.ticket);
    } catch (error) {
      parts.onError(error);
    }
    queue.cancel(started.ticket);
    if (run === started) run = undefined;
    finish(outcome);
  };

  const missingAtDeadline = (): MissingReason => {
    if (unknowns > 0) return 'unknown';
    return run?.hasStarted === true && run.ticket.turn === undefined ? 'timeout' : 'budget';
  };

  return {
    answerFor(servedFrom) {
      if (answer === undefined || answer.startedAt < servedFrom) return undefined;
      return clock.monotonic() - answer.startedAt > MAX_ANSWER_AGE_MS ? undefined : answer.value;
    },
    join(waiter) {
      const now = clock.monotonic();
      if (run?.hasStarted === false && run.due > waiter.deadline) {
        waiter.done({ missing: missingAtDeadline() });
        return () => undefined;
      }
      if (now - unknownAt > UNKNOWN_MEMORY_MS && run === undefined) unknowns = 0;
      const one: Waiting<T> = {
        waiter,
        cancelDeadline: clock.after(waiter.deadline - now, () => {
          end(one, { missing: missingAtDeadline() });
          stopIfUnwanted();
        }),
      };
      waiting.add(one);
      if (run === undefined) planForWaiting();
      else {
        queue.raise(run.ticket, waiter.priority);
        if (!run.hasStarted && run.due < waiter.servedFrom) planAt(waiter.servedFrom);
      }
      return () => {
        if (!waiting.delete(one)) return;
        one.cancelDeadline();
        stopIfUnwanted();
      };
    },
    get isActive() {
      return run !== undefined;
    },
    release(reason) {
      endAll(reason);
      stopIfUnwanted();
    },
    forget(isMeant) {
      if (answer !== undefined && (isMeant?.(answer.value) ?? true)) answer = undefined;
    },
    get isIdle() {
      const now = clock.monotonic();
      const isKnown = answer !== undefined && now - answer.startedAt <= MAX_ANSWER_AGE_MS;
      const isUnknown = unknowns > 0 && now - unknownAt <= UNKNOWN_MEMORY_MS;
      return run === undefined && !isKnown && !isUnknown && waiting.size === 0;
    },
  };
}
