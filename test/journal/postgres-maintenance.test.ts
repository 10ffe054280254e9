import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { hasBodySql } from '../../src/journal/postgres/engine/body-presence.ts';
import { createPartition, createPartitions } from '../../src/journal/postgres/maintenance/day-partitions.ts';
import { dropBodies } from '../../src/journal/postgres/maintenance/partition-drops.ts';
import { until } from '../helpers/until.ts';
import { DAY, maintenanceRig, T0, TODAY } from './postgres-maintenance-rig.ts';

describe('retention in PostgreSQL', () => {
  it('creates the partitions from yesterday to the day after tomorrow', async () => {
    const { retain, sql } = await maintenanceRig();
    await retain();
    const names = await sql(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'bodies'::regclass ORDER BY 1`,
    );
    expect(names.map(({ name }) => name)).toEqual([
      ...[TODAY - 1, TODAY, TODAY + 1, TODAY + 2].map((day) => `bodies_${day}`),
      'bodies_default',
    ]);
  });

  it('deletes bodies, then records, to the ms, and keeps the counts exact', async () => {
    const rig = await maintenanceRig();
    const { retain, seed, clock, value } = rig;
    await retain();
    await seed({ count: 700, settledAt: T0 });
    await seed({ count: 1, settledAt: T0 + 1 });
    const bodies = () => value('SELECT count(*) FROM bodies');
    const bytes = () => value('SELECT sum(stored_bytes) FROM counts');
    clock.now = T0 + 3 * DAY - 1;
    expect(await retain()).toEqual([]);
    clock.now = T0 + 3 * DAY;
    const steps = await retain();
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.reduce((sum, n) => sum + n, 0)).toBe(700);
    expect([await bodies(), await bytes()]).toEqual([1, 6]);
    clock.now = T0 + 8 * DAY - 1;
    await retain();
    expect([await bodies(), await bytes()]).toEqual([0, 0]);
    expect(await value('SELECT count(*) FROM events')).toBe(701);
    clock.now = T0 + 8 * DAY;
    await retain();
    for (const table of ['events', 'attempts', 'actions', 'differing_copies', 'sent'])
      expect(await value(`SELECT count(*) FROM ${table}`)).toBe(0);
    expect(await value('SELECT sum(stored_events) FROM counts')).toBe(0);
    expect(await value('SELECT sum(delivered) FROM counts')).toBe(701);
  });
});

describe('retention of what was fetched for events', () => {
  const ENTITIES = `'\\x0600112233'`;

  it.each([
    ['row by row', false, [20]],
    ['with the partition', true, { done: 20 }],
  ])('goes with the bodies, %s', async (_how, isDropped, removed) => {
    const { engine, retain, seed, clock, value, sql } = await maintenanceRig();
    await retain();
    await seed({ count: 20 });
    const [kept] = await seed({ state: 'x' });
    await sql(`UPDATE bodies SET entities = ${ENTITIES}`);
    await sql(`UPDATE counts SET stored_bytes = stored_bytes + 21 * 5`);
    clock.now = T0 + 3 * DAY;
    expect(await (isDropped ? dropBodies(engine, TODAY, T0) : retain())).toEqual(removed);
    expect(await sql('SELECT seq, entities IS NOT NULL AS has FROM bodies')).toEqual([
      { seq: kept, has: true },
    ]);
    expect(await value('SELECT sum(stored_bytes) FROM counts')).toBe(
      await value('SELECT sum(octet_length(body) + octet_length(entities)) FROM bodies'),
    );
  });

  it('removes refreshes without a body that nobody has dropped for a day', async () => {
    const { retain, seed, clock, value, sql } = await maintenanceRig();
    await retain();
    await seed({ count: 2 });
    const [pending] = await seed({ state: 'p' });
    await sql(`INSERT INTO refreshes (receipt, day, seq, source, destination, lane_key, customer, bill, attempts, due_at, since)
      SELECT receipt, day, seq, source, destination, lane_key, true, false, 0, 0, ${T0} FROM events`);
    clock.now = T0 + 4 * DAY - 1;
    await retain();
    expect(await value('SELECT count(*) FROM refreshes')).toBe(3);
    clock.now = T0 + 4 * DAY;
    await retain();
    expect(await value('SELECT array_agg(seq) FROM refreshes')).toEqual([pending]);
  });
});

/** Enough for a partition that counts as large. */
const MANY = 5_600;
const LARGE = { count: MANY, padding: 1_400 };

describe('retention in a large partition', () => {
  it('drops it when little must stay, and moves that to the default partition', async () => {
    const { retain, seed, clock, value, sql } = await maintenanceRig();
    await retain();
    const [pending] = await seed({ state: 'p' });
    const [dead] = await seed({ state: 'x' });
    await seed(LARGE);
    const [late] = await seed({ settledAt: T0 + 4 * DAY });
    const days = (table: string) => value(`SELECT count(*) FROM ${table}_${TODAY}`);
    clock.now = T0 + 3 * DAY;
    const steps = await retain();
    expect(steps).toEqual([MANY]);
    await expect(days('bodies')).rejects.toThrow('does not exist');
    expect((await sql('SELECT seq FROM bodies ORDER BY seq')).map(({ seq }) => seq)).toEqual([
      pending,
      dead,
      late,
    ]);
    expect(await value('SELECT sum(stored_bytes) FROM counts')).toBe(18);
    expect(await days('events')).toBe(MANY + 3);
    clock.now = T0 + 8 * DAY;
    // The late body, and the records.
    expect(await retain()).toEqual([1, MANY + 1]);
    await expect(days('events')).rejects.toThrow('does not exist');
    expect((await sql('SELECT seq FROM events_default ORDER BY seq')).map(({ seq }) => seq)).toEqual([
      pending,
      dead,
    ]);
    for (const table of ['attempts', 'actions', 'differing_copies'])
      expect(await value(`SELECT count(*) FROM ${table}`)).toBe(2);
    expect(await value('SELECT sum(stored_events) FROM counts')).toBe(2);
    expect(await value('SELECT sum(accepted) FROM counts')).toBe(MANY + 3);
    expect(await value('SELECT count(*) FROM queue JOIN events USING (receipt, day)')).toBe(1);
  });

  it('waits a day for that, and then deletes row by row', async () => {
    const { retain, seed, clock, value } = await maintenanceRig();
    await retain();
    await seed({ ...LARGE, state: 'p' });
    await seed(LARGE);
    clock.now = T0 + 4 * DAY - 1;
    expect(await retain()).toEqual([]);
    clock.now = T0 + 4 * DAY;
    const steps = await retain();
    expect(steps.length).toBeGreaterThan(50);
    expect(await value('SELECT count(*) FROM bodies')).toBe(MANY);
    expect(await value('SELECT sum(stored_bytes) FROM counts')).toBe(6 * MANY);
  });

  it('leaves a partition that someone reads, and no one waits for that', async () => {
    const { retain, seed, clock, value, url, schema } = await maintenanceRig();
    await retain();
    await seed(LARGE);
    clock.now = T0 + 3 * DAY;
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    await reader.query(`BEGIN; SELECT count(*) FROM ${schema}.bodies`);
    expect(await retain()).toEqual([]);
    expect(await value('SELECT count(*) FROM bodies')).toBe(MANY);
    await reader.end();
    expect(await retain()).toEqual([MANY]);
  });
});

describe('partitions', () => {
  it('are created while events arrive, with the rows of their day that are in the default one', async () => {
    const { retain, engine, value, url, schema } = await maintenanceRig();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`SET search_path = ${schema}`);
    const stopping = new AbortController();
    let longest = 0;
    let count = 0;
    const append = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const started = performance.now();
        await client.query(`INSERT INTO events (day, seq, receipt, source, destination, identity, lane_key,
            received_at, verified_by, body_bytes, due_at)
          SELECT ${TODAY}, nextval('positions'), gen_random_uuid(), 'acme', 'aep',
            sha256(gen_random_uuid()::text::bytea), 0, 0, 'test', 0, 0 FROM generate_series(1, 10)`);
        longest = Math.max(longest, performance.now() - started);
        count += 10;
      }
    };
    const appending = append();
    await until(() => count >= 100);
    await retain();
    stopping.abort();
    await appending;
    await client.end();
    expect(await value(`SELECT count(*) FROM events_${TODAY}`)).toBe(count);
    expect(await value('SELECT count(*) FROM events')).toBe(count);
    expect(longest).toBeLessThan(5_000);
    expect(await createPartition(engine.sessions, 'events', TODAY + 10)).toEqual({ done: true });
  });

  it('are not created for a day that has many rows already', async () => {
    const { engine, seed, value } = await maintenanceRig();
    await seed({ count: 2_000 });
    expect(await createPartition(engine.sessions, 'events', TODAY)).toBe('unsuitable');
    expect(await createPartitions(engine.sessions, [TODAY])).toBe(true);
    expect(await value('SELECT count(*) FROM events')).toBe(2_000);
  });

  it('have room for the settlement of many neighbours at once, without a write to any index', async () => {
    const { retain, seed, sql, value } = await maintenanceRig();
    await retain();
    await seed({ count: 1_000, state: 'p', padding: 150 });
    const size = () => value(`SELECT pg_table_size('events_${TODAY}') + pg_indexes_size('events_${TODAY}')`);
    const before = await size();
    await sql(`UPDATE events SET state = 'd', settled_at = ${T0}, delivered = 3, sent_in = '1234567:8'`);
    expect(await size()).toBe(before);
  });

  it('find an equal event wherever it is', async () => {
    const { retain, seed, sql } = await maintenanceRig();
    await seed({});
    await retain();
    const twice = `INSERT INTO events (day, seq, receipt, source, destination, identity, lane_key, received_at,
        verified_by, body_bytes, due_at)
      SELECT day, 1, gen_random_uuid(), source, destination, identity, lane_key, received_at, verified_by,
        body_bytes, due_at FROM events ON CONFLICT (identity, source, day) DO NOTHING RETURNING seq`;
    expect(await sql(twice)).toEqual([]);
  });

  it('of days that are over are removed when they are small, too', async () => {
    const { retain, seed, clock, value } = await maintenanceRig();
    await retain();
    const [pending] = await seed({ state: 'p' });
    clock.now = T0 + 30 * DAY;
    await retain();
    expect(await value(`SELECT to_regclass('events_${TODAY}')`)).toBeNull();
    expect(await value('SELECT seq FROM events_default')).toBe(pending);
    expect(await value('SELECT seq FROM bodies_default')).toBe(pending);
  });
});

describe('retention of what is not delivered', () => {
  it('removes dead letters and malformed bodies wherever they are, and what was quarantined', async () => {
    const { retain, seed, clock, value, sql } = await maintenanceRig();
    await retain();
    await seed({ count: 2, state: 'x' });
    await seed({ state: 'm', receivedAt: T0 + 1 });
    await sql(`INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
      SELECT gen_random_uuid(), 'shop', 0, ${T0 + 90 * DAY}, '', '{}', '\\x0102', '\\x0304', 3`);
    await sql(`INSERT INTO counts (stream, source, destination, quarantined, quarantined_bytes, stored_bytes)
      VALUES (0, 'shop', '', 1, 3, 4)`);
    clock.now = T0 + 90 * DAY;
    await retain();
    expect(await value('SELECT count(*) FROM events')).toBe(1);
    expect(
      await sql(`SELECT source, sum(quarantined) AS q, sum(quarantined_bytes) AS b, sum(dead) AS dead,
      sum(malformed) AS malformed, sum(stored_bytes) AS bytes FROM counts GROUP BY source ORDER BY source`),
    ).toEqual([
      { source: 'acme', q: 0, b: 0, dead: 2, malformed: 1, bytes: 6 },
      { source: 'shop', q: 0, b: 0, dead: 0, malformed: 0, bytes: 0 },
    ]);
    clock.now += 1;
    await retain();
    expect(
      await sql(`SELECT sum(malformed) AS malformed, sum(stored_events) AS events, sum(stored_bytes) AS bytes
      FROM counts`),
    ).toEqual([{ malformed: 0, events: 0, bytes: 0 }]);
    for (const table of ['dead_letters', 'sent', 'bodies', 'attempts', 'quarantine'])
      expect(await value(`SELECT count(*) FROM ${table}`)).toBe(0);
  });

  it('keeps a dead letter for its identity even if dead letters expire earlier', async () => {
    const { retain, seed, clock, value } = await maintenanceRig();
    await seed({ state: 'x' });
    clock.now = T0 + 8 * DAY - 1;
    await retain({ dead: DAY });
    expect(await value('SELECT count(*) FROM events')).toBe(1);
    clock.now += 1;
    await retain({ dead: DAY });
    expect(await value('SELECT count(*) FROM events')).toBe(0);
  });

  it('removes requests that no event can point to', async () => {
    const { retain, seed, clock, sql } = await maintenanceRig();
    await sql(`INSERT INTO requests (id, at, kind, duration_ms, batch_size)
      SELECT at, at, 'event', 1, 1 FROM unnest(ARRAY[${T0 - 1}, ${T0}, ${T0 + 1}]) at`);
    await seed({ state: 'p' });
    await retain();
    clock.now = T0 + 8 * DAY + 1;
    await retain();
    expect(await sql('SELECT at FROM requests ORDER BY at')).toEqual([{ at: T0 }, { at: T0 + 1 }]);
  });

  it('takes nothing from an event that is made pending at the same time', async () => {
    const { retain, seed, clock, value, url, schema } = await maintenanceRig();
    await retain();
    const [seq] = await seed({ count: 2 });
    const operator = new pg.Client({ connectionString: url });
    await operator.connect();
    await operator.query(`BEGIN; SET LOCAL search_path = ${schema};
      UPDATE events SET state = 'p', settled_at = NULL WHERE seq = ${seq} AND ${hasBodySql('events')}`);
    clock.now = T0 + 8 * DAY;
    await retain();
    await operator.query('COMMIT');
    await operator.end();
    await retain();
    expect(await value('SELECT seq FROM events')).toBe(seq);
    expect(await value('SELECT seq FROM bodies')).toBe(seq);
  });
});
