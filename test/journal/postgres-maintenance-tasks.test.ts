import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type MaintenancePolicy, type MaintenanceReport, RefusedError } from '../../src/journal/journal.ts';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import { EVENT_BYTES } from '../../src/journal/postgres/maintenance/database-status.ts';
import { createEarlyRemoval } from '../../src/journal/postgres/maintenance/early-removal.ts';
import { SEALED_COLUMNS } from '../../src/journal/postgres/maintenance/resealing.ts';
import { cleanStreams } from '../../src/journal/postgres/maintenance/stream-cleaning.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import type { RoomStep } from '../../src/journal/room-maker.ts';
import { AMPLE_ROOM } from '../contract/maintenance-round.ts';
import { until } from '../helpers/until.ts';
import {
  DAY,
  maintenanceRig,
  POLICY,
  type RunningMaintenance,
  T0,
  TODAY,
} from './postgres-maintenance-rig.ts';

const NEVER = { delivered: 1_000 * DAY, ids: 1_000 * DAY, dead: 1_000 * DAY };
const AMPLE: MaintenancePolicy = { retention: NEVER, ...AMPLE_ROOM };

function reported({ reports }: RunningMaintenance, kind: MaintenanceReport['kind']) {
  return reports.filter((report) => report.kind === kind);
}

/** The next step that has removed something. */
function nextRemoval(step: (minIds: number) => Promise<RoomStep>): Promise<RoomStep> {
  return until(async () => {
    const done = await step(7 * DAY);
    return done.bodies + done.records > 0 && done;
  });
}

describe('making room in PostgreSQL', () => {
  it('removes finished bodies, those of the oldest days first, then old records, and nothing owed', async () => {
    const { engine, retain, seed, value, clock } = await maintenanceRig();
    await retain();
    await seed({ count: 10, day: TODAY - 5 });
    await seed({ count: 20, day: TODAY, receivedAt: T0 + 1 });
    await seed({ count: 3, state: 'p' });
    await seed({ count: 3, state: 'x' });
    clock.now = T0 + 7 * DAY;
    const step = createEarlyRemoval(engine);
    expect(await nextRemoval(step)).toEqual({ bodies: 10, records: 0, more: true });
    expect(await value(`SELECT count(*) FROM bodies WHERE day = ${TODAY}`)).toBe(26);
    expect(await nextRemoval(step)).toEqual({ bodies: 20, records: 0, more: true });
    expect(await nextRemoval(step)).toEqual({ bodies: 0, records: 10, more: true });
    await until(async () => !(await step(7 * DAY)).more);
    expect(await value('SELECT count(*) FROM bodies')).toBe(6);
    expect(await value('SELECT count(*) FROM events')).toBe(26);
    expect(await value('SELECT sum(stored_bytes) FROM counts')).toBe(36);
    expect(await value('SELECT sum(stored_events) FROM counts')).toBe(26);
  });

  it('drops the bodies of a day that is over at once', async () => {
    const { engine, retain, seed, value, clock } = await maintenanceRig();
    await retain();
    const [pending] = await seed({ state: 'p' });
    await seed({ count: 500 });
    clock.now = T0 + 2 * DAY;
    const step = createEarlyRemoval(engine);
    expect(await nextRemoval(step)).toEqual({ bodies: 500, records: 0, more: true });
    expect(await value(`SELECT to_regclass('bodies_${TODAY}')`)).toBeNull();
    expect(await value('SELECT seq FROM bodies')).toBe(pending);
  });

  it('happens at the watermark, without being asked', async () => {
    const { maintenance, seed, value } = await maintenanceRig();
    const running = await maintenance();
    await seed({ count: 50, body: Buffer.alloc(20_000, 6) });
    running.maintain(() => ({ ...AMPLE, maxBytes: 1_000_000 }));
    running.setLeader(true);
    await until(() => reported(running, 'made-room').length > 0);
    expect(reported(running, 'made-room')).toMatchObject([{ bodies: 50, records: 0 }]);
    expect(await value('SELECT count(*) FROM events')).toBe(50);
  });
});

describe('a full disk of the database', () => {
  it('makes room too, however little the store uses', async () => {
    const { maintenance, seed } = await maintenanceRig();
    const running = await maintenance(undefined, {
      availability: () => ({ isConnected: true, isDiskFull: true, failingForMs: 1, failure: 'full' }),
    });
    await seed({ count: 5 });
    running.maintain(() => AMPLE);
    running.setLeader(true);
    await until(() => reported(running, 'made-room').length > 0);
    expect(reported(running, 'made-room')).toMatchObject([{ bodies: 5 }]);
  });
});

describe('the leader', () => {
  it('alone maintains the store', async () => {
    const { maintenance, seed, value, clock } = await maintenanceRig();
    const running = await maintenance();
    await seed({ count: 5 });
    clock.now = T0 + 3 * DAY;
    running.maintain(() => ({ retention: POLICY, ...AMPLE_ROOM }));
    await running.status();
    expect(await value('SELECT count(*) FROM bodies')).toBe(5);
    running.setLeader(true);
    await until(() => reported(running, 'retained').length > 0);
    expect(reported(running, 'retained')).toEqual([{ kind: 'retained', removed: 5 }]);
    running.setLeader(false);
    await running.stop();
  });

  it('continues replay jobs, also before it knows a policy', async () => {
    const { maintenance } = await maintenanceRig();
    let signalled: AbortSignal | undefined;
    const running = await maintenance(undefined, {
      continueJobs: (signal) => {
        signalled = signal;
        return Promise.resolve([7]);
      },
    });
    running.setLeader(true);
    await until(() => running.reports.length > 0);
    expect(running.reports[0]).toEqual({ kind: 'replayed', id: 7 });
    running.setLeader(false);
    expect(signalled?.aborted).toBe(true);
  });

  it('reports a task that fails once, and tries it again', async () => {
    const { maintenance, sql, seed, value, clock } = await maintenanceRig();
    const running = await maintenance();
    await seed({});
    clock.now = T0 + 3 * DAY;
    await sql('ALTER TABLE dead_letters RENAME TO elsewhere');
    running.maintain(() => ({ retention: POLICY, ...AMPLE_ROOM }));
    running.setLeader(true);
    await until(() => reported(running, 'failed').length > 0);
    expect(reported(running, 'failed')).toMatchObject([{ task: 'retention' }]);
    await sql('ALTER TABLE elsewhere RENAME TO dead_letters');
    await until(async () => (await value('SELECT count(*) FROM bodies')) === 0);
  });

  it('refuses a backup and names the means of the database', async () => {
    const running = await (await maintenanceRig()).maintenance();
    await expect(running.backup('/tmp/a')).rejects.toThrow(RefusedError);
    await expect(running.backup('/tmp/a')).rejects.toThrow(/pg_dump.*base backups/u);
  });
});

describe('re-encryption in PostgreSQL', () => {
  const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
  const old = createPayloadCipher([oldKey]);
  const payload = Buffer.from(old.encrypt(Buffer.from('{}')));

  async function filled() {
    const rig = await maintenanceRig([newKey, oldKey]);
    await rig.retain();
    await rig.seed({ count: 300, body: payload, notes: payload });
    await rig.seed({ count: 2, state: 'x', body: payload });
    const literal = `'\\x${payload.toString('hex')}'`;
    await rig.sql(`UPDATE sent SET json = ${literal}`);
    await rig.sql(
      `UPDATE bodies SET entities = ${literal} WHERE seq IN (SELECT seq FROM bodies ORDER BY seq LIMIT 10)`,
    );
    await rig.sql(`INSERT INTO profiles SELECT 'aep', 'lane ' || i, ${literal} FROM generate_series(1, 5) i`);
    await rig.sql(`INSERT INTO quarantine (receipt, source, received_at, expires_at, ip, reasons, headers, body, bytes)
      SELECT gen_random_uuid(), 'shop', 0, ${T0 + DAY}, '', '{}', ${literal}, ${literal}, 3`);
    await rig.sql(
      `INSERT INTO replay_jobs (at, by, as_new, shown, filter) VALUES (0, 'olga', false, '{}', ${literal})`,
    );
    const outdated = async (): Promise<number> => {
      const form = `'\\x01${newKey.length === 32 ? createPayloadCipher([newKey]).formId : ''}'`;
      let count = 0;
      for (const { table, column } of SEALED_COLUMNS)
        count += Number(
          await rig.value(
            `SELECT count(*) FROM ${table} WHERE ${column} IS NOT NULL AND substring(${column} FROM 1 FOR 5) <> ${form}`,
          ),
        );
      return count;
    };
    return { ...rig, outdated };
  }

  it('rewrites everything that is encrypted, and reports it', async () => {
    const { maintenance, outdated, sql } = await filled();
    expect(await outdated()).toBe(302 + 300 + 2 + 5 + 2 + 1 + 10);
    const running = await maintenance();
    running.maintain(() => AMPLE);
    running.setLeader(true);
    await until(() => reported(running, 'sealed').length > 0);
    expect(reported(running, 'sealed')).toEqual([{ kind: 'sealed', resealed: 622, unreadable: 0 }]);
    expect(reported(running, 'sealing').length).toBeGreaterThan(SEALED_COLUMNS.length);
    expect(reported(running, 'sealing').at(-1)).toEqual({ kind: 'sealing', share: 1 });
    expect(await outdated()).toBe(0);
    expect(await sql('SELECT DISTINCT body FROM bodies')).toHaveLength(302);
  });

  it('is continued by another leader, and not repeated once everything has the current form', async () => {
    const { maintenance, outdated, another, value } = await filled();
    const first = await maintenance();
    first.maintain(() => AMPLE);
    first.setLeader(true);
    await until(() => reported(first, 'sealing').length > 0);
    first.setLeader(false);
    await first.stop();
    expect(await outdated()).toBeGreaterThan(0);
    expect(await value(`SELECT progress -> 'sealing' -> 'at' ->> 'resealed' FROM tasks`)).toBe('200');
    const second = await maintenance();
    second.maintain(() => AMPLE);
    second.setLeader(true);
    await until(() => reported(second, 'sealed').length > 0);
    expect(reported(second, 'sealed')).toMatchObject([{ resealed: 622, unreadable: 0 }]);
    await second.stop();
    const third = await maintenance();
    third.maintain(() => AMPLE);
    third.setLeader(true);
    await until(() => reported(third, 'sealed').length > 0);
    expect(reported(third, 'sealed')).toMatchObject([{ resealed: 0 }]);
    await third.stop();
    const fourth = await maintenance(await another());
    fourth.maintain(() => AMPLE);
    fourth.setLeader(true);
    await until(() => reported(fourth, 'sealing').length > 0);
    expect(fourth.reports).toEqual([{ kind: 'sealing', share: 1 }]);
  });

  it('goes on with what a leader of the first format does not know', async () => {
    const { maintenance, outdated, sql, engine } = await filled();
    const running = await maintenance();
    running.maintain(() => AMPLE);
    await sql(`UPDATE tasks SET progress = '{"sealed": "${engine.cipher.formId}"}'`);
    running.setLeader(true);
    await until(() => reported(running, 'sealed').length > 0);
    expect(reported(running, 'sealed')).toEqual([{ kind: 'sealed', resealed: 10, unreadable: 0 }]);
    expect(await outdated()).toBe(302 + 300 + 2 + 5 + 2 + 1);
  });

  it('leaves what no key decrypts, and what is damaged', async () => {
    const { maintenance, another, value, sql } = await filled();
    await sql(
      `UPDATE bodies SET body = '\\x0600000001' || '{}'::bytea WHERE seq IN (SELECT min(seq) FROM bodies)`,
    );
    const stranger = await another([randomBytes(32)]);
    const running = await maintenance(stranger);
    running.maintain(() => AMPLE);
    await sql(`UPDATE tasks SET owner = '${stranger.engine.replica}'`);
    running.setLeader(true);
    await until(() => reported(running, 'sealed').length > 0);
    expect(reported(running, 'sealed')).toMatchObject([{ resealed: 0, unreadable: 621 }]);
    expect(stranger.unreadable).toHaveLength(1);
    expect(await value('SELECT progress FROM tasks')).toEqual({});
  });

  it('keeps the counts exact when payloads grow', async () => {
    const rig = await maintenanceRig([newKey]);
    await rig.seed({ count: 3, body: Buffer.from(createPayloadCipher([]).encrypt(Buffer.from('{}'))) });
    const running = await rig.maintenance();
    running.maintain(() => AMPLE);
    running.setLeader(true);
    await until(() => reported(running, 'sealed').length > 0);
    const actual = await rig.value('SELECT sum(octet_length(body)) FROM bodies');
    expect(await rig.value('SELECT sum(stored_bytes) FROM counts')).toBe(actual);
    expect(actual).toBe(3 * (1 + 4 + 12 + 16 + 2));
  });
});

describe('what closed connections leave behind', () => {
  it('is folded into one row, and a stream stays while the queue has entries of it', async () => {
    const { another, seed, engine, sql, value } = await maintenanceRig();
    await seed({ state: 'p' });
    const other = await another();
    const [{ id, idle }] = (await sql(
      `SELECT max(id) AS id, max(id) - 1 AS idle FROM streams WHERE replica = '${other.engine.replica}'`,
    )) as [{ id: number; idle: number }];
    await sql(`UPDATE queue SET stream = ${id}`);
    await sql(`INSERT INTO counts (stream, source, destination, accepted, delivered)
      VALUES (${id}, 'acme', 'aep', 5, 5), (${idle}, 'acme', 'aep', 2, 2), (${idle}, 'shop', '', 1, 1)`);
    const streams = () => sql(`SELECT id FROM streams WHERE replica = '${other.engine.replica}' ORDER BY id`);
    await cleanStreams(engine.sessions);
    expect(await value(`SELECT count(*) FROM counts WHERE stream IN (${id}, ${idle})`)).toBe(3);
    expect((await streams()).length).toBe(4);
    await other.sessions.close();
    await until(async () => {
      await cleanStreams(engine.sessions);
      return (await streams()).length === 1;
    });
    expect(await streams()).toEqual([{ id }]);
    expect(await sql('SELECT stream, source, accepted, pending FROM counts ORDER BY source')).toEqual([
      { stream: 0, source: 'acme', accepted: 8, pending: 1 },
      { stream: 0, source: 'shop', accepted: 1, pending: 0 },
    ]);
    await sql('DELETE FROM queue');
    await cleanStreams(engine.sessions);
    expect(await streams()).toEqual([]);
  });

  it('stays if a process ends while it is looked for, with a last commit that is not seen yet', async () => {
    const { another, seed, engine, sql } = await maintenanceRig();
    const other = await another();
    await seed({ state: 'p' });
    const last = async (): Promise<void> => {
      await other.sessions.queryAs('work', {
        name: 'test_last_commit',
        text: 'UPDATE queue SET stream = $1',
      });
      await other.sessions.close();
      const ended = `SELECT FROM streams s JOIN pg_stat_activity a ON a.pid = s.backend
        WHERE s.replica = '${other.engine.replica}'`;
      await until(async () => (await sql(ended)).length === 0);
    };
    const sessions: Sessions = {
      ...engine.sessions,
      query: async (purpose, statement, params) => {
        const rows = await engine.sessions.query(purpose, statement, params);
        if (statement.name === 'maintenance_closed_streams') await last();
        return rows as never;
      },
    };
    await cleanStreams(sessions);
    expect(await sql('SELECT count(*)::int AS n FROM queue JOIN streams ON id = stream')).toEqual([{ n: 1 }]);
  });
});

describe('the status of a store in PostgreSQL', () => {
  it('has what records use, what is left, and gauges of the database', async () => {
    const { maintenance, seed } = await maintenanceRig();
    const running = await maintenance();
    running.maintain(() => ({ ...AMPLE, maxBytes: 100_000 }));
    await seed({ count: 10, body: Buffer.alloc(100, 6) });
    const status = await running.status();
    expect(status).toMatchObject({
      isWritable: true,
      queued: 0,
      overdue: [],
      usedBytes: 10 * (EVENT_BYTES + 100),
    });
    expect(status.freeBytes).toBe(100_000 - status.usedBytes);
    expect(Object.keys(status.gauges).toSorted()).toEqual([
      'bodiesBytes',
      'connections',
      'deadRows',
      'eventsBytes',
      'maxConnections',
      'oldestTransactionMs',
      'otherBytes',
      'partitions',
      'profilesBytes',
      'queueBytes',
      'standbys',
    ]);
    expect(status.gauges['eventsBytes']).toBeGreaterThan(0);
    expect(running.silentFor()).toBeLessThan(10_000);
  });

  it('adds to its own overdue events those of slots that nobody owns', async () => {
    const { maintenance, seed, sql, clock, engine } = await maintenanceRig();
    const own = { source: 'acme', destination: 'other', since: 1 };
    const running = await maintenance(undefined, {
      overdue: () => Promise.resolve([own]),
    });
    await seed({ state: 'p', receivedAt: T0 });
    await seed({ state: 'p', receivedAt: T0 - 700, source: 'shop' });
    clock.now = T0 + 300;
    const overdue = async () =>
      (await running.status()).overdue.toSorted((a, b) =>
        a.source + a.destination < b.source + b.destination ? -1 : 1,
      );
    await sql(`INSERT INTO streams (id, replica, backend, backend_started) OVERRIDING SYSTEM VALUE
      VALUES (0, gen_random_uuid(), 0, now())`);
    expect(await overdue()).toEqual([
      { source: 'acme', destination: 'aep', since: 300 },
      own,
      { source: 'shop', destination: 'aep', since: 1_000 },
    ]);
    await sql(`INSERT INTO replicas (id, name, version, since, seen)
      VALUES ('${engine.replica}', '', '', 0, clock_timestamp())`);
    await sql(`INSERT INTO slots SELECT 'aep', n, '${engine.replica}' FROM generate_series(0, 63) n`);
    expect(await overdue()).toEqual([own]);
    await sql(`UPDATE replicas SET seen = clock_timestamp() - interval '6 s'`);
    expect(await overdue()).toHaveLength(3);
  });

  it('says why the database cannot be used, and does not wait for it', async () => {
    const { maintenance, sessions } = await maintenanceRig();
    const running = await maintenance(undefined, {
      availability: () => ({
        isConnected: false,
        isDiskFull: true,
        failingForMs: 4_000,
        failure: 'the disk of the database is full',
      }),
    });
    await sessions.close();
    expect(await running.status()).toMatchObject({
      isWritable: false,
      failingFor: 4_000,
      failure: 'the disk of the database is full',
    });
  });
});
