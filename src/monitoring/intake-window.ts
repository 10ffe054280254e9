import type { IntakeCounts } from '../admin/admin-parts.ts';
import type { WebhookReport } from '../intake/webhook-report.ts';

const WINDOW_MINUTES = 15;
const MINUTE_MS = 60_000;
/** First status of a refusal. */
const MIN_REFUSAL_STATUS = 400;

/** Source → outcome → number of webhooks, within one minute. */
type MinuteCounts = Map<string, Map<string, number>>;

/** What is known of a source since the start of the process. Times are epoch ms. */
interface Latest {
  lastAcceptedAt?: number;
  lastRefusedAt?: number;
  refusedInARow: number;
}

/** Counts of the webhooks that were answered in the last minutes, by source and outcome. */
export interface IntakeWindow {
  count(report: Pick<WebhookReport, 'source' | 'outcome' | 'status'>): void;
  counts(): IntakeCounts;
}

/**
 * One set of counts per minute; those older than the window are dropped. Bounded: the sources are
 * the configured ones and `unknown`, and the outcomes are fixed codes.
 */
export function createIntakeWindow(now: () => number): IntakeWindow {
  const startedAt = now();
  const minutes = new Map<number, MinuteCounts>();
  const latest = new Map<string, Latest>();

  const dropOld = (minute: number): void => {
    // A clock that was set back leaves minutes in the future.
    for (const key of minutes.keys()) if (key <= minute - WINDOW_MINUTES || key > minute) minutes.delete(key);
  };

  return {
    count({ source, outcome, status }) {
      const at = now();
      const minute = Math.floor(at / MINUTE_MS);
      let current = minutes.get(minute);
      if (current === undefined) {
        dropOld(minute);
        current = new Map();
        minutes.set(minute, current);
      }
      const outcomes = current.get(source) ?? new Map<string, number>();
      current.set(source, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));

      const known = latest.get(source) ?? { refusedInARow: 0 };
      latest.set(source, known);
      if (status < MIN_REFUSAL_STATUS) {
        known.lastAcceptedAt = at;
        known.refusedInARow = 0;
      } else {
        known.lastRefusedAt = at;
        known.refusedInARow += 1;
      }
    },
    counts() {
      const minute = Math.floor(now() / MINUTE_MS);
      dropOld(minute);
      const sources = new Map(
        [...latest].map(([source, known]) => [source, { ...known, outcomes: new Map<string, number>() }]),
      );
      for (const counts of minutes.values()) {
        for (const [source, outcomes] of counts) {
          const sums = sources.get(source)?.outcomes;
          for (const [outcome, count] of outcomes) sums?.set(outcome, (sums.get(outcome) ?? 0) + count);
        }
      }
      const beginning = (minute - WINDOW_MINUTES + 1) * MINUTE_MS;
      return { minutes: WINDOW_MINUTES, since: Math.max(startedAt, beginning), sources };
    },
  };
}
