import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { SETTLE } from '../../src/journal/postgres/engine/settle-statement.ts';
import { farReaching } from '../contract/leases.ts';
import { sampleAttempt, settled, sha256, T0 } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { type SettleRig, settleRig } from './postgres-settle-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const CAT = sha256('cat');

function merging(receipt: string, from: string, to: string, profile: string | null = null): Settlement {
  return { ...settled.delivered(receipt), alias: { from, to, profile } };
}

/** A connection that holds a lock until it commits. */
async function locking({ url, schema }: SettleRig, text: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`SET search_path = ${schema}; BEGIN; ${text}`);
  return {
    /** Resolves when another connection waits for the lock. */
    waitedFor: async () => {
      // Unlike pg_stat_activity it is read anew within a transaction.
      const waiting = `SELECT FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
      while ((await client.query(waiting)).rowCount === 0);
    },
    commit: (more = 'SELECT 1') => client.query(`${more}; COMMIT`),
  };
}

/** The connection is lost after each commit, as often as `times` says. */
function losing(failure: { times: number }): (sessions: Sessions) => Sessions {
  const lose = (): void => {
    if (failure.times === 0) return;
    failure.times -= 1;
    throw new CommitUnknownError('lost while committing');
  };
  return (sessions) => ({
    ...sessions,
    async queryAs(purpose, statement, params) {
      const rows = await sessions.queryAs(purpose, statement, params);
      lose();
      return rows as never;
    },
    async transaction(purpose, work) {
      const result = await sessions.transaction(purpose, work);
      lose();
      return result;
    },
  });
}

describe('the plan of a settlement', () => {
  it('finds entries by their key as soon as the server has analyzed a backlog, which is soon', async () => {
    const { replica, sql } = await settleRig();
    const { engine } = await replica();
    await sql('VACUUM ANALYZE queue');
    const [option] =
      await sql(`SELECT option_value::int AS rows FROM pg_class, pg_options_to_table(reloptions)
      WHERE oid = 'queue'::regclass AND option_name = 'autovacuum_analyze_threshold'`);
    const rows = option?.['rows'] as number;
    expect(rows).toBeLessThanOrEqual(5_000);
    await sql(`INSERT INTO queue SELECT 'aep', false, 1, n, n, 20000, gen_random_uuid(), 'acme', NULL, n, false, 0, 1, 0
      FROM generate_series(1, ${rows}) AS n`);
    await sql('ANALYZE queue');
    const params = new Set(SETTLE.text.match(/\$\d+/gu)).size;
    const plan = await engine.sessions.transaction('settle', async (session) => {
      await session.query({ name: 'prepare_settle', text: `PREPARE plan_of_settle AS ${SETTLE.text}` });
      const values = Array.from({ length: params }, () => 'NULL').join(', ');
      const text = `EXPLAIN EXECUTE plan_of_settle (${values})`;
      return session.query<{ 'QUERY PLAN': string }>({ name: 'explain_settle', text });
    });
    const lines = plan.map((row) => row['QUERY PLAN'].trim());
    expect(lines.filter((line) => /^Index Cond: .*stream = .*pos = /.test(line))).toHaveLength(2);
    expect(lines.join(' ')).not.toContain('Join Filter: ((q');
  });
});

describe('settle of several replicas', () => {
  it.each(['simple', 'far-reaching'])('changes nothing under a lost epoch: a %s one', async (kind) => {
    const { replica, put, event, sql, counts, queued } = await settleRig();
    const [one, two] = [await replica(), await replica()];
    const [receipt] = await put({ lane: ANN });
    const before = [await event(receipt!), await counts()];
    await one.claim(receipt!);
    await two.takeSlots();
    const all = farReaching(receipt!);
    const { alias: _alias, erase: _erase, eraseOwn: _own, ...simple } = all;
    const settlement = kind === 'simple' ? (simple as Settlement) : all;
    expect(await one.settle('one', [settlement])).toEqual({ stale: [receipt] });
    expect([await event(receipt!), await counts()]).toEqual([
      { ...(before[0] as object), delivered: 1 },
      before[1],
    ]);
    expect(await queued(ANN)).toEqual([receipt]);
    for (const table of ['profiles', 'aliases', 'attempts', 'sent', 'dead_letters'])
      expect(await sql(`SELECT * FROM ${table}`)).toEqual([]);
    expect(one.claims.ended).toEqual([{ receipt, end: { kind: 'lost' } }]);
  });

  it('leaves the payload of an event of an erased lane that is replayed at the same time', async () => {
    const rig = await settleRig();
    const { put, sql } = rig;
    const one = await rig.replica();
    const [replayed, erased, deleted] = await put({ lane: ANN }, { lane: ANN }, { lane: ANN });
    for (const receipt of [replayed, erased]) await one.settleOne(settled.delivered(receipt!));
    const replay = await locking(rig, `UPDATE events SET state = 'p' WHERE receipt = '${replayed}'`);
    const settling = one.settleOne({ ...settled.delivered(deleted!), erase: [ANN] });
    await Promise.race([replay.waitedFor(), settling]);
    await replay.commit();
    await settling;
    expect(await sql('SELECT receipt FROM events JOIN bodies USING (seq, day)')).toEqual([
      { receipt: replayed },
    ]);
  });

  it('is stale if the slot is taken while it waits for it', async () => {
    const rig = await settleRig();
    const [one, two] = [await rig.replica(), await rig.replica()];
    const [receipt] = await rig.put({ lane: ANN });
    await one.claim(receipt!);
    const lock = await locking(rig, 'SELECT FROM slots FOR UPDATE');
    const answer = one.settle('one', [settled.delivered(receipt!)]);
    await lock.waitedFor();
    await lock.commit(`UPDATE slots SET owner = '${two.engine.replica}', epoch = epoch + 1`);
    expect(await answer).toEqual({ stale: [receipt] });
    expect(await rig.event(receipt!)).toMatchObject({ state: 'p', delivered: 1 });
    await two.settleOne(settled.delivered(receipt!));
    expect(await rig.event(receipt!)).toMatchObject({ state: 'd' });
  });

  it('holds its slots until it is committed, so that nobody takes them in between', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [receipt, other] = await rig.put({ lane: ANN }, { lane: BOB });
    await one.claim(receipt!, other!);
    const lock = await locking(rig, `SELECT FROM queue WHERE receipt = '${receipt}' FOR UPDATE`);
    const answer = one.settle('one', [settled.delivered(receipt!), settled.delivered(other!)]);
    await lock.waitedFor();
    const free = await rig.sql('SELECT slot FROM slots FOR UPDATE SKIP LOCKED');
    expect(free).toHaveLength(62);
    await lock.commit();
    expect(await answer).toEqual({ stale: [] });
  });

  it('of one that lost a slot is ignored once the new owner has settled the event', async () => {
    const { replica, put, counts, queued } = await settleRig();
    const [one, two] = [await replica(), await replica()];
    const [first, second] = await put({ lane: ANN }, { lane: ANN });
    await one.claim(first!);
    await two.takeSlots();
    await two.settleOne(settled.delivered(first!));
    expect(await one.settle('one', [settled.dead(first!)])).toEqual({ stale: [] });
    expect(await queued(ANN)).toEqual([second]);
    expect(await counts()).toMatchObject({ accepted: 2, pending: 1, delivered: 1, dead: 0 });
  });
});

describe('a commit whose end is unknown', () => {
  it.each([
    ['delivered', (receipt: string) => ({ ...settled.delivered(receipt), attempts: [sampleAttempt()] })],
    ['waiting', (receipt: string) => ({ ...settled.waiting(receipt, 5), attempts: [sampleAttempt()] })],
    ['far-reaching', farReaching],
  ])('records nothing twice when it is repeated: %s', async (_name, settle) => {
    const { replica, put, counts, sql } = await settleRig();
    const failure = { times: 1 };
    const { claim, settle: call, claims, clock } = await replica({ wrap: losing(failure) });
    const [receipt] = await put({ lane: ANN });
    await claim(receipt!);
    await expect(call('one', [settle(receipt!)])).rejects.toThrow(CommitUnknownError);
    const after = [await counts(), await sql('SELECT * FROM events'), await sql('SELECT * FROM queue')];
    clock.now += 1;
    expect(await call('one', [settle(receipt!)])).toEqual({ stale: [] });
    expect([await counts(), await sql('SELECT * FROM events'), await sql('SELECT * FROM queue')]).toEqual(
      after,
    );
    expect(await sql('SELECT count(*)::int AS n FROM attempts')).toEqual([{ n: 1 }]);
    const end = { kind: _name === 'waiting' ? 'waiting' : 'left' };
    expect(claims.ended).toMatchObject([{ receipt, end }]);
  });

  it('is repeated in full if it was not committed', async () => {
    const { replica, put, sql } = await settleRig();
    const failure = { times: 1 };
    const wrap = (sessions: Sessions): Sessions => ({
      ...sessions,
      async transaction(purpose, work) {
        const isLost = failure.times > 0;
        const undone = new Error('undone');
        let isDone = false;
        const result = sessions.transaction(purpose, async (session) => {
          const value = await work(session);
          isDone = isLost;
          if (isLost) throw undone;
          return value;
        });
        failure.times -= 1;
        return result.catch((error: unknown) => {
          throw isDone ? new CommitUnknownError('lost') : error;
        });
      },
    });
    const { claim, settle, claims } = await replica({ wrap });
    const [receipt] = await put({ lane: ANN });
    await claim(receipt!);
    const waiting = { ...settled.waiting(receipt!, 5), attempts: [sampleAttempt()] };
    await expect(settle('one', [waiting])).rejects.toThrow(CommitUnknownError);
    expect(await settle('one', [waiting])).toEqual({ stale: [] });
    expect(await sql('SELECT count(*)::int AS n FROM attempts')).toEqual([{ n: 1 }]);
    expect(claims.ended).toEqual([{ receipt, end: { kind: 'waiting', dueAt: T0 + 5 } }]);
  });
});

describe('merges of several replicas', () => {
  it('moves events of a lane that another replica has claimed, whose settlement is then stale', async () => {
    const { replica, put, queued, event, sql } = await settleRig();
    const [one, two] = [await replica(), await replica()];
    const [ann, later] = await put({ lane: ANN }, { lane: ANN });
    const [bob] = await put({ lane: BOB });
    const slot = Number.parseInt(ANN.slice(0, 8), 16) & 63;
    await sql(`UPDATE slots SET owner = '${two.engine.replica}' WHERE slot = ${slot}`);
    await two.claim(ann!);
    await one.settleOne(merging(bob!, ANN, BOB));
    expect(one.notified).toEqual(['aep']);
    expect(one.claims.moved).toEqual(['aep']);
    expect(
      await two.settle('one', [{ ...settled.delivered(ann!), profiles: [{ lane: ANN, state: '{}' }] }]),
    ).toEqual({
      stale: [ann],
    });
    expect(await queued(BOB)).toEqual([ann, later]);
    expect(await event(ann!)).toMatchObject({ lane: BOB, own_lane: ANN, state: 'p', delivered: 1 });
    expect(await sql('SELECT * FROM profiles')).toEqual([]);
  });

  it('makes a settlement of an event stale that was appended to the merged lane meanwhile', async () => {
    const { replica, put, sql, event } = await settleRig();
    const one = await replica();
    const [ann] = await put({ lane: ANN });
    await sql(`INSERT INTO aliases VALUES ('aep', '${ANN}', '${BOB}')`);
    const profiles = [{ lane: ANN, state: '{}' }];
    expect(await one.settleOne({ ...settled.delivered(ann!), profiles })).toEqual([ann]);
    expect(await event(ann!)).toMatchObject({ state: 'p', delivered: 1 });
    expect(await sql('SELECT * FROM profiles')).toEqual([]);
  });

  it('moves what was appended to the merged lane while they were committed', async () => {
    const rig = await settleRig();
    const one = await rig.replica();
    const [bob] = await rig.put({ lane: BOB });
    await one.claim(bob!);
    // An append that has read the aliases and is not committed yet.
    const lock = await locking(rig, 'SELECT FROM counts FOR UPDATE');
    const putting = rig.put({ lane: ANN });
    await lock.waitedFor();
    const merged = one.settle('one', [merging(bob!, ANN, BOB)]);
    await until(async () => (await rig.sql('SELECT FROM aliases')).length === 1);
    await lock.commit();
    const [late] = await putting;
    expect(await merged).toEqual({ stale: [] });
    expect(await rig.queued(BOB)).toEqual([late]);
    expect(await rig.event(late!)).toMatchObject({ lane: BOB, own_lane: ANN, state: 'p' });
    expect(one.claims.moved).toEqual(['aep']);
  });

  it('waits for a settlement of the merged lane, and is stale if that has changed the profile', async () => {
    const rig = await settleRig();
    const [one, two] = [await rig.replica(), await rig.replica()];
    const [ann, bob] = await rig.put({ lane: ANN }, { lane: BOB });
    const slot = Number.parseInt(ANN.slice(0, 8), 16) & 63;
    await rig.sql(`UPDATE slots SET owner = '${two.engine.replica}' WHERE slot = ${slot}`);
    await two.claim(ann!);
    await one.claim(bob!);
    const lock = await locking(rig, `SELECT FROM events WHERE receipt = '${ann}' FOR UPDATE`);
    const profiles = [{ lane: ANN, state: '{"a":1}' }];
    const settledAnn = two.settle('one', [{ ...settled.delivered(ann!), profiles }]);
    await lock.waitedFor();
    const merged = one.settle('one', [merging(bob!, ANN, BOB)]);
    await lock.commit();
    expect([await settledAnn, await merged]).toEqual([{ stale: [] }, { stale: [bob] }]);
    // The lane is read again: the event may have been rerouted too.
    expect(one.claims.ended).toEqual([{ receipt: bob, end: { kind: 'lost' } }]);
    expect(await one.settleOne(merging(bob!, ANN, BOB, '{"a":1}'))).toEqual([]);
  });

  it('in opposite directions at once ends with one alias, whoever is first', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { replica, put, sql, counts } = await settleRig();
      const [one, two] = [await replica(), await replica()];
      const receipts = await put({ lane: ANN }, { lane: BOB }, { lane: ANN }, { lane: BOB });
      const slot = Number.parseInt(BOB.slice(0, 8), 16) & 63;
      await sql(`UPDATE slots SET owner = '${two.engine.replica}' WHERE slot = ${slot}`);
      await one.claim(receipts[0]!);
      await two.claim(receipts[1]!);
      const answers = await Promise.all([
        one.settle('one', [merging(receipts[0]!, BOB, ANN)]),
        two.settle('one', [merging(receipts[1]!, ANN, BOB)]),
      ]);
      const aliases = await sql('SELECT lane, target FROM aliases');
      expect(aliases).toHaveLength(1);
      const lanes = await sql('SELECT DISTINCT lane FROM queue');
      expect(lanes).toEqual([{ lane: aliases[0]?.['target'] }]);
      const stale = answers.flatMap((answer) => answer.stale);
      expect(await counts()).toMatchObject({ pending: 2 + stale.length, delivered: 2 - stale.length });
    }
  });

  it('resolve chains that two of them make at once', async () => {
    const { replica, put, sql } = await settleRig();
    const [one, two] = [await replica(), await replica()];
    const receipts = await put({ lane: BOB }, { lane: CAT }, { lane: ANN });
    const slot = Number.parseInt(CAT.slice(0, 8), 16) & 63;
    await sql(`UPDATE slots SET owner = '${two.engine.replica}' WHERE slot = ${slot}`);
    await one.claim(receipts[0]!);
    await two.claim(receipts[1]!);
    await Promise.all([
      one.settle('one', [merging(receipts[0]!, ANN, BOB)]),
      two.settle('one', [merging(receipts[1]!, BOB, CAT)]),
    ]);
    const [merge] = await sql(`SELECT target FROM aliases WHERE lane = '${ANN}'`);
    const [last] = await sql(`SELECT target FROM aliases WHERE lane = '${BOB}'`);
    // Whoever is second sees the alias of the first; a settlement of a moved event is stale.
    expect(last).toEqual({ target: CAT });
    expect([CAT, undefined]).toContain(merge?.['target']);
  });

  it('moves more events than a statement has positions for, in their order', async () => {
    const { replica, put, queued, sql } = await settleRig();
    const one = await replica();
    const [bob] = await put({ lane: BOB });
    const moved = (
      await Promise.all([
        put(...Array.from({ length: 700 }, () => ({ lane: ANN }))),
        put(...Array.from({ length: 700 }, () => ({ lane: ANN }))),
      ])
    ).flat();
    const before = await queued(ANN);
    await one.settleOne(merging(bob!, ANN, BOB));
    expect(await queued(BOB)).toEqual(before);
    expect(before.toSorted()).toEqual(moved.toSorted());
    expect(await sql('SELECT count(DISTINCT (stream, pos))::int AS n FROM queue')).toEqual([{ n: 1_400 }]);
  });
});
