import { beforeEach, describe, expect, it } from 'vitest';
import type { DestinationStatus } from '../../src/delivery/destination-state.ts';
import type { RunningDestination } from '../../src/delivery/running-destination.ts';
import type { ReplicaStatus } from '../../src/journal/journal.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createMetricsRefresh } from '../../src/monitoring/metrics-refresh.ts';

const T0 = Date.UTC(2026, 0, 31, 8);
const counts = { accepted: 9, pending: 2, delivered: 4, ignored: 1, dead: 2, malformed: 1, quarantined: 3 };

const state = {
  status: { state: 'flowing' } as DestinationStatus,
  refusal: undefined as { code: 'store-full'; detail: string; retryAfter: number } | undefined,
  hangs: false,
  isRemoved: false,
  isLeader: true,
  gauges: {} as Readonly<Record<string, number>>,
};

function replica(slots: Record<string, number>): ReplicaStatus {
  const self = { id: 'r', name: 'relay-0', version: '1.0.0', since: T0, silentFor: 0 };
  return { ...self, isSelf: false, isLeader: false, slots, report: {} };
}

function rig() {
  const metrics = createMetrics();
  const destination = {
    config: { name: 'acme-aep' },
    dispatcher: {
      state: { status: () => state.status },
      pace: { slots: { used: 2, limit: 5 } },
    },
    tokens: { secondsLeft: () => 3_600 },
  } as unknown as RunningDestination;
  const answer = async <T>(value: T): Promise<T> => (state.hangs ? new Promise<T>(() => undefined) : value);
  const refresh = createMetricsRefresh({
    metrics,
    journal: {
      ledger: () => answer({ acme: counts, former: { ...counts, pending: 8 } }),
      backlog: () =>
        answer([{ destination: 'acme-aep', pending: 2, replaying: 1, oldestReceivedAt: T0 - 90_000 }]),
      refreshes: () =>
        answer([
          {
            source: 'acme',
            destination: 'acme-aep',
            customers: 3,
            bills: 2,
            running: 1,
            oldestAt: T0 - 60_000,
          },
          // Left behind by other configurations.
          { source: 'acme', destination: 'former', customers: 1, bills: 0, running: 0, oldestAt: 1 },
          { source: 'plain', destination: 'acme-aep', customers: 1, bills: 0, running: 0, oldestAt: 1 },
        ]),
      silentFor: () => 2_500,
      isLeader: () => state.isLeader,
      shareOf: () => 0.5,
      replicas: () => answer([replica({ 'acme-aep': 32 }), replica({ 'acme-aep': 31 })]),
    },
    destinations: {
      get all() {
        return state.isRemoved ? [] : [destination];
      },
      misplaced: {
        known: [{ source: 'acme', from: 'former', to: 'acme-aep', pending: 5 }],
        check: async () => [],
      },
    },
    admission: {
      status: {
        isWritable: true,
        silentFor: 2_500,
        queued: 7,
        overdue: [],
        usedBytes: 11,
        freeBytes: 12,
        get gauges() {
          return state.gauges;
        },
      },
      refusal: () => state.refusal,
    },
    watermarks: { maxBytes: 1_000, minFree: 10 },
    isShared: true,
    enrichment: () => [],
    reconciliation: () =>
      answer({
        sources: [
          {
            source: 'acme',
            state: 'differences',
            lastRunAt: T0,
            differences: [],
            open: { 'no-payload': 2 },
            sums: { sent: 9, accepted: 4, recovered: 3, unrecoverable: 2, missing: 0 },
          },
        ],
        destinations: state.isRemoved
          ? []
          : [
              {
                destination: 'acme-aep',
                state: 'failing',
                problem: { code: 'forbidden', detail: 'no right' },
                differences: [],
                open: {},
                sums: { delivered: 4, landed: 2, refusedLater: 1, unconfirmed: 1 },
                readBack: { events: 0, profiles: 0 },
              },
            ],
      }),
    sources: () => ['acme'],
    refreshRoutes: () => (state.isRemoved ? [] : [{ name: 'acme', destination: 'acme-aep' }]),
    now: () => T0,
  });
  return { metrics, refresh };
}

beforeEach(() =>
  Object.assign(state, {
    status: { state: 'flowing' },
    refusal: undefined,
    hangs: false,
    isRemoved: false,
    isLeader: true,
    gauges: { intakeLogBytes: 21, walBytes: 22 },
  }),
);

describe('a scrape', () => {
  it('of the leader has the state of the store and of the replicas', async () => {
    const { metrics, refresh } = rig();
    await refresh();
    const lines = (await metrics.registry.metrics()).split('\n');
    expect(lines.filter((line) => line.startsWith('relay_enrichment_refreshes{'))).toHaveLength(2);
    for (const line of [
      'relay_store_leader 1',
      'relay_store_connected 1',
      'relay_replicas 2',
      'relay_slots_owned{destination="acme-aep"} 32',
      'relay_slots_unowned{destination="acme-aep"} 1',
      'relay_enrichment_refreshes{source="acme",destination="acme-aep",part="customer"} 3',
      'relay_enrichment_refreshes{source="acme",destination="acme-aep",part="bill"} 2',
      'relay_enrichment_oldest_refresh_age_seconds{source="acme",destination="acme-aep"} 60',
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.startsWith('relay_store_vacuum_held_seconds '))).toEqual([]);
  });

  it('says what is known of both ends', async () => {
    const { metrics, refresh } = rig();
    await refresh();
    const series = async () =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('relay_reconcile_'));
    expect(await series()).toEqual(
      expect.arrayContaining([
        `relay_reconcile_last_success_timestamp_seconds{side="capillary",name="acme"} ${T0 / 1_000}`,
        'relay_reconcile_failing{side="capillary",name="acme"} 0',
        'relay_reconcile_failing{side="aep",name="acme-aep"} 1',
        'relay_reconcile_differences_open{side="capillary",name="acme",kind="no-payload"} 2',
        'relay_reconcile_sent{source="acme",outcome="recovered"} 3',
        'relay_reconcile_sent{source="acme",outcome="unrecoverable"} 2',
        'relay_reconcile_landed{destination="acme-aep",state="landed"} 2',
        'relay_reconcile_landed{destination="acme-aep",state="unconfirmed"} 1',
      ]),
    );
    state.isRemoved = true;
    await refresh();
    expect((await series()).filter((line) => line.includes('acme-aep'))).toEqual([]);
    state.isLeader = false;
    await refresh();
    expect(await series()).toEqual([]);
  });

  it('has the gauges of a database where there is one', async () => {
    const { metrics, refresh } = rig();
    state.gauges = {
      oldestTransactionMs: 90_000,
      deadRows: 5,
      connections: 20,
      maxConnections: 100,
      queueBytes: 7,
    };
    await refresh();
    const lines = (await metrics.registry.metrics()).split('\n');
    for (const line of [
      'relay_store_vacuum_held_seconds 90',
      'relay_store_dead_rows 5',
      'relay_store_server_connections 20',
      'relay_store_server_max_connections 100',
      'relay_store_table_bytes{table="queue"} 7',
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => /^relay_store_(log_bytes|standbys)/.test(line))).toEqual([]);
  });

  it('of another replica has none of what the replicas share', async () => {
    const { metrics, refresh } = rig();
    await refresh();
    state.isLeader = false;
    await refresh();
    const lines = (await metrics.registry.metrics()).split('\n');
    expect(lines).toContain('relay_store_leader 0');
    expect(lines).toContain('relay_slots_owned{destination="acme-aep"} 32');
    const shared =
      /^relay_(events|pending|replaying|oldest_pending|store_(used|max|free|min|log|sealed)|replicas|slots_unowned|reconcile)/;
    expect(lines.filter((line) => shared.test(line))).toEqual([]);
    state.isLeader = true;
    await refresh();
    expect(await metrics.registry.metrics()).toMatch(/^relay_store_used_bytes 11$/m);
  });

  it('counts the pending events of sources that are not configured', async () => {
    const { metrics, refresh } = rig();
    await refresh();
    expect(await metrics.registry.metrics()).toMatch(/^relay_pending_unconfigured 8$/m);
  });

  it('has no gauges of a destination that a reload has removed', async () => {
    const { metrics, refresh } = rig();
    await refresh();
    expect(await metrics.registry.metrics()).toContain('relay_destination_flowing{destination="acme-aep"}');
    state.isRemoved = true;
    await refresh();
    expect(await metrics.registry.metrics()).not.toContain('acme-aep');
  });

  it('has the gauges of ledger, backlog, destination, store and build', async () => {
    const { metrics, refresh } = rig();
    state.status = { state: 'waiting', lastSuccessAt: T0 - 5_000 };
    await refresh();
    const text = await metrics.registry.metrics();
    for (const line of [
      'relay_events{source="acme",state="accepted"} 9',
      'relay_events{source="acme",state="quarantined"} 3',
      'relay_pending{destination="acme-aep"} 2',
      'relay_replaying{destination="acme-aep"} 1',
      'relay_oldest_pending_age_seconds{destination="acme-aep"} 90',
      'relay_destination_flowing{destination="acme-aep"} 0',
      'relay_destination_state{destination="acme-aep",state="waiting"} 1',
      'relay_destination_state{destination="acme-aep",state="flowing"} 0',
      'relay_destination_state{destination="acme-aep",state="paused"} 0',
      `relay_destination_last_success_timestamp_seconds{destination="acme-aep"} ${T0 / 1_000 - 5}`,
      'relay_destination_slots_limit{destination="acme-aep"} 5',
      'relay_destination_slots_used{destination="acme-aep"} 2',
      'relay_ims_token_seconds_left{destination="acme-aep"} 3600',
      'relay_store_used_bytes 11',
      'relay_store_log_bytes{log="intake"} 21',
      'relay_store_log_bytes{log="write-ahead"} 22',
      'relay_store_max_bytes 1000',
      'relay_store_free_bytes 12',
      'relay_store_min_free_bytes 10',
      'relay_journal_queue_calls 7',
      'relay_journal_silence_seconds 2.5',
      'relay_intake_closed{reason="store-full"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(
      new RegExp(`relay_build_info\\{version="\\d+\\.\\d+\\.\\d+",node="${process.versions.node}"\\} 1`),
    );
  });

  it('has the reason for which a destination does not flow, and no earlier one', async () => {
    const { metrics, refresh } = rig();
    const series = async () =>
      (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('relay_destination_stopped{'));
    state.status = { state: 'waiting', reason: 'throttled' };
    await refresh();
    expect(await series()).toEqual([
      'relay_destination_stopped{destination="acme-aep",reason="throttled"} 1',
    ]);
    state.status = { state: 'paused', reason: 'foreign-answer' };
    await refresh();
    expect(await series()).toEqual([
      'relay_destination_stopped{destination="acme-aep",reason="foreign-answer"} 1',
    ]);
    state.status = { state: 'flowing' };
    await refresh();
    expect(await series()).toEqual([]);
  });

  it('has the gauges from memory while the storage thread does not answer', async () => {
    const { metrics, refresh } = rig();
    state.hangs = true;
    state.refusal = { code: 'store-full', detail: '', retryAfter: 30 };
    void refresh();
    const lines = (await metrics.registry.metrics()).split('\n');
    expect(lines).toContain('relay_journal_queue_calls 7');
    expect(lines).toContain('relay_intake_closed{reason="store-full"} 1');
    expect(lines).toContain('relay_intake_closed{reason="store-failing"} 0');
    expect(lines).toContain(
      `relay_destination_last_success_timestamp_seconds{destination="acme-aep"} ${T0 / 1_000}`,
    );
  });
});
