import type { CallQueue, Ticket } from './api-call-queue.ts';
import { createSharedFetch, type FetchOutcome, type SharedFetch } from './shared-fetch.ts';
import type { StageClock } from './stage-clock.ts';

/**
 * The fetches of one kind of thing, by key. What has become too old is dropped soon, because it is
 * personal data.
 */
export interface FetchPool<Subject, T> {
  /** @param key unique for the subject */
  of(key: string, subject: Subject): SharedFetch<T>;
  /** The fetch of the key if it is kept. */
  peek(key: string): SharedFetch<T> | undefined;
  all(): Iterable<SharedFetch<T>>;
  /** Forgets everything. */
  close(): void;
}

export interface FetchPoolParts<Subject, T> {
  readonly fetch: (subject: Subject, ticket: Ticket) => Promise<FetchOutcome<T>>;
  readonly queue: CallQueue;
  readonly clock: StageClock;
  readonly onError: (error: unknown) => void;
}

const SWEEP_INTERVAL_MS = 10_000;

export function createFetchPool<Subject, T>(parts: FetchPoolParts<Subject, T>): FetchPool<Subject, T> {
  const { fetch, queue, clock, onError } = parts;
  const fetches = new Map<string, SharedFetch<T>>();
  let cancelSweep: (() => void) | undefined;

  const sweep = (): void => {
    for (const [key, one] of fetches) if (one.isIdle) fetches.delete(key);
    cancelSweep = fetches.size === 0 ? undefined : clock.after(SWEEP_INTERVAL_MS, sweep);
  };

  return {
    of(key, subject) {
      const kept = fetches.get(key);
      if (kept !== undefined) return kept;
      const added = createSharedFetch<T>({
        fetch: (ticket) => fetch(subject, ticket),
        queue,
        clock,
        onError,
      });
      fetches.set(key, added);
      cancelSweep ??= clock.after(SWEEP_INTERVAL_MS, sweep);
      return added;
    },
    peek: (key) => fetches.get(key),
    all: () => fetches.values(),
    close() {
      cancelSweep?.();
      fetches.clear();
    },
  };
}
