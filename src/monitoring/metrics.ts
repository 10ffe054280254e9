import { createEnrichmentMetrics } from './enrichment-metrics.ts';
import { createMetricFactory } from './metric-factory.ts';
import * as values from './metric-labels.ts';
import { createReconciliationMetrics } from './reconciliation-metrics.ts';
import { createStoreMetrics } from './store-metrics.ts';

const { DESTINATION, EVENT_NAME, SOURCE } = values;

/** From a local response to an overnight outage. */
const LONG_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200];
const SHORT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/**
 * Every metric of the relay, with the values that its labels can have: configured names and fixed
 * codes only, no personal data. docs/metrics.md is generated from this. Names follow Prometheus:
 * base units, `_total` for counters.
 */
export function createMetrics() {
  const factory = createMetricFactory();
  const { counter, gauge, histogram, storeGauge } = factory;

  return {
    registry: factory.registry,
    labels: factory.labels,
    withdrawStore: factory.withdrawStore,
    buildInfo: gauge('relay_build_info', 'Always 1; the labels give the versions of the relay and of Node', {
      version: ['version of the relay'],
      node: ['version of Node'],
    }),

    received: counter('relay_received_total', 'Webhooks answered, by source and outcome', {
      source: [...SOURCE, 'unknown'],
      outcome: values.WEBHOOK_OUTCOME,
    }),
    duplicates: counter(
      'relay_duplicates_total',
      'Webhooks answered as duplicates, by whether their data differs from that of the first event',
      { source: SOURCE, differs: values.DIFFERS },
    ),
    accepted: counter('relay_accepted_total', 'Events journaled for delivery', {
      source: SOURCE,
      event_name: EVENT_NAME,
    }),
    webhookSeconds: histogram(
      'relay_webhook_seconds',
      'Time to answer a webhook',
      { source: [...SOURCE, 'unknown'] },
      SHORT_SECONDS,
    ),
    intakeClosed: gauge('relay_intake_closed', '1 while webhooks are answered 503 for this reason', {
      reason: values.CLOSED_BY,
    }),

    events: storeGauge('relay_events', 'The ledger: events by source and state, over the life of the store', {
      source: SOURCE,
      state: values.LEDGER_STATE,
    }),
    pending: storeGauge('relay_pending', 'Events not yet settled', { destination: DESTINATION }),
    replaying: storeGauge('relay_replaying', 'Replayed events not yet settled', {
      destination: DESTINATION,
    }),
    oldestPending: storeGauge(
      'relay_oldest_pending_age_seconds',
      'Age of the oldest event not yet settled, without replays; 0 if there is none',
      { destination: DESTINATION },
    ),

    delivered: counter('relay_delivered_total', 'Events of which Adobe accepted every message', {
      destination: DESTINATION,
      event_name: EVENT_NAME,
    }),
    ignored: counter('relay_ignored_total', 'Events intentionally not delivered, by reason', {
      destination: DESTINATION,
      reason: values.IGNORED_REASON,
    }),
    dead: counter('relay_dead_total', 'Events moved to dead letters, by reason', {
      destination: DESTINATION,
      reason: values.DEAD_REASON,
    }),
    retried: counter('relay_retried_total', 'Events requeued for another attempt', {
      destination: DESTINATION,
    }),
    deliverySeconds: histogram(
      'relay_delivery_seconds',
      'Duration of requests to the inlet',
      { destination: DESTINATION, kind: values.MESSAGE_KIND, outcome: values.INLET_OUTCOME },
      SHORT_SECONDS,
    ),
    batchMessages: histogram(
      'relay_batch_messages',
      'Messages per request to the inlet',
      { destination: DESTINATION, kind: values.MESSAGE_KIND },
      [1, 2, 5, 10, 25, 50, 100, 200, 500],
    ),
    endToEndSeconds: histogram(
      'relay_end_to_end_seconds',
      'Time from receipt until Adobe accepted the last message',
      { destination: DESTINATION },
      LONG_SECONDS,
    ),
    mappingNotes: counter(
      'relay_mapping_notes_total',
      'Values that the mapping left out or changed in settled events, by kind and code',
      { event_name: EVENT_NAME, kind: values.NOTE_KIND, code: values.NOTE_CODE },
    ),

    contactsShared: counter(
      'relay_contacts_shared_total',
      'Contacts that more customers than contacts.sharedBy have, so that they are no identity any more, by kind',
      { destination: DESTINATION, kind: values.CONTACT_KIND },
    ),
    contactsUncounted: counter(
      'relay_contacts_uncounted_total',
      'Contacts not counted for contacts.sharedBy: the store was failing or holds as many as it may',
      { destination: DESTINATION },
    ),

    destinationFlowing: gauge(
      'relay_destination_flowing',
      '1 while the destination is delivering, 0 while it waits or is paused',
      { destination: DESTINATION },
    ),
    destinationState: gauge('relay_destination_state', '1 for the current state of the destination, else 0', {
      destination: DESTINATION,
      state: values.DESTINATION_STATES,
    }),
    destinationStopped: gauge(
      'relay_destination_stopped',
      '1 while the destination waits or is paused for this reason',
      { destination: DESTINATION, reason: values.STOP_REASON },
    ),
    destinationPauses: counter(
      'relay_destination_pauses_total',
      'Waits and pauses of a destination, by reason',
      { destination: DESTINATION, reason: values.STOP_REASON },
    ),
    lastSuccess: gauge(
      'relay_destination_last_success_timestamp_seconds',
      'When Adobe last accepted a message; until then, the start of the relay',
      { destination: DESTINATION },
    ),
    slotLimit: gauge(
      'relay_destination_slots_limit',
      'Requests allowed in flight now: fewer while Adobe throttles, at most limits.concurrency',
      { destination: DESTINATION },
    ),
    slotsUsed: gauge('relay_destination_slots_used', 'Requests in flight or about to be sent', {
      destination: DESTINATION,
    }),
    tokenSeconds: gauge(
      'relay_ims_token_seconds_left',
      'Seconds until the cached IMS token expires; 0 without a token',
      { destination: DESTINATION },
    ),
    imsMints: counter('relay_ims_mints_total', 'IMS token requests, by outcome', {
      destination: DESTINATION,
      outcome: values.IMS_OUTCOME,
    }),

    quarantineEvicted: counter(
      'relay_quarantine_evicted_total',
      'Quarantined requests dropped to make room for newer ones',
      { source: SOURCE },
    ),

    ...createStoreMetrics(factory),
    enrichment: createEnrichmentMetrics(factory),
    reconciliation: createReconciliationMetrics(factory),

    configReloads: counter(
      'relay_config_reloads_total',
      'Reloads of the configuration; after a refused one the previous configuration stays in use',
      { outcome: values.CONFIG_RELOAD_OUTCOMES },
    ),
    configRead: gauge(
      'relay_config_last_reload_success_timestamp_seconds',
      'When the configuration was last read without a problem: at the start or by a reload',
      {},
    ),
    pendingUnconfigured: storeGauge(
      'relay_pending_unconfigured',
      'Pending events of sources that are not configured; they wait until the source is configured again',
      {},
    ),
    pendingMisplaced: storeGauge(
      'relay_pending_misplaced',
      'Pending events at a destination that their source no longer has; they wait until destinations reroute moves them',
      { source: values.SOURCE },
    ),
    secretFilesUnusable: gauge(
      'relay_secret_files_unusable',
      'Files of ${file:…} that cannot be read, are empty or make the configuration invalid; the secrets that were read before stay in use',
      {},
    ),
    troubles: counter(
      'relay_troubles_total',
      'Unexpected errors that the relay survived; each is in the log',
      {
        part: values.PART,
      },
    ),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
