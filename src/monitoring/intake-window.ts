import type { IntakeCounts } from '../admin/admin-parts.ts';
import type { WebhookReport } from '../intake/webhook-report.ts';

const WINDOW_MINUTES = 15;
const MINUTE_MS = 60_000;
/** First status of a refusal. */
const MIN_REFUSAL_STATUS = 400;

/** The answer to a path that is no webhook, such as a browser's request for an icon. */
const OTHER_PATH = 'not-found';

/** Within one minute: source → outcome → number of webhooks, and requests to other paths. */
interface MinuteCounts {
  readonly sources: Map<string, Map<string, number>>;
  otherPaths: number;
}

/** What is known of a source since the start of the process. Times are epoch ms. */
interface Latest {
  lastAcceptedAt?: number;
  lastRefusedAt?: number;
  refusedInARow: number;
}

/** Counts of the webhooks that were answered in the last minutes, by source and outcome. */
export interface IntakeWindow {
  count(report: Pick<WebhookReport, 'source' | 'outcome' | 'status'>): void;
  /** Quarantined requests of a source were accepted: it no longer refuses everything. */
  released(source: string): void;
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

  const latestOf = (source: string): Latest => {
    const known = latest.get(source) ?? { refusedInARow: 0 };
    latest.set(source, known);
    return known;
  };
  const accept = (source: string): void => {
    const known = latestOf(source);
    known.lastAcceptedAt = now();
    known.refusedInARow = 0;
  };

  return {
    released: accept,
    count({ source, outcome, status }) {
      const at = now();
      const minute = Math.floor(at / MINUTE_MS);
      let current = minutes.get(minute);
      if (current === undefined) {
        dropOld(minute);
        current = { sources: new Map(), otherPaths: 0 };
        minutes.set(minute, current);
      }
      if (outcome === OTHER_PATH) {
        current.otherPaths += 1;
        return;
      }
      const outcomes = current.sources.get(source) ?? new Map<string, number>();
      current.sources.set(source, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));

      if (status < MIN_REFUSAL_STATUS) accept(source);
      else {
        const known = latestOf(source);
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
      let otherPaths = 0;
      for (const counts of minutes.values()) {
        otherPaths += counts.otherPaths;
        for (const [source, outcomes] of counts.sources) {
          const sums = sources.get(source)?.outcomes;
          for (const [outcome, count] of outcomes) sums?.set(outcome, (sums.get(outcome) ?? 0) + count);
        }
      }
      const beginning = (minute - WINDOW_MINUTES + 1) * MINUTE_MS;
      return { minutes: WINDOW_MINUTES, since: Math.max(startedAt, beginning), sources, otherPaths };
    },
  };
}
