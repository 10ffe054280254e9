/** What became of one delivery in the end. */
export type SendOutcome = 'accepted' | 'duplicate' | 'refused' | 'givenUp' | 'aborted';

/** The sums of a run. */
export interface SendReport {
  /** Deliveries that were begun: events, and those sent twice. */
  readonly sent: number;
  /** Deliveries of an event that was sent before. */
  readonly resent: number;
  /** Deliveries that were held back on purpose. */
  readonly late: number;
  readonly accepted: number;
  /** Answers that said the event was known. */
  readonly duplicate: number;
  /** Deliveries that a 4xx ended, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Deliveries that were refused, or tried until patience ran out, or aborted. */
  readonly givenUp: number;
  /** HTTP requests in all. */
  readonly attempts: number;
  /** Requests that were made again, by what was wrong with the one before: a status or `network`. */
  readonly retries: Readonly<Record<string, number>>;
  /** ms from a request to its answer, of the answers with 2xx; absent without any. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  /** ms the run took. */
  readonly durationMs: number;
}

/** Adds up a run as it goes. */
export interface SendTally {
  began(isDuplicate: boolean, isLate: boolean): void;
  /** One request was answered; `ms` counts for the percentiles when it was good. */
  attempted(ms: number, isGood: boolean): void;
  retried(cause: string): void;
  ended(outcome: SendOutcome, status?: number): void;
  report(): SendReport;
}

/** Times kept for the percentiles; beyond that each new one takes the place of an old one in turn. */
const MAX_TIMES = 100_000;

function percentile(sorted: readonly number[], share: number): number | undefined {
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}

/** `now`: ms of a clock that only goes forward. */
export function createTally(now: () => number): SendTally {
  const startedAt = now();
  const times: number[] = [];
  const refused: Record<string, number> = {};
  const retries: Record<string, number> = {};
  const sums = { sent: 0, resent: 0, late: 0, accepted: 0, duplicate: 0, givenUp: 0, attempts: 0 };
  let good = 0;
  return {
    began: (isDuplicate, isLate) => {
      sums.sent += 1;
      if (isDuplicate) sums.resent += 1;
      if (isLate) sums.late += 1;
    },
    attempted: (ms, isGood) => {
      sums.attempts += 1;
      if (!isGood) return;
      times[good % MAX_TIMES] = ms;
      good += 1;
    },
    retried: (cause) => {
      retries[cause] = (retries[cause] ?? 0) + 1;
    },
    ended: (outcome, status) => {
      if (outcome === 'accepted' || outcome === 'duplicate') sums[outcome] += 1;
      else sums.givenUp += 1;
      if (outcome === 'refused') refused[String(status)] = (refused[String(status)] ?? 0) + 1;
    },
    report: () => {
      const sorted = times.toSorted((a, b) => a - b);
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
