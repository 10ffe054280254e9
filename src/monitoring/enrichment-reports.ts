import type { Logger } from 'pino';
import type { EnrichmentObserver } from '../enrichment/enrichment-observer.ts';
import type { EnrichmentStatus } from '../enrichment/enrichment-status.ts';
import type { RefreshBacklog } from '../journal/journal.ts';
import type { Metrics } from './metrics.ts';

/** The metrics and log lines of events that are completed from Capillary's API. */
export function createEnrichmentReports(log: Logger, metrics: Metrics): EnrichmentObserver {
  const { enrichment } = metrics;
  return {
    callEnded(source, { endpoint, outcome, ms, requestId }) {
      enrichment.calls.inc({ source, endpoint, outcome });
      enrichment.callSeconds.observe({ source, endpoint }, ms / 1_000);
      if (log.isLevelEnabled('debug'))
        log.debug(
          { source, endpoint, outcome, durationMs: Math.round(ms), requestId },
          "call of Capillary's API",
        );
    },
    eventEnriched(source, { outcome, isCached, waited }) {
      enrichment.events.inc({ source, outcome });
      if (!isCached) enrichment.waitSeconds.observe({ source }, waited / 1_000);
    },
    circuitChanged(source, { state, reason }) {
      if (state === 'open')
        log.warn({ source, reason }, "Capillary's API is not available: events go on as they came");
      else log.info({ source }, "Capillary's API answers again: events are completed");
    },
    accessChanged(source, endpoint, lack) {
      if (lack === undefined) log.info({ source, endpoint }, 'the access group has the right again');
      else log.error({ source, endpoint, lack }, 'the access group of the API client lacks a right: add it');
    },
    errorCaught(source, what, error) {
      metrics.troubles.inc({ part: 'enrichment' });
      log.error({ source, err: error }, what);
    },
  };
}

/** Sets the gauges of this process. A reload may have removed a source. */
export function setEnrichmentGauges({ enrichment }: Metrics, all: readonly EnrichmentStatus[]): void {
  const { waiting, callsLeft, circuitOpen, forbidden } = enrichment;
  for (const gauge of [waiting, callsLeft, circuitOpen, forbidden]) gauge.reset();
  for (const { source, ...status } of all) {
    waiting.set({ source }, status.waiting);
    callsLeft.set({ source }, status.budget.left);
    circuitOpen.set({ source }, status.circuit.state === 'open' ? 1 : 0);
    for (const { endpoint } of status.forbidden) forbidden.set({ source, endpoint }, 1);
  }
}

/** Sets the gauges of what the store has. @param now epoch ms */
export function setRefreshGauges(
  { enrichment }: Metrics,
  backlog: readonly RefreshBacklog[],
  now: number,
): void {
  const { refreshes, oldestRefresh } = enrichment;
  for (const gauge of [refreshes, oldestRefresh]) gauge.reset();
  for (const { source, destination, customers, bills, oldestAt = now } of backlog) {
    refreshes.set({ source, destination, part: 'customer' }, customers);
    refreshes.set({ source, destination, part: 'bill' }, bills);
    oldestRefresh.set({ source, destination }, Math.max(0, now - oldestAt) / 1_000);
  }
}
