import type { DestinationStatus } from '../delivery/destination-state.ts';
import type { Destinations } from '../delivery/destinations.ts';
import type { AdmissionControl, Watermarks } from '../intake/admission.ts';
import type { Journal, Ledger } from '../journal/journal.ts';
import { readVersion } from '../version.ts';
import { CLOSED_BY, DESTINATION_STATES } from './metric-labels.ts';
import type { Metrics } from './metrics.ts';

export interface RefreshParts {
  readonly metrics: Metrics;
  readonly journal: Pick<Journal, 'ledger' | 'backlog' | 'silentFor'>;
  readonly destinations: Pick<Destinations, 'all' | 'misplaced'>;
  readonly admission: Pick<AdmissionControl, 'status' | 'refusal'>;
  readonly watermarks: Watermarks;
  /** Names of the configured sources. */
  readonly sources: () => readonly string[];
  /** Epoch ms. */
  readonly now: () => number;
}

export function setDestinationState(
  metrics: Metrics,
  destination: string,
  state: DestinationStatus['state'],
): void {
  metrics.destinationFlowing.set({ destination }, state === 'flowing' ? 1 : 0);
  for (const label of DESTINATION_STATES) {
    metrics.destinationState.set({ destination, state: label }, label === state ? 1 : 0);
  }
}

/** A reload may have removed a destination, whose last values would stay for ever. */
function forgetDestinations(metrics: Metrics): void {
  const { destinationFlowing, destinationState, lastSuccess, slotLimit, slotsUsed, tokenSeconds } = metrics;
  for (const gauge of [destinationFlowing, destinationState, lastSuccess, slotLimit, slotsUsed, tokenSeconds])
    gauge.reset();
}

/** Gauges from memory: correct even while the storage thread does not answer. */
function setFromMemory({ metrics, journal, destinations, admission }: RefreshParts, started: number): void {
  forgetDestinations(metrics);
  metrics.journalQueue.set(admission.status?.queued ?? 0);
  metrics.journalSilence.set(journal.silentFor() / 1_000);
  const refusal = admission.refusal();
  for (const reason of CLOSED_BY) metrics.intakeClosed.set({ reason }, reason === refusal?.code ? 1 : 0);
  metrics.destinationStopped.reset();
  for (const { config, dispatcher, tokens } of destinations.all) {
    const destination = config.name;
    const { state, reason, lastSuccessAt = started } = dispatcher.state.status();
    setDestinationState(metrics, destination, state);
    if (reason !== undefined) metrics.destinationStopped.set({ destination, reason }, 1);
    metrics.lastSuccess.set({ destination }, lastSuccessAt / 1_000);
    metrics.slotLimit.set({ destination }, dispatcher.pace.slots.limit);
    metrics.slotsUsed.set({ destination }, dispatcher.pace.slots.used);
    if (tokens !== undefined) metrics.tokenSeconds.set({ destination }, tokens.secondsLeft() ?? 0);
  }
  if (admission.status !== undefined) {
    metrics.storeUsedBytes.set(admission.status.usedBytes);
    metrics.storeFreeBytes.set(admission.status.freeBytes);
    const { intakeLogBytes = 0, walBytes = 0 } = admission.status.gauges;
    metrics.storeLogBytes.set({ log: 'intake' }, intakeLogBytes);
    metrics.storeLogBytes.set({ log: 'write-ahead' }, walBytes);
  }
}

/** Pending events of all sources but these. */
function pendingWithout(sources: readonly string[], ledger: Ledger): number {
  return Object.entries(ledger)
    .filter(([name]) => !sources.includes(name))
    .reduce((sum, [, { pending }]) => sum + pending, 0);
}

/** Gauges that need calls to the storage thread. */
async function setFromJournal({ metrics, journal, destinations, sources, now }: RefreshParts): Promise<void> {
  const [ledger, backlog] = await Promise.all([journal.ledger(), journal.backlog()]);
  for (const [source, counts] of Object.entries(ledger)) {
    for (const [state, count] of Object.entries(counts)) metrics.events.set({ source, state }, count);
  }
  const { misplaced } = destinations;
  // Counting them reads all pending events, so it is repeated only while there are any.
  if (misplaced.known.length > 0) await misplaced.check();
  metrics.pendingMisplaced.reset();
  for (const { source, pending } of misplaced.known) metrics.pendingMisplaced.inc({ source }, pending);
  metrics.pendingUnconfigured.set(pendingWithout(sources(), ledger));
  for (const gauge of [metrics.pending, metrics.replaying, metrics.oldestPending]) gauge.reset();
  const byName = new Map(backlog.map((entry) => [entry.destination, entry]));
  for (const { config } of destinations.all) {
    const destination = config.name;
    const { pending = 0, replaying = 0, oldestReceivedAt } = byName.get(destination) ?? {};
    const age = oldestReceivedAt === undefined ? 0 : Math.max(0, now() - oldestReceivedAt);
    metrics.pending.set({ destination }, pending);
    metrics.replaying.set({ destination }, replaying);
    metrics.oldestPending.set({ destination }, age / 1_000);
  }
}

/** Sets the gauges that are read from the journal and the destinations. Called at each scrape. */
export function createMetricsRefresh(parts: RefreshParts): () => Promise<void> {
  const { metrics, watermarks, now } = parts;
  const started = now();
  metrics.buildInfo.set({ version: readVersion(), node: process.versions.node }, 1);
  return async () => {
    metrics.storeMaxBytes.set(watermarks.maxBytes);
    metrics.storeMinFreeBytes.set(watermarks.minFree);
    setFromMemory(parts, started);
    await setFromJournal(parts);
  };
}
