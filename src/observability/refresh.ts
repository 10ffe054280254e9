import type { Destinations } from '../delivery/destinations.ts';
import type { Capacity } from '../intake/capacity.ts';
import type { Journal } from '../journal/journal.ts';
import type { Metrics } from './metrics.ts';

/** Sets the gauges that are read from the journal and the destinations; called at each scrape. */
export const createRefresh =
  (parts: {
    readonly metrics: Metrics;
    readonly journal: Pick<Journal, 'ledger' | 'backlog'>;
    readonly destinations: Pick<Destinations, 'all'>;
    readonly capacity: Pick<Capacity, 'health'>;
    readonly now: () => number;
  }) =>
  async (): Promise<void> => {
    const { metrics, journal, destinations, capacity, now } = parts;
    const [ledger, backlog] = await Promise.all([journal.ledger(), journal.backlog()]);
    for (const [source, counts] of Object.entries(ledger)) {
      for (const [state, count] of Object.entries(counts)) metrics.events.set({ source, state }, count);
    }
    const byName = new Map(backlog.map((one) => [one.destination, one]));
    for (const { config, dispatcher, tokens } of destinations.all) {
      const destination = config.name;
      const { pending = 0, replaying = 0, oldestReceivedAt } = byName.get(destination) ?? {};
      const age = oldestReceivedAt === undefined ? 0 : Math.max(0, now() - oldestReceivedAt);
      metrics.pending.set({ destination }, pending);
      metrics.replaying.set({ destination }, replaying);
      metrics.oldestPending.set({ destination }, age / 1_000);
      metrics.destinationFlowing.set({ destination }, dispatcher.state.status().state === 'flowing' ? 1 : 0);
      if (tokens !== undefined) metrics.tokenSeconds.set({ destination }, tokens.secondsLeft() ?? 0);
    }
    if (capacity.health !== undefined) {
      metrics.storeUsedBytes.set(capacity.health.usedBytes);
      metrics.storeFreeBytes.set(capacity.health.freeBytes);
    }
  };
