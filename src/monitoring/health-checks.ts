import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Check, HealthSource } from '../admin/health.ts';
import type { SourceConfig } from '../config/schema.ts';
import type { RunningDestination } from '../delivery/destinations.ts';
import type { Gate } from '../intake/gate.ts';
import type { Journal } from '../journal/journal.ts';

/** ms that the event loop may have been held up since the last look. */
const LONGEST_STALL = 5_000;
/** ms without a sign of the storage thread. A long step of it takes a few seconds at most. */
const LONGEST_SILENCE = 15_000;
/** ms in which something must move to a destination that flows while events are due for it. */
const LONGEST_STILLNESS = 60_000;

/** One destination, as far as its movement goes. */
export interface Moving {
  readonly config: Pick<RunningDestination['config'], 'name'>;
  readonly dispatcher: Pick<RunningDestination['dispatcher'], 'stillFor' | 'inFlight'> & {
    readonly state: Pick<RunningDestination['dispatcher']['state'], 'status'>;
  };
}

export interface HealthParts {
  readonly journal: Pick<Journal, 'pulseAge' | 'claim'>;
  readonly gate: Pick<Gate, 'refusal'>;
  readonly sources: readonly Pick<SourceConfig, 'name' | 'destination'>[];
  readonly destinations: { readonly all: readonly Moving[] };
  readonly now: () => number;
  /** Longest time in ms that the event loop was held up since the last call. */
  readonly takeStall?: () => number;
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}

function check(name: string, trouble: string | undefined): Check {
  return trouble === undefined ? { name, ok: true } : { name, ok: false, detail: trouble };
}

/** A loop that is stuck for good answers nobody, and the prober's time runs out; this tells of one that gets stuck again and again. */
function watchLoop(): () => number {
  const histogram = monitorEventLoopDelay();
  histogram.enable();
  return () => {
    const ms = histogram.max / 1e6;
    histogram.reset();
    return ms;
  };
}

/** Looks without taking: a claim of nothing says when the next event is due that nobody holds. */
async function dueSince(
  { journal, sources, now }: HealthParts,
  destination: string,
): Promise<number | undefined> {
  const names = sources.filter((source) => source.destination === destination).map(({ name }) => name);
  const nothing = { limit: 0, replays: 0, maxBytes: 0 };
  return (await journal.claim({ destination, sources: names, ...nothing, now: now() })).nextDueAt;
}

async function stillness(parts: HealthParts, { config, dispatcher }: Moving): Promise<string | undefined> {
  const { stillFor } = dispatcher;
  if (stillFor < LONGEST_STILLNESS || dispatcher.state.status().state !== 'flowing') return undefined;
  const due = await dueSince(parts, config.name).catch(() => 0);
  const overdue = due !== undefined && due <= parts.now() - LONGEST_STILLNESS;
  return overdue || dispatcher.inFlight > 0
    ? `events are due, but none has got an outcome for ${seconds(stillFor)} s`
    : undefined;
}

/** What `/livez` and `/readyz` look at. */
export function createHealthChecks(parts: HealthParts): HealthSource {
  const takeStall = parts.takeStall ?? watchLoop();

  const storage = (): Check => {
    const age = parts.journal.pulseAge();
    const silent = age > LONGEST_SILENCE ? `has shown no sign of life for ${seconds(age)} s` : undefined;
    return check('storage-thread', silent);
  };

  return {
    live: () => {
      const stall = takeStall();
      const stuck = stall > LONGEST_STALL ? `was held up for ${seconds(stall)} s` : undefined;
      return [check('event-loop', stuck), storage()];
    },
    ready: async () => {
      const journal = check('journal', parts.gate.refusal()?.detail);
      const thread = storage();
      // One that does not answer is not asked.
      if (!thread.ok) return [journal, thread];
      const deliveries = parts.destinations.all.map(async (one) =>
        check(`delivery/${one.config.name}`, await stillness(parts, one)),
      );
      return [journal, thread, ...(await Promise.all(deliveries))];
    },
  };
}
