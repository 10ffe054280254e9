/** The outcome of one planned send. */
export type SendOutcome = 'accepted' | 'duplicate' | 'refused' | 'givenUp' | 'aborted';

/** The result of a run. */
export interface SendReport {
  /** Sends started: events and duplicates. */
  readonly sent: number;
  /** Duplicates: sends of an event that was sent before. */
  readonly resent: number;
  /** Reordered: sends held back on purpose. */
  readonly late: number;
  readonly accepted: number;
  /** Answers with the status `duplicate`. */
  readonly duplicate: number;
  /** Sends ended by a final answer, by its status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Sends that were refused, not accepted within the patience, or aborted. */
  readonly givenUp: number;
  /** HTTP requests. */
  readonly attempts: number;
  /** Repeated requests by the cause: a status or `network`. */
  readonly retries: Readonly<Record<string, number>>;
  /** Response times of the 2xx answers; absent if there are none. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly durationMs: number;
}

/** Collects the counts of a run. */
export interface SendTally {
  recordStart(isDuplicate: boolean, isReordered: boolean): void;
  /** Records a finished request; a successful one counts for the percentiles. */
  recordAttempt(durationMs: number, isSuccess: boolean): void;
  recordRetry(cause: string): void;
  recordFinish(outcome: SendOutcome, status?: number): void;
  report(): SendReport;
}

/** Durations kept for the percentiles; beyond this number, new ones replace the oldest. */
const MAX_DURATIONS = 100_000;

function percentile(sorted: readonly number[], share: number): number | undefined {
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}

/** @param now a monotonic clock, in ms */
export function createTally(now: () => number): SendTally {
  const startedAt = now();
  const durations: number[] = [];
  const refused: Record<string, number> = {};
  const retries: Record<string, number> = {};
  const sums = { sent: 0, resent: 0, late: 0, accepted: 0, duplicate: 0, givenUp: 0, attempts: 0 };
  let successes = 0;
  return {
    recordStart: (isDuplicate, isReordered) => {
      sums.sent += 1;
      if (isDuplicate) sums.resent += 1;
      if (isReordered) sums.late += 1;
    },
    recordAttempt: (durationMs, isSuccess) => {
      sums.attempts += 1;
      if (!isSuccess) return;
      durations[successes % MAX_DURATIONS] = durationMs;
      successes += 1;
    },
    recordRetry: (cause) => {
      retries[cause] = (retries[cause] ?? 0) + 1;
    },
    recordFinish: (outcome, status) => {
      if (outcome === 'accepted' || outcome === 'duplicate') sums[outcome] += 1;
      else sums.givenUp += 1;
      if (outcome === 'refused') refused[String(status)] = (refused[String(status)] ?? 0) + 1;
    },
    report: () => {
      const sorted = durations.toSorted((a, b) => a - b);
      const p50Ms = percentile(sorted, 0.5);
      const p95Ms = percentile(sorted, 0.95);
      return {
        ...sums,
        refused: { ...refused },
        retries: { ...retries },
        ...(p50Ms === undefined ? {} : { p50Ms }),
        ...(p95Ms === undefined ? {} : { p95Ms }),
        durationMs: Math.round(now() - startedAt),
      };
    },
  };
}
