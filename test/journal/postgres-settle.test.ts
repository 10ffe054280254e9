import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { sampleAttempt, sampleRequest, settled, sha256, T0 } from '../contract/samples.ts';
import { settleRig } from './postgres-settle-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

describe('settle on PostgreSQL', () => {
  it('records outcomes of hundreds of events in one statement', async () => {
    const { replica, put, sql, counts } = await settleRig();
    const statements: string[] = [];
    const { claim, settle, claims } = await replica({
      wrap: (sessions) => ({
        ...sessions,
        queryAs: (purpose, statement, params) => {
          statements.push(statement.name);
          return sessions.queryAs(purpose, statement, params);
        },
        transaction: (purpose, work) => {
          statements.push('BEGIN');
          return sessions.transaction(purpose, work);
        },
      }),
    });
    const receipts = await put(...Array.from({ length: 300 }, (_, n) => ({ lane: sha256(`${n}`) })));
    await claim(...receipts);
    const request = sampleRequest({ status: 207 });
    const settlements = receipts.map((receipt, n): Settlement => {
      const attempts = [{ request, outcome: 'delivered', xactionId: `x:1:${n}` }];
      const profiles = [{ lane: sha256(`${n}`), state: `{"n":${n}}` }];
      const notes = [{ path: 'a', code: 'b' }];
      return { receipt, attempts, delivered: ['event'], profiles, state: 'delivered', notes };
    });
    const halves = [settlements.slice(0, 150), settlements.slice(150)];
    const answers = await Promise.all(halves.map((half) => settle('one', half)));
    expect(answers).toEqual([{ stale: [] }, { stale: [] }]);
    expect(statements).toEqual(['settle']);
    expect(await counts()).toMatchObject({ accepted: 300, pending: 0, delivered: 300 });
    expect(await sql('SELECT count(*)::int AS n FROM profiles')).toEqual([{ n: 300 }]);
    expect(await sql('SELECT count(*)::int AS n FROM queue')).toEqual([{ n: 0 }]);
    expect(await sql('SELECT count(DISTINCT sent_in)::int AS n FROM events WHERE notes IS NOT NULL')).toEqual(
      [{ n: 300 }],
    );
    expect(await sql('SELECT status, batch_size FROM requests')).toEqual([{ status: 207, batch_size: 3 }]);
    expect(claims.ended).toHaveLength(300);
    expect(claims.ended.every(({ end }) => end.kind === 'left')).toBe(true);
  });

  it('lets an event wait at its place in the queue', async () => {
    const { replica, put, queued, event, counts } = await settleRig();
    const { settleOne, claims } = await replica();
    const [first, second] = await put({ lane: ANN }, { lane: ANN });
    const waiting = { ...settled.waiting(first!, 9), attempts: [sampleAttempt()], failedAttempts: 2 };
    expect(await settleOne(waiting as Settlement)).toEqual([]);
    expect(await queued(ANN)).toEqual([first, second]);
    expect(await event(first!)).toMatchObject({ state: 'p', failures: 2, due_at: String(T0 + 9) });
    expect(claims.ended).toEqual([{ receipt: first, end: { kind: 'waiting', dueAt: T0 + 9 } }]);
    expect(await counts()).toMatchObject({ pending: 2 });
  });

  it('stores texts with characters that PostgreSQL refuses', async () => {
    const { replica, put, event, sql } = await settleRig();
    const { settleOne } = await replica();
    const [receipt] = await put({});
    const attempts = [sampleAttempt({ detail: 'a\0b', xactionId: 'x\0' })];
    const dead = { ...settled.dead(receipt!), detail: 'no\0', attempts } as Settlement;
    expect(await settleOne(dead)).toEqual([]);
    expect(await event(receipt!)).toMatchObject({ state: 'x' });
    expect(await sql('SELECT receipt, is_malformed FROM dead_letters')).toEqual([
      { receipt, is_malformed: false },
    ]);
    expect(await sql('SELECT count(*)::int AS n FROM sent')).toEqual([{ n: 1 }]);
  });

  it('fails the call alone that cannot be recorded', async () => {
    const { replica, put, event } = await settleRig();
    const { claim, settle } = await replica();
    const [good, bad] = await put({}, {});
    await claim(good!, bad!);
    const impossible = { ...settled.waiting(bad!, 0), failedAttempts: 2 ** 40 } as Settlement;
    const answers = await Promise.allSettled([
      settle('one', [settled.delivered(good!)]),
      settle('one', [impossible]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await event(good!)).toMatchObject({ state: 'd' });
  });

  it('counts an event that is settled again once', async () => {
    const { replica, put, counts, sql } = await settleRig();
    const { settle, claim } = await replica();
    const [receipt] = await put({ isReplay: true, lane: BOB });
    await claim(receipt!);
    const dead = { ...settled.dead(receipt!), attempts: [sampleAttempt()] };
    const answers = await Promise.all([settle('one', [dead, dead]), settle('one', [dead])]);
    expect([...answers, await settle('one', [dead])]).toEqual([1, 2, 3].map(() => ({ stale: [] })));
    expect(await counts()).toMatchObject({ pending: 0, replaying: 0, dead: 1 });
    expect(await sql('SELECT count(*)::int AS n FROM attempts')).toEqual([{ n: 1 }]);
  });

  it('updates events in place, all of a page in one statement', async () => {
    const { replica, put } = await settleRig();
    const updates: unknown[] = [];
    const { settle, claim } = await replica({
      wrap: (sessions) => ({
        ...sessions,
        queryAs: (purpose, statement, params = []) =>
          sessions.transaction(purpose, async (session) => {
            const rows = await session.query(statement, [session.stream, ...params]);
            const text = `SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_xact_user_tables
              WHERE schemaname = current_schema() AND relname = 'events_default'`;
            updates.push(...(await session.query({ name: '', text })));
            return rows as never;
          }),
      }),
    });
    const receipts = await put(...Array.from({ length: 200 }, () => ({ lane: ANN })));
    await claim(...receipts);
    await settle('one', receipts.map(settled.delivered));
    expect(updates).toEqual([{ all: 200, hot: 200 }]);
  });

  it('finds everything by index, even if a table was empty when the statement was planned', async () => {
    const { engine } = await (await settleRig()).replica();
    const text = `SELECT current_setting('enable_hashjoin') AS hash,
      current_setting('enable_mergejoin') AS merge, current_setting('enable_seqscan') AS scan`;
    const settings = (purpose: 'settle' | 'work') => engine.sessions.query(purpose, { name: '', text });
    expect(await settings('settle')).toEqual([{ hash: 'off', merge: 'off', scan: 'off' }]);
    expect(await settings('work')).toEqual([{ hash: 'on', merge: 'on', scan: 'on' }]);
  });
});
