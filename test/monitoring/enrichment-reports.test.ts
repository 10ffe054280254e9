import { expect, it } from 'vitest';
import { createEnrichmentReports } from '../../src/monitoring/enrichment-reports.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createLogger } from '../../src/telemetry/log.ts';

function reports(level: 'info' | 'debug' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Record<string, unknown>);
  const log = createLogger({ level, destination: { write } });
  const metrics = createMetrics();
  const series = async (): Promise<string[]> =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => /^relay_(enrichment|troubles)/.test(line));
  return { observer: createEnrichmentReports(log, metrics), lines, series };
}

it('counts calls and events by outcome, and times the waits of those that waited', async () => {
  const { observer, series } = reports();
  observer.callEnded('acme', { endpoint: 'customer', outcome: 'ok', ms: 120 });
  observer.callEnded('acme', { endpoint: 'bill', outcome: 'transaction-unknown', ms: 80 });
  observer.eventEnriched('acme', { outcome: 'complete', isCached: false, waited: 3_200 });
  observer.eventEnriched('acme', { outcome: 'complete', isCached: true, waited: 0 });
  observer.eventEnriched('acme', { outcome: 'budget', isCached: false, waited: 0 });
  expect(await series()).toEqual(
    expect.arrayContaining([
      'relay_enrichment_calls_total{source="acme",endpoint="customer",outcome="ok"} 1',
      'relay_enrichment_calls_total{source="acme",endpoint="bill",outcome="transaction-unknown"} 1',
      'relay_enrichment_call_seconds_sum{source="acme",endpoint="customer"} 0.12',
      'relay_enrichment_events_total{source="acme",outcome="complete"} 2',
      'relay_enrichment_events_total{source="acme",outcome="budget"} 1',
      'relay_enrichment_wait_seconds_count{source="acme"} 2',
      'relay_enrichment_wait_seconds_sum{source="acme"} 3.2',
    ]),
  );
});

it('logs each call with its request id at debug only', () => {
  const call = { endpoint: 'bill', outcome: 'unavailable', ms: 80.4, requestId: 'req-1' } as const;
  const quiet = reports();
  quiet.observer.callEnded('acme', call);
  expect(quiet.lines).toEqual([]);
  const { observer, lines } = reports('debug');
  observer.callEnded('acme', call);
  expect(lines).toMatchObject([
    { level: 'debug', endpoint: 'bill', outcome: 'unavailable', durationMs: 80, requestId: 'req-1' },
  ]);
});

it('logs when the API goes away and comes back, and which right is missing', async () => {
  const { observer, lines, series } = reports();
  observer.circuitChanged('acme', { state: 'open', since: 1, reason: 'GET /v2/customers/{id} → 503' });
  observer.circuitChanged('acme', { state: 'closed', since: 2 });
  observer.accessChanged('acme', 'bill', 'Read on Transaction');
  observer.accessChanged('acme', 'bill', undefined);
  observer.errorCaught('acme', 'events could not be refreshed', new Error('disk'));
  expect(lines).toMatchObject([
    { level: 'warn', source: 'acme', reason: 'GET /v2/customers/{id} → 503' },
    { level: 'info', source: 'acme' },
    { level: 'error', source: 'acme', endpoint: 'bill', lack: 'Read on Transaction' },
    { level: 'info', source: 'acme', endpoint: 'bill' },
    { level: 'error', source: 'acme', msg: 'events could not be refreshed', err: { message: 'disk' } },
  ]);
  expect(await series()).toContain('relay_troubles_total{part="enrichment"} 1');
});
