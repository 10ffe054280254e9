import type { CallOutcome, EnrichedEvent, Endpoint } from '../enrichment/enrichment-observer.ts';
import type { MetricFactory } from './metric-factory.ts';
import { DESTINATION, SOURCE } from './metric-labels.ts';

const ENDPOINT: readonly Endpoint[] = ['customer', 'survivor', 'bill', 'programs', 'currency', 'products'];

const CALL_OUTCOME: readonly CallOutcome[] = [
  'ok',
  'unauthorized',
  'forbidden',
  'not-found',
  'invalid',
  'throttled',
  'busy',
  'unavailable',
  'customer-deleted',
  'customer-merged',
  'customer-unknown',
  'customer-elsewhere',
  'no-loyalty',
  'incomplete',
  'transaction-unknown',
  'foreign',
  'network',
];

const EVENT_OUTCOME: readonly EnrichedEvent['outcome'][] = [
  'complete',
  'budget',
  'unavailable',
  'forbidden',
  'unknown',
  'timeout',
];

const CALL_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From an answer that was there already to the longest wait. */
const WAIT_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 300];

/** The metrics of events that are completed from Capillary's API. */
export function createEnrichmentMetrics({ counter, gauge, histogram, storeGauge }: MetricFactory) {
  return {
    calls: counter(
      'relay_enrichment_calls_total',
      "Calls of Capillary's API to complete events, by outcome",
      {
        source: SOURCE,
        endpoint: ENDPOINT,
        outcome: CALL_OUTCOME,
      },
    ),
    callSeconds: histogram(
      'relay_enrichment_call_seconds',
      "Duration of calls of Capillary's API, without the wait for their turn",
      { source: SOURCE, endpoint: ENDPOINT },
      CALL_SECONDS,
    ),
    events: counter(
      'relay_enrichment_events_total',
      'Events that were to be completed: complete, or the reason why something is missing',
      { source: SOURCE, outcome: EVENT_OUTCOME },
    ),
    waitSeconds: histogram(
      'relay_enrichment_wait_seconds',
      'Time that an event waited to be completed; an event that waited for nothing is not counted',
      { source: SOURCE },
      WAIT_SECONDS,
    ),
    waiting: gauge('relay_enrichment_waiting', 'Events that wait to be completed', { source: SOURCE }),
    callsLeft: gauge(
      'relay_enrichment_calls_left',
      "Calls of Capillary's API that could begin now; at 0, calls wait for their turn",
      { source: SOURCE },
    ),
    circuitOpen: gauge(
      'relay_enrichment_api_unavailable',
      "1 while Capillary's API does not answer, so that events are not completed",
      { source: SOURCE },
    ),
    forbidden: gauge(
      'relay_enrichment_api_forbidden',
      '1 while the access group of the API client lacks the right for these calls',
      { source: SOURCE, endpoint: ENDPOINT },
    ),
    abandoned: counter(
      'relay_enrichment_abandoned_total',
      'Customers and bills that stay incomplete: many refreshes did not find what was missing',
      { source: SOURCE, part: ['customer', 'bill'] },
    ),
    refreshes: storeGauge(
      'relay_enrichment_refreshes',
      'Customers and bills that were sent incomplete and wait to be completed',
      { source: SOURCE, destination: DESTINATION, part: ['customer', 'bill'] },
    ),
    oldestRefresh: storeGauge(
      'relay_enrichment_oldest_refresh_age_seconds',
      'Time since the oldest of them was sent incomplete; 0 if there is none',
      { source: SOURCE, destination: DESTINATION },
    ),
  };
}
