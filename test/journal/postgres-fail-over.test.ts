import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { appendAll, claim, sampleAttempt, sampleEvent, settled, sha256, T0 } from '../contract/samples.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { schemaOfTest, userOfTest } from './postgres-rig.ts';
import { settleRig } from './postgres-settle-rig.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

describe('a fail-over that has lost commits', () => {
  it('gives a position to another event: the claim of the lost one does not settle it', async () => {
    const { replica, put, sql, event } = await settleRig();
    const one = await replica();
    const [lost, next] = await put({ lane: ANN }, { lane: ANN });
    await one.claim(lost!);
    await sql(`UPDATE queue SET pos = -1 WHERE receipt = '${lost}'`);
    await sql(
      `UPDATE queue SET pos = (SELECT seq FROM events WHERE receipt = '${lost}') WHERE receipt = '${next}'`,
    );
    await sql(`DELETE FROM queue WHERE pos = -1`);
    await sql(`DELETE FROM events WHERE receipt = '${lost}'`);
    expect(await one.settle('one', [settled.delivered(lost!)])).toEqual({ stale: [] });
    expect(await event(next!)).toMatchObject({ state: 'p' });
    expect(await sql('SELECT receipt FROM queue')).toEqual([{ receipt: next }]);
  });

  it.each(['in the future', 'that of another transaction'])(
    'forgets a settlement whose commit was in doubt, and its transaction id is %s',
    async (which) => {
      const { replica, put, sql } = await settleRig();
      const [other] = await sql('SELECT pg_current_xact_id()::text AS id');
      const id = which === 'in the future' ? '999999999999' : other?.['id'];
      const failure = { times: 1 };
      const wrap = (sessions: Sessions): Sessions => ({
        ...sessions,
        async transaction(purpose, work) {
          if (failure.times === 0) return sessions.transaction(purpose, work);
          failure.times -= 1;
          const undone = sessions.transaction(purpose, async (session) => {
            await work({
              ...session,
              query: async (statement, params) =>
                statement.name === 'transaction_id' ? ([{ id }] as never) : session.query(statement, params),
            });
            throw new Error('undone');
          });
          await expect(undone).rejects.toThrow('undone');
          throw new CommitUnknownError('lost while committing');
        },
      });
      const { claim: hold, settle, claims } = await replica({ wrap });
      const [receipt] = await put({ lane: ANN });
      await hold(receipt!);
      const waiting = { ...settled.waiting(receipt!, 5), attempts: [sampleAttempt()] };
      await expect(settle('one', [waiting])).rejects.toThrow('lost while committing');
      expect(await settle('one', [waiting])).toEqual({ stale: [] });
      expect(await sql('SELECT count(*)::int AS n FROM attempts')).toEqual([{ n: 1 }]);
      expect(await sql('SELECT due_at::float8 - 5 AS at FROM queue')).toEqual([{ at: T0 }]);
      expect(claims.ended).toEqual([{ receipt, end: { kind: 'waiting', dueAt: T0 + 5 } }]);
    },
  );
});

describe('a journal in PostgreSQL', () => {
  const log = pino({ level: 'silent' });

  it('delivers an event whose lane was merged while it was appended, though its settlement is stale', async () => {
    const { url, schema } = await schemaOfTest();
    const journal: Journal = await openPostgresJournal({ url: () => url, schema, encryptionKeys: [], log });
    onTestFinished(() => journal.close());
    const [receipt] = await appendAll(journal, [sampleEvent({ lane: ANN })]);
    const { token } = await claim(journal, {});
    await executeSql(url, `INSERT INTO ${schema}.aliases VALUES ('aep', '${ANN}', '${BOB}')`);
    expect(await journal.settle(token, [settled.delivered(receipt!)])).toEqual({ stale: [receipt] });
    const { events } = await claim(journal, {});
    expect(events.map(({ receipt: each, lane, ownLane }) => [each, lane, ownLane])).toEqual([
      [receipt, BOB, ANN],
    ]);
  });

  it('leaves no connections behind if it cannot be opened', async () => {
    const { url, schema } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema} AUTHORIZATION ${user.name}`);
    const open = () => openPostgresJournal({ url: () => user.url, schema, encryptionKeys: [], log });
    await (await open()).close();
    await executeSql(url, `ALTER TABLE ${schema}.replicas RENAME TO elsewhere`);
    await expect(open()).rejects.toThrow('replicas');
    const connections = `SELECT FROM pg_stat_activity WHERE usename = '${user.name}'`;
    // The server needs a moment to see that they were closed.
    await expect.poll(async () => executeSql(url, connections)).toEqual([]);
  });
});
