import { type BatchReport, StoreError } from '../journal.ts';

type Call = (...args: never[]) => Promise<unknown>;

/** Wraps calls so that they are counted and refused once the journal closes. */
export interface CallTracker {
  /** Calls that have not been answered. */
  readonly running: number;
  reads<T extends object>(calls: T): T;
  /** The same for calls that wait for the disk of the server. */
  writes<T extends object>(calls: T): T;
  /** Refuses further calls and resolves when those under way have ended. */
  drain(): Promise<void>;
}

export function createCallTracker(report: (batch: BatchReport) => void = () => undefined): CallTracker {
  const running = new Set<Promise<unknown>>();
  let isOpen = true;

  const track = async (isWrite: boolean, call: () => Promise<unknown>): Promise<unknown> => {
    if (!isOpen) throw new StoreError('the store is closed');
    const startedAt = performance.now();
    const answer = call();
    running.add(answer);
    try {
      const value = await answer;
      report({ calls: 1, writes: isWrite, durationMs: performance.now() - startedAt });
      return value;
    } finally {
      running.delete(answer);
    }
  };

  const wrap = <T extends object>(calls: T, isWrite: boolean): T =>
    Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [
        name,
        (...args: never[]) => track(isWrite, () => (call as Call)(...args)),
      ]),
    ) as T;

  return {
    get running() {
      return running.size;
    },
    reads: (calls) => wrap(calls, false),
    writes: (calls) => wrap(calls, true),
    async drain() {
      isOpen = false;
      await Promise.allSettled(running);
    },
  };
}
