import { setTimeout as sleep } from 'node:timers/promises';
import type { Destinations } from '../delivery/destinations.ts';
import type { DestinationReport, ReplicaReport } from '../journal/journal.ts';
import type { Metrics } from './metrics.ts';

/** Time between two samples of the counters. */
const SAMPLE_INTERVAL_MS = 5_000;
/** Time over which the rates are averaged. */
const WINDOW_MS = 60_000;

interface Sample {
  /** ms of a monotonic clock. */
  readonly at: number;
  readonly accepted: number;
  readonly delivered: number;
}

/** What this process tells the other replicas, and `GET /admin/v1/replicas`, about itself. */
export interface ReplicaReports {
  report(): ReplicaReport;
  /** Samples the counters until the signal aborts. */
  start(signal: AbortSignal): void;
  /** Takes one sample. */
  sample(): void;
}

interface ReportParts {
  readonly metrics: Pick<Metrics, 'accepted' | 'delivered'>;
  readonly destinations: Pick<Destinations, 'all' | 'inFlight'>;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
}

export function createReplicaReports({
  metrics,
  destinations,
  monotonic = () => performance.now(),
}: ReportParts): ReplicaReports {
  const now = (): Sample => ({
    at: monotonic(),
    accepted: metrics.accepted.total,
    delivered: metrics.delivered.total,
  });
  let samples: readonly Sample[] = [now()];

  const rates = (): NonNullable<ReplicaReport['rates']> => {
    const last = now();
    const first = samples[0] ?? last;
    const seconds = Math.max(1, (last.at - first.at) / 1_000);
    const rate = (name: 'accepted' | 'delivered'): number =>
      Math.round((10 * (last[name] - first[name])) / seconds) / 10;
    return { accepted: rate('accepted'), delivered: rate('delivered') };
  };

  const describe = (): [string, DestinationReport][] =>
    destinations.all.map(({ config, dispatcher }) => {
      const { state, reason } = dispatcher.state.status();
      const inFlight = destinations.inFlight(config.name);
      return [config.name, { state, ...(reason === undefined ? {} : { reason }), inFlight }];
    });

  const sample = (): void => {
    const last = now();
    samples = [...samples.filter(({ at }) => at > last.at - WINDOW_MS), last];
  };

  return {
    report: () => ({ rates: rates(), destinations: Object.fromEntries(describe()) }),
    sample,
    start(signal) {
      void (async () => {
        while (!signal.aborted) {
          await sleep(SAMPLE_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
          sample();
        }
      })();
    },
  };
}
