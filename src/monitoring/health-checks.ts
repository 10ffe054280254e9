import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HealthCheck, HealthSource } from '../admin/admin-parts.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { RunningDestination } from '../delivery/running-destination.ts';
import type { Admission } from '../intake/admission.ts';
import type { Journal } from '../journal/journal.ts';

/** Longest tolerated delay of the event loop since the last check. */
const MAX_LOOP_DELAY_MS = 5_000;
/** Longest tolerated time without a heartbeat; the storage thread's longest steps take seconds. */
const MAX_HEARTBEAT_AGE_MS = 15_000;
/** Longest tolerated time without progress of a flowing destination that has due events. */
const MAX_MS_WITHOUT_PROGRESS = 60_000;

/** What shows whether a destination makes progress. */
export interface DestinationProgress {
  readonly config: Pick<RunningDestination['config'], 'name'>;
  readonly dispatcher: Pick<RunningDestination['dispatcher'], 'msSinceProgress' | 'inFlight'> & {
    readonly state: Pick<RunningDestination['dispatcher']['state'], 'status'>;
  };
}

export interface HealthParts {
  readonly journal: Pick<Journal, 'silentFor' | 'status'>;
  /**
   * Whether the store is in a thread of this process, whose death only a restart repairs. An outage
   * of a database is none of `/livez`: a restart would not end it.
   */
  readonly hasStorageThread: boolean;
  readonly admission: Pick<Admission, 'refusal'>;
  readonly sources: () => readonly Pick<SourceConfig, 'name' | 'destination'>[];
  readonly destinations: { readonly all: readonly DestinationProgress[] };
  /** Longest delay of the event loop in ms since the last call. */
  readonly maxLoopDelay?: () => number;
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}

function toCheck(name: string, failure: string | undefined): HealthCheck {
  return failure === undefined ? { name, ok: true } : { name, ok: false, detail: failure };
}

/**
 * A permanently blocked loop makes the probe time out; this detects one that is blocked
 * repeatedly.
 */
function watchEventLoop(): () => number {
  const histogram = monitorEventLoopDelay();
  histogram.enable();
  return () => {
    const ms = histogram.max / 1e6;
    histogram.reset();
    return ms;
  };
}

async function findStall(
  parts: HealthParts,
  { config, dispatcher }: DestinationProgress,
): Promise<string | undefined> {
  const { msSinceProgress } = dispatcher;
  if (msSinceProgress < MAX_MS_WITHOUT_PROGRESS || dispatcher.state.status().state !== 'flowing')
    return undefined;
  const own = new Set(
    parts
      .sources()
      .filter((source) => source.destination === config.name)
      .map(({ name }) => name),
  );
  const overdue = (await parts.journal.status()).overdue.some(
    ({ source, destination, since }) =>
      destination === config.name && own.has(source) && since >= MAX_MS_WITHOUT_PROGRESS,
  );
  return overdue || dispatcher.inFlight > 0
    ? `events are due, but none was settled for ${seconds(msSinceProgress)} s`
    : undefined;
}

/** The checks of `/livez` and `/readyz`. */
export function createHealthChecks(parts: HealthParts): HealthSource {
  const maxLoopDelay = parts.maxLoopDelay ?? watchEventLoop();

  const storage = (): HealthCheck[] => {
    if (!parts.hasStorageThread) return [];
    const age = parts.journal.silentFor();
    const failure = age > MAX_HEARTBEAT_AGE_MS ? `has sent no heartbeat for ${seconds(age)} s` : undefined;
    return [toCheck('storage-thread', failure)];
  };

  return {
    live: () => {
      const delay = maxLoopDelay();
      const failure = delay > MAX_LOOP_DELAY_MS ? `was blocked for ${seconds(delay)} s` : undefined;
      return [toCheck('event-loop', failure), ...storage()];
    },
    ready: async () => {
      const refusal = parts.admission.refusal();
      const journal = toCheck('journal', refusal?.cause ?? refusal?.detail);
      const thread = storage();
      // Without the storage thread the delivery checks could only time out.
      if (thread.some(({ ok }) => !ok)) return [journal, ...thread];
      const deliveries = parts.destinations.all.map(async (destination) =>
        toCheck(`delivery/${destination.config.name}`, await findStall(parts, destination)),
      );
      return [journal, ...thread, ...(await Promise.all(deliveries))];
    },
  };
}
