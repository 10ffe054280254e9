import { expect, it } from 'vitest';
import type { EnrichmentStateAnswer } from '../../src/cli/status/enrichment-answer.ts';
import { enrichmentLines } from '../../src/cli/status/enrichment-lines.ts';

const NOW = Date.UTC(2026, 0, 31, 8);

function at(msAgo: number): string {
  return new Date(NOW - msAgo).toISOString();
}

const QUIET: EnrichmentStateAnswer = {
  source: 'acme',
  api: { state: 'available', since: at(3_600_000) },
  budget: { callsPerMinute: 80, left: 10, pausedFor: 0 },
  waiting: 0,
  lastHour: {},
  forbidden: [],
  masked: false,
  refreshes: { customers: 0, bills: 0, running: 0 },
};

it.each<[string, Partial<EnrichmentStateAnswer>, string, string | undefined]>([
  ['nothing', {}, '0 events complete and 0 incomplete in the last hour', undefined],
  [
    'what waits and what is to be completed',
    {
      waiting: 4,
      lastHour: { complete: 20, cached: 15, budget: 2, timeout: 1 },
      refreshes: { customers: 3, bills: 1, running: 1, oldestAt: at(7_200_000) },
    },
    '20 events complete and 3 incomplete in the last hour; 4 waiting; 3 customers and 1 bill to complete, oldest 2 h 0 min',
    undefined,
  ],
  [
    'an API that is away',
    { api: { state: 'unavailable', since: at(240_000), reason: 'GET /v2/customers/{id} → 503' } },
    "Capillary's API has been unavailable for 4 min: GET /v2/customers/{id} → 503; 0 events complete and 0 incomplete in the last hour",
    'red',
  ],
  [
    'a missing right',
    { forbidden: [{ endpoint: 'bill', lack: 'Read on Transaction', since: at(0) }] },
    'the API client lacks Read on Transaction; 0 events complete and 0 incomplete in the last hour',
    'yellow',
  ],
  [
    'a limit that is used up',
    { budget: { callsPerMinute: 80, left: 0, pausedFor: 42_000 }, waiting: 4 },
    'Capillary refuses more calls (429), the next one is made in 42 s; 0 events complete and 0 incomplete in the last hour; 4 waiting',
    'yellow',
  ],
  [
    'masked data',
    { masked: true },
    'Capillary masks personal data for the API client; 0 events complete and 0 incomplete in the last hour',
    'yellow',
  ],
])('shows %s', (_what, changes, text, tone) => {
  const [line] = enrichmentLines([{ ...QUIET, ...changes }], NOW);
  expect({ text: line?.text, tone: line?.tone }).toEqual({ text: `enriched  acme: ${text}`, tone });
});

it('has a line for each enriched source only', () => {
  expect(enrichmentLines([], NOW)).toEqual([]);
  expect(enrichmentLines([QUIET, { ...QUIET, source: 'shop' }], NOW)).toHaveLength(2);
});
