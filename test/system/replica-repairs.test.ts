import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { readReconciled } from './landing/reconciled.ts';
import { until } from '../helpers/until.ts';

import { type LandingReplicas, landingReplicas } from './landing/landing-replicas.ts';
import { type EventMaker, eventMaker } from './landing/planted-events.ts';
import { eventIdOf, ODD_OVERRIDE } from './landing/planted-losses.ts';

/** Of two pages of Capillary's log. */
const GIVEN_UP = 150;
/** Of several steps. */
const REPLAYED = 1_000;

let schema: TestSchema;
let replicas: LandingReplicas;
let make: EventMaker;

beforeAll(async () => {
  schema = await freshSchema();
  const store = { engine: 'postgres', url: schema.url, schema: schema.schema, connections: 4 };
  replicas = await landingReplicas({ seed: 4, store }, 1);
  const { rig } = replicas;
  Object.assign(rig.config.sources[0]!, { overrides: ODD_OVERRIDE });
  const { reconcile } = rig.config.destinations[0]!;
  Object.assign(reconcile as object, { notifications: { signingHost: rig.simulator.url } });
  make = eventMaker(rig.simulator.capillary.org, 100);
  await replicas.restart();
});

afterAll(async () => {
  await replicas?.close();
  await schema?.drop();
});

/** A transaction that keeps something from being changed, until it is closed. */
async function holding(statement: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: schema.url });
  await client.connect();
  await client.query(`BEGIN; SET LOCAL search_path TO ${schema.schema}; ${statement}`);
  return client;
}

describe('what one of two replicas begins', () => {
  it('the leader reads a batch of which the other was told', async () => {
    const { simulator } = replicas.rig;
    const { other } = await replicas.roles();
    simulator.notifications.set({ url: `${other.adminUrl}/hooks/adobe`, clientId: 'client' });
    const [event] = make.odd(1);
    expect((await other.post(event?.body ?? '')).status).toBe(200);
    await until(async () => (await replicas.ledger(other)).refusedLater === 1);
    simulator.notifications.set(undefined);
    const failures = simulator.notifications.sent().filter(({ code }) => code === 'ing_load_failure');
    expect(failures).toMatchObject([{ statuses: [200] }]);
    const explained = await replicas.cli(other, 'explain', event?.eventId ?? '');
    expect(explained.stdout).toContain('dead (refused-later)');
  });

  it('what a leader has taken and not noted when it is killed is not taken twice', async () => {
    const { simulator } = replicas.rig;
    const pages = `/v3/events/consumer-groups/${replicas.rig.webhook().consumerGroupId}/logs`;
    const { leader, other } = await replicas.roles();
    const before = (await replicas.ledger(other)).accepted;
    const events = make.ordinary(GIVEN_UP);
    for (const event of events)
      simulator.capillary.addToLog(event, { status: 'FAILED', generatedAt: Date.now() - 3_600_000 });
    // oxlint-disable-next-line unicorn/no-thenable -- a key of the rules' format
    simulator.setFaults([{ on: 'capillary', match: { path: pages }, then: { delayMs: 300 } }]);
    const running = replicas.cli(other, 'reconcile', '--json', '--source', 'acme', '--since', '2h');
    await simulator.until(() => (simulator.faults()[0]?.seen ?? 0) > 0);
    const held = await holding('LOCK TABLE reconciliation_notes IN SHARE MODE');
    await until(async () => (await replicas.ledger(other)).accepted === before + GIVEN_UP);
    await replicas.kill(leader);
    // What waits for the lock would be stored, although its replica is dead.
    await held.query(`SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE relation = 'reconciliation_notes'::regclass AND NOT granted`);
    await held.end();
    simulator.setFaults([]);
    const { source } = readReconciled(await running);
    expect(source.sums).toMatchObject({ sent: GIVEN_UP, recovered: GIVEN_UP, accepted: 0, missing: 0 });
    expect(source.differences.every(({ kind }) => kind === 'given-up')).toBe(true);
    expect(new Set(source.differences.map(({ eventId }) => eventId)).size).toBe(source.differences.length);
    expect((await replicas.ledger(other)).accepted).toBe(before + GIVEN_UP);
    await replicas.restart();
  });

  it('a replay whose leader is killed is completed, each event once', async () => {
    const { rig } = replicas;
    const { leader, other } = await replicas.roles();
    const events = make.ordinary(REPLAYED);
    const settledSince = new Date().toISOString();
    expect((await other.post(`[${events.map(({ body }) => body).join(',')}]`)).status).toBe(200);
    await rig.settled();
    const filter = { destination: 'acme-aep', settledSince, settledUntil: Date.now() + 1 };
    const body = JSON.stringify({ filter, states: ['delivered'], asNew: true });

    // So the replay cannot end before its replica does.
    const held = await holding(`SELECT FROM events WHERE receipt =
      (SELECT receipt FROM events WHERE state = 'd' ORDER BY receipt DESC LIMIT 1) FOR UPDATE`);
    const asked = leader.admin('/admin/v1/events/replay', { method: 'POST', body }).catch(() => undefined);
    const job = async () => (await other.admin('/admin/v1/replays/1')).body;
    await until(async () => (await job()).replayed > 0);
    await replicas.kill(leader);
    await held.end();
    await asked;
    const before = await job();
    expect([before.done, before.replayed < REPLAYED]).toEqual([false, true]);
    await until(async () => (await job()).done === true);
    expect(await job()).toMatchObject({ matched: REPLAYED, replayed: REPLAYED, asNew: true });

    await replicas.restart();
    await rig.settled();
    const deliveredBy = Date.now();
    const copies = new Map<string, string[]>();
    for (const record of rig.simulator.landed({ kind: 'event', inLake: true })) {
      const ids = copies.get(eventIdOf(record)) ?? [];
      copies.set(eventIdOf(record), [...ids, record.id ?? '']);
    }
    const isOnceAsNew = (ids: readonly string[]): boolean => ids.length === 2 && ids[1] === `${ids[0]}-r1`;
    const wrong = events.filter(({ eventId = '' }) => !isOnceAsNew((copies.get(eventId) ?? []).toSorted()));
    expect(wrong).toEqual([]);
    const { destination, source } = await replicas.reconcileUntil(
      other,
      (result) => Date.parse(result.destination.seesLakeUntil ?? '') >= deliveredBy,
    );
    expect(source.sums).toMatchObject({ sent: GIVEN_UP, recovered: GIVEN_UP });
    expect(destination.sums).toEqual({
      delivered: REPLAYED + GIVEN_UP + 1,
      landed: REPLAYED + GIVEN_UP,
      refusedLater: 1,
      unconfirmed: 0,
    });
  });
});
