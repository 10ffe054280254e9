import type { FastifyInstance } from 'fastify';
import type { EnrichmentStatus } from '../enrichment/enrichment-status.ts';
import type { Enrichments, RefreshBacklog } from '../journal/journal.ts';
import { isoTime } from './views.ts';

/** How the events of the sources are completed; of sources with `enrich` only. */
export interface EnrichmentSource {
  status(): readonly EnrichmentStatus[];
}

const NOTHING = { customers: 0, bills: 0, running: 0 };

/** A source that waits at several destinations, after another one was configured. */
function sumOf(backlog: readonly RefreshBacklog[]) {
  const sum = backlog.reduce(
    (total, { customers, bills, running }) => ({
      customers: total.customers + customers,
      bills: total.bills + bills,
      running: total.running + running,
    }),
    NOTHING,
  );
  const oldest = backlog.flatMap(({ oldestAt }) => oldestAt ?? []);
  return oldest.length === 0 ? sum : { ...sum, oldestAt: isoTime(Math.min(...oldest)) };
}

function viewOf(
  { source, circuit, budget, waiting, calls, lastHour, forbidden, isMasked }: EnrichmentStatus,
  backlog: readonly RefreshBacklog[],
) {
  return {
    source,
    api: {
      ...circuit,
      state: circuit.state === 'open' ? 'unavailable' : 'available',
      since: isoTime(circuit.since),
    },
    budget,
    waiting,
    calls,
    lastHour,
    forbidden: forbidden.map(({ since, ...rest }) => ({ ...rest, since: isoTime(since) })),
    masked: isMasked,
    refreshes: sumOf(backlog.filter((entry) => entry.source === source)),
  };
}

/** State of the enrichment: of this process, and what the store has still to complete. */
export function enrichmentRoutes(
  app: FastifyInstance,
  {
    enrichment,
    journal,
  }: { readonly enrichment: EnrichmentSource; readonly journal: Pick<Enrichments, 'refreshes'> },
): void {
  app.route({
    method: 'GET',
    url: '/enrichment',
    handler: async () => {
      const backlog = await journal.refreshes();
      return { sources: enrichment.status().map((status) => viewOf(status, backlog)) };
    },
  });
}
