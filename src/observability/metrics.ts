import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Seconds; from a local answer to a night's outage. */
const LONG = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200];
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every metric of the relay is named here and nowhere else. Labels hold configured names and fixed codes only: no personal datum. */
export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames: [...labelNames], buckets, registers });

  return {
    registry,
    received: counter('relay_received_total', 'Webhooks answered, by source and outcome', [
      'source',
      'outcome',
    ]),
    accepted: counter('relay_accepted_total', 'Events journaled for delivery', ['source', 'event_name']),
    webhookSeconds: histogram('relay_webhook_seconds', 'Time to answer a webhook', ['source'], SHORT),
    events: gauge('relay_events', 'The ledger: events by source and state, over the life of the journal', [
      'source',
      'state',
    ]),
    pending: gauge('relay_pending', 'Events not yet settled', ['destination']),
    replaying: gauge('relay_replaying', 'Of the events not yet settled, those that were replayed', [
      'destination',
    ]),
    oldestPending: gauge(
      'relay_oldest_pending_age_seconds',
      'Age of the oldest event not yet settled, replays left out, 0 without one',
      ['destination'],
    ),
    delivered: counter('relay_delivered_total', 'Events of which Adobe took every message', [
      'destination',
      'event_name',
    ]),
    ignored: counter('relay_ignored_total', 'Events that are not for delivery, by reason', [
      'destination',
      'reason',
    ]),
    dead: counter('relay_dead_total', 'Events buried as dead letters, by reason', ['destination', 'reason']),
    retried: counter('relay_retried_total', 'Events put back to be tried again', ['destination']),
    deliverySeconds: histogram(
      'relay_delivery_seconds',
      'Duration of requests to the inlet',
      ['destination', 'kind', 'outcome'],
      SHORT,
    ),
    batchMessages: histogram(
      'relay_batch_messages',
      'Messages per request to the inlet',
      ['destination', 'kind'],
      [1, 2, 5, 10, 25, 50, 100, 200, 500],
    ),
    endToEndSeconds: histogram(
      'relay_end_to_end_seconds',
      'From receipt to Adobe taking the last message',
      ['destination'],
      LONG,
    ),
    mappingNotes: counter(
      'relay_mapping_notes_total',
      'Values that the mapping left out or changed in settled events, by kind and code',
      ['event_name', 'kind', 'code'],
    ),
    destinationFlowing: gauge(
      'relay_destination_flowing',
      '1 while the destination takes events, 0 while it waits or is paused',
      ['destination'],
    ),
    destinationPauses: counter(
      'relay_destination_pauses_total',
      'Waits and pauses of a destination, by reason',
      ['destination', 'reason'],
    ),
    tokenSeconds: gauge(
      'relay_ims_token_seconds_left',
      'Seconds until the cached IMS token expires, 0 without one',
      ['destination'],
    ),
    imsMints: counter('relay_ims_mints_total', 'IMS token requests, by outcome', ['destination', 'outcome']),
    quarantineEvicted: counter(
      'relay_quarantine_evicted_total',
      'Unverified requests dropped for newer ones',
      ['source'],
    ),
    storeUsedBytes: gauge('relay_store_used_bytes', 'Bytes of the journal in use', []),
    storeFreeBytes: gauge('relay_store_free_bytes', 'Bytes free on the volume of the journal', []),
    storeSealedShare: gauge(
      'relay_store_sealed_share',
      'How much of the journal was found or made sealed with the first encryption key since the start, from 0 to 1; 1 without keys',
      [],
    ),
    retentionRemoved: counter('relay_retention_removed_total', 'Records and payloads removed by age', []),
    troubles: counter('relay_troubles_total', 'Errors survived that should not happen; the log has each', [
      'part',
    ]),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
