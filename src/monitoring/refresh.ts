import type { DestinationStatus } from '../delivery/destination-state.ts';
import type { Destinations } from '../delivery/destinations.ts';
import type { Capacity } from '../intake/capacity.ts';
import type { Marks } from '../intake/marks.ts';
import type { Journal } from '../journal/journal.ts';
import { readVersion } from '../version.ts';
import { CLOSED_BY, DESTINATION_STATES } from './label-values.ts';
import type { Metrics } from './metrics.ts';

export interface RefreshParts {
  readonly metrics: Metrics;
  readonly journal: Pick<Journal, 'ledger' | 'backlog' | 'pulseAge' | 'queued'>;
  readonly destinations: Pick<Destinations, 'all'>;
  readonly capacity: Pick<Capacity, 'health' | 'refusal'>;
  readonly marks: Marks;
  /** Epoch ms. */
  readonly now: () => number;
}

export function setDestinationState(
  metrics: Metrics,
  destination: string,
  state: DestinationStatus['state'],
): void {
  metrics.destinationFlowing.set({ destination }, state === 'flowing' ? 1 : 0);
  for (const one of DESTINATION_STATES) {
    metrics.destinationState.set({ destination, state: one }, one === state ? 1 : 0);
  }
}

/** What the process knows by itself: right even while the storage thread hangs. */
function setKnown({ metrics, journal, destinations, capacity }: RefreshParts, started: number): void {
  metrics.journalQueue.set(journal.queued());
  metrics.journalSilence.set(journal.pulseAge() / 1_000);
  const refusal = capacity.refusal();
  for (const reason of CLOSED_BY) metrics.intakeClosed.set({ reason }, reason === refusal?.code ? 1 : 0);
  for (const { config, dispatcher, tokens } of destinations.all) {
    const destination = config.name;
    const { state, lastSuccessAt = started } = dispatcher.state.status();
    setDestinationState(metrics, destination, state);
    metrics.lastSuccess.set({ destination }, lastSuccessAt / 1_000);
    metrics.slotLimit.set({ destination }, dispatcher.pace.slots.limit);
    metrics.slotsUsed.set({ destination }, dispatcher.pace.slots.used);
    if (tokens !== undefined) metrics.tokenSeconds.set({ destination }, tokens.secondsLeft() ?? 0);
  }
  if (capacity.health !== undefined) {
    metrics.storeUsedBytes.set(capacity.health.usedBytes);
    metrics.storeFreeBytes.set(capacity.health.freeBytes);
  }
}

async function setAsked({ metrics, journal, destinations, now }: RefreshParts): Promise<void> {
  const [ledger, backlog] = await Promise.all([journal.ledger(), journal.backlog()]);
  for (const [source, counts] of Object.entries(ledger)) {
    for (const [state, count] of Object.entries(counts)) metrics.events.set({ source, state }, count);
  }
  const byName = new Map(backlog.map((one) => [one.destination, one]));
  for (const { config } of destinations.all) {
    const destination = config.name;
    const { pending = 0, replaying = 0, oldestReceivedAt } = byName.get(destination) ?? {};
    const age = oldestReceivedAt === undefined ? 0 : Math.max(0, now() - oldestReceivedAt);
    metrics.pending.set({ destination }, pending);
    metrics.replaying.set({ destination }, replaying);
    metrics.oldestPending.set({ destination }, age / 1_000);
  }
}

/** Sets the gauges that are read from the journal and the destinations; called at each scrape. */
export function createRefresh(parts: RefreshParts): () => Promise<void> {
  const { metrics, marks, now } = parts;
  const started = now();
  metrics.buildInfo.set({ version: readVersion(), node: process.versions.node }, 1);
  metrics.storeMaxBytes.set(marks.maxBytes);
  metrics.storeMinFreeBytes.set(marks.minFree);
  return async () => {
    setKnown(parts, started);
    await setAsked(parts);
  };
}
