import type { MetricFactory } from './metric-factory.ts';
import * as values from './metric-labels.ts';

const { DESTINATION } = values;

/** From an fsync of a good disk to that of a failing one. */
const DISK_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** The metrics of the store and of the replicas that share it. */
export function createStoreMetrics({ counter, gauge, histogram, storeGauge }: MetricFactory) {
  return {
    journalSeconds: histogram(
      'relay_journal_commit_seconds',
      'Time for the storage thread to run a batch of calls and commit it; kind write waits for the disk',
      { kind: values.JOURNAL_BATCH_KIND },
      DISK_SECONDS,
    ),
    journalCalls: histogram(
      'relay_journal_batch_calls',
      'Calls committed together',
      { kind: values.JOURNAL_BATCH_KIND },
      [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
    ),
    journalQueue: gauge(
      'relay_journal_queue_calls',
      'Calls queued for the storage thread or running on it',
      {},
    ),
    journalSilence: gauge(
      'relay_journal_silence_seconds',
      'Time since the last heartbeat of the storage thread; about 1 when idle',
      {},
    ),
    storeUsedBytes: storeGauge('relay_store_used_bytes', 'Bytes of the store in use', {}),
    storeMaxBytes: storeGauge(
      'relay_store_max_bytes',
      'Used bytes at which intake closes: store.maxBytes',
      {},
    ),
    storeFreeBytes: storeGauge(
      'relay_store_free_bytes',
      'Bytes that new records can use: free on the volume, and free inside the file',
      {},
    ),
    storeLogBytes: storeGauge('relay_store_log_bytes', 'Size of the logs of the store', {
      log: ['intake', 'write-ahead'],
    }),
    storeMinFreeBytes: storeGauge(
      'relay_store_min_free_bytes',
      'Free bytes below which intake closes: store.minFree',
      {},
    ),
    storeSealedShare: storeGauge(
      'relay_store_sealed_share',
      'Share of the store checked since the start and written with the first encryption key, or with checksums without keys, from 0 to 1',
      {},
    ),
    storeConnected: gauge(
      'relay_store_connected',
      '1 while this replica can write to the database; absent with SQLite',
      {},
    ),
    storeLeader: gauge(
      'relay_store_leader',
      '1 on the replica that maintains the store and exports the metrics of all; the sum is 1',
      {},
    ),
    slotsOwned: gauge(
      'relay_slots_owned',
      'Slots of the destination that this replica owns; the sum over all replicas is 64',
      { destination: DESTINATION },
    ),
    replicas: storeGauge('relay_replicas', 'Replicas that are alive', {}),
    slotsUnowned: storeGauge(
      'relay_slots_unowned',
      'Slots of the destination that no live replica owns, so that their customers wait',
      { destination: DESTINATION },
    ),
    storeVacuumHeld: storeGauge(
      'relay_store_vacuum_held_seconds',
      'Age of the oldest open transaction of the PostgreSQL server, which keeps VACUUM from removing rows',
      {},
    ),
    storeDeadRows: storeGauge('relay_store_dead_rows', 'Rows in PostgreSQL that wait for VACUUM', {}),
    storeTableBytes: storeGauge(
      'relay_store_table_bytes',
      'Size of tables in PostgreSQL with their indexes',
      {
        table: ['events', 'bodies', 'queue', 'profiles', 'other'],
      },
    ),
    serverConnections: storeGauge(
      'relay_store_server_connections',
      'Connections of all clients to the PostgreSQL server',
      {},
    ),
    serverMaxConnections: storeGauge(
      'relay_store_server_max_connections',
      'Connections that the PostgreSQL server accepts: its setting max_connections',
      {},
    ),
    standbys: storeGauge('relay_store_standbys', 'Standbys that replicate from the PostgreSQL server', {}),
    retentionRemoved: counter('relay_retention_removed_total', 'Records and payloads removed by age', {}),
    storeMadeRoom: counter(
      'relay_store_made_room_total',
      'Bodies and records of delivered and ignored events removed before their retention was over, because the store was full',
      { part: values.MADE_ROOM_PART },
    ),
  };
}
