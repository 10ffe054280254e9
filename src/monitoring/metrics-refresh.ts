import type { DestinationStatus } from '../delivery/destination-state.ts';
import type { Destinations } from '../delivery/destinations.ts';
import type { EnrichmentStatus } from '../enrichment/enrichment-status.ts';
import type { AdmissionControl, Watermarks } from '../intake/admission.ts';
import {
  type Journal,
  type Ledger,
  type ReplicaStatus,
  SLOTS,
  type StoreStatus,
} from '../journal/journal.ts';
import type { ReconciliationReport } from '../reconciliation/reconciliation-report.ts';
import { readVersion } from '../version.ts';
import { setEnrichmentGauges, setRefreshGauges } from './enrichment-reports.ts';
import { CLOSED_BY, DESTINATION_STATES } from './metric-labels.ts';
import type { Metrics } from './metrics.ts';
import { setReconciliationGauges } from './reconciliation-reports.ts';

export interface RefreshParts {
  readonly metrics: Metrics;
  readonly journal: Pick<
    Journal,
    'ledger' | 'backlog' | 'refreshes' | 'silentFor' | 'isLeader' | 'replicas' | 'shareOf'
  >;
  readonly destinations: Pick<Destinations, 'all' | 'misplaced'>;
  readonly admission: Pick<AdmissionControl, 'status' | 'refusal'>;
  readonly watermarks: Watermarks;
  /** Whether the store is in a database that replicas share. */
  readonly isShared: boolean;
  /** Of the sources that are enriched. */
  readonly enrichment: () => readonly EnrichmentStatus[];
  /** What is compared with Capillary and AEP. */
  readonly reconciliation: () => Promise<ReconciliationReport>;
  /** Names of the configured sources. */
  readonly sources: () => readonly string[];
  /** Where refreshes of the enriched sources are sent. */
  readonly refreshRoutes: () => readonly { readonly name: string; readonly destination: string }[];
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
  const { destinationFlowing, destinationState, lastSuccess, slotLimit, slotsUsed, slotsOwned } = metrics;
  const gauges = [destinationFlowing, destinationState, lastSuccess, slotLimit, slotsUsed, slotsOwned];
  for (const gauge of [...gauges, metrics.tokenSeconds]) gauge.reset();
}

/** Gauges from memory: correct even while the storage thread does not answer. */
function setFromMemory(parts: RefreshParts, started: number): void {
  const { metrics, journal, destinations, admission, isShared } = parts;
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
    metrics.slotsOwned.set({ destination }, Math.round(journal.shareOf(destination) * SLOTS));
    if (tokens !== undefined) metrics.tokenSeconds.set({ destination }, tokens.secondsLeft() ?? 0);
  }
  if (isShared) metrics.storeConnected.set(admission.status?.isWritable === true ? 1 : 0);
  else metrics.storeConnected.remove();
  setEnrichmentGauges(metrics, parts.enrichment());
  metrics.storeLeader.set(journal.isLeader() ? 1 : 0);
}

/** Gauges that only a database has. */
function setDatabase(metrics: Metrics, gauges: StoreStatus['gauges']): void {
  const { oldestTransactionMs } = gauges;
  const single = [
    [metrics.storeVacuumHeld, oldestTransactionMs === undefined ? undefined : oldestTransactionMs / 1_000],
    [metrics.storeDeadRows, gauges['deadRows']],
    [metrics.serverConnections, gauges['connections']],
    [metrics.serverMaxConnections, gauges['maxConnections']],
    [metrics.standbys, gauges['standbys']],
  ] as const;
  for (const [gauge, value] of single) {
    if (value === undefined) gauge.remove();
    else gauge.set(value);
  }
  for (const table of ['events', 'bodies', 'queue', 'profiles', 'other']) {
    const bytes = gauges[`${table}Bytes`];
    if (bytes !== undefined) metrics.storeTableBytes.set({ table }, bytes);
  }
}

/** Gauges of the store from memory. What an engine does not have is left out. */
function setStoreFromMemory({ metrics, admission, watermarks }: RefreshParts): void {
  metrics.storeMaxBytes.set(watermarks.maxBytes);
  if (admission.status === undefined) return;
  const { usedBytes, freeBytes, gauges } = admission.status;
  metrics.storeUsedBytes.set(usedBytes);
  const { intakeLogBytes, walBytes } = gauges;
  if (intakeLogBytes !== undefined) metrics.storeLogBytes.set({ log: 'intake' }, intakeLogBytes);
  if (walBytes !== undefined) metrics.storeLogBytes.set({ log: 'write-ahead' }, walBytes);
  setDatabase(metrics, gauges);
  if (watermarks.minFree > 0) {
    metrics.storeFreeBytes.set(freeBytes);
    metrics.storeMinFreeBytes.set(watermarks.minFree);
  } else {
    metrics.storeFreeBytes.remove();
    metrics.storeMinFreeBytes.remove();
  }
}

/** Slots of a destination that none of these replicas owns; 0 before its first claim. */
function unownedSlots(destination: string, replicas: readonly ReplicaStatus[]): number {
  const owned = replicas.flatMap(({ slots }) => slots[destination] ?? []);
  return owned.length === 0 ? 0 : SLOTS - owned.reduce((sum, count) => sum + count, 0);
}

/** Pending events of all sources but these. */
function pendingWithout(sources: readonly string[], ledger: Ledger): number {
  return Object.entries(ledger)
    .filter(([name]) => !sources.includes(name))
    .reduce((sum, [, { pending }]) => sum + pending, 0);
}

/** Gauges that need calls to the storage thread. */
async function setFromJournal(parts: RefreshParts): Promise<void> {
  const { metrics, journal, destinations, sources, refreshRoutes, now } = parts;
  const [ledger, backlog, replicas, refreshes, reconciliation] = await Promise.all([
    journal.ledger(),
    journal.backlog(),
    journal.replicas(),
    journal.refreshes(),
    parts.reconciliation(),
  ]);
  setReconciliationGauges(metrics, reconciliation);
  // What waits at another destination waits for nothing that could be reported as late.
  const destinationOf = new Map(refreshRoutes().map(({ name, destination }) => [name, destination]));
  const sent = refreshes.filter(({ source, destination }) => destinationOf.get(source) === destination);
  setRefreshGauges(metrics, sent, now());
  metrics.replicas.set(replicas.length);
  for (const [source, counts] of Object.entries(ledger)) {
    for (const [state, count] of Object.entries(counts)) metrics.events.set({ source, state }, count);
  }
  const { misplaced } = destinations;
  metrics.pendingMisplaced.reset();
  for (const { source, pending } of misplaced.known) metrics.pendingMisplaced.inc({ source }, pending);
  metrics.pendingUnconfigured.set(pendingWithout(sources(), ledger));
  const { pending, replaying, oldestPending, slotsUnowned } = metrics;
  for (const gauge of [pending, replaying, oldestPending, slotsUnowned]) gauge.reset();
  const byName = new Map(backlog.map((entry) => [entry.destination, entry]));
  for (const { config } of destinations.all) {
    const destination = config.name;
    const entry = byName.get(destination);
    const age = Math.max(0, now() - (entry?.oldestReceivedAt ?? now()));
    pending.set({ destination }, entry?.pending ?? 0);
    replaying.set({ destination }, entry?.replaying ?? 0);
    oldestPending.set({ destination }, age / 1_000);
    slotsUnowned.set({ destination }, unownedSlots(destination, replicas));
  }
}

/** Sets the gauges that are read from the journal and the destinations. Called at each scrape. */
export function createMetricsRefresh(parts: RefreshParts): () => Promise<void> {
  const { metrics, journal, destinations, now } = parts;
  const started = now();
  metrics.buildInfo.set({ version: readVersion(), node: process.versions.node }, 1);
  return async () => {
    setFromMemory(parts, started);
    if (journal.isLeader()) setStoreFromMemory(parts);
    else metrics.withdrawStore();
    // Counting them reads all pending events, so it is repeated only while there are any.
    if (destinations.misplaced.known.length > 0) await destinations.misplaced.check();
    if (journal.isLeader()) await setFromJournal(parts);
  };
}
