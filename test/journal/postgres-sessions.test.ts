import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import type { SessionsHandle } from '../../src/journal/postgres/sessions/open-sessions.ts';
import { executeSql, freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { until } from '../helpers/until.ts';
import { openTestSessions, schemaOfTest, sessionsOfTest, sql, userOfTest } from './postgres-rig.ts';

let schema: TestSchema;
let sessions: SessionsHandle;

beforeAll(async () => {
  schema = await freshSchema();
  sessions = await openTestSessions({ url: () => schema.url, schema: schema.schema, connections: 8 });
});
afterAll(async () => {
  await sessions.close();
  await schema.drop();
});

describe('sessions of PostgreSQL', () => {
  it('give values as numbers, texts and buffers', async () => {
    const text = `SELECT 9007199254740991::int8 AS a, ARRAY[1, 2]::int8[] AS b, '\\x00ff'::bytea AS c,
      sum(x) AS d, NULL::text AS e, ARRAY['a', NULL]::text[] AS f FROM (VALUES (1::int8), (2)) AS v (x)`;
    expect(await sessions.query('work', sql(text))).toEqual([
      { a: 9_007_199_254_740_991, b: [1, 2], c: Buffer.from([0, 255]), d: 3, e: null, f: ['a', null] },
    ]);
  });

  it('take arrays, buffers and null as parameters', async () => {
    const text = 'SELECT $1::int8[] AS a, $2::text[] AS b, $3::bytea AS c, $4::bytea[] AS d, $5::bool AS e';
    const buffer = Buffer.from([0, 1, 255]);
    const params = [[1, 2], ['x"y', null], buffer, [buffer, Buffer.alloc(0)], null];
    expect(await sessions.query('work', sql(text), params)).toEqual([
      { a: [1, 2], b: ['x"y', null], c: buffer, d: [buffer, Buffer.alloc(0)], e: null },
    ]);
  });

  it('have a stream for each connection, and pass it first', async () => {
    const text = 'SELECT $1::int AS stream, backend = pg_backend_pid() AS own FROM streams WHERE id = $1';
    const rows = await sessions.queryAs<{ stream: number; own: boolean }>('settle', sql(text));
    expect(rows).toEqual([{ stream: expect.any(Number) as number, own: true }]);
  });

  it('spread statements over the connections of a purpose', async () => {
    const text = 'SELECT pg_backend_pid() AS pid, pg_sleep(0.02)';
    const call = (): Promise<readonly { pid: number }[]> => sessions.query('append', sql(text));
    // The second connection of a purpose is opened after the first ones of all.
    const used = await until(async () => {
      const rows = (await Promise.all([call(), call(), call(), call()])).flat();
      return new Set(rows.map(({ pid }) => pid)).size === 2 && rows;
    });
    expect(used).toHaveLength(4);
  });

  it('undo a transaction whose work fails', async () => {
    const work = sessions.transaction('work', async (session) => {
      await session.query(sql(`INSERT INTO pauses VALUES ('undone', 'me', 1)`));
      throw new RangeError('on purpose');
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await sessions.query('work', sql(`SELECT FROM pauses WHERE destination = 'undone'`))).toEqual([]);
  });

  it('reject a transaction that hides the failure of a statement', async () => {
    const work = sessions.transaction('work', async (session) => {
      await session.query(sql('SELECT 1/0')).catch(() => {});
    });
    await expect(work).rejects.toThrow(StoreError);
  });

  it('keep other statements out of a transaction', async () => {
    const insert = sessions.transaction('settle', async (session) => {
      await session.query(sql(`INSERT INTO pauses VALUES ('inside', 'me', 1)`));
      const other = sessions.query('settle', sql('SELECT txid_current_if_assigned() AS id'));
      await session.query(sql('SELECT 1'));
      return { other };
    });
    expect(await (await insert).other).toEqual([{ id: null }]);
  });

  it('execute a transaction again after a deadlock', async () => {
    await sessions.query('work', sql(`INSERT INTO programs VALUES (1, ''), (2, '')`));
    let [executions, locked] = [0, 0];
    const barrier = Promise.withResolvers<void>();
    const update = (ids: number[]): Promise<void> =>
      sessions.transaction('work', async (session) => {
        executions += 1;
        for (const id of ids) {
          await session.query(sql('UPDATE programs SET json = json || $2 WHERE org_id = $1'), [id, 'x']);
          locked += 1;
          if (locked === 2) barrier.resolve();
          await barrier.promise;
        }
      });
    await Promise.all([update([1, 2]), update([2, 1])]);
    expect(executions).toBeGreaterThan(2);
    const rows = await sessions.query('work', sql('SELECT json FROM programs ORDER BY org_id'));
    expect(rows).toEqual([{ json: 'xx' }, { json: 'xx' }]);
  });

  it('listen on a channel of the schema', async () => {
    const received = Promise.withResolvers<string>();
    const listening = Promise.withResolvers<void>();
    sessions.listen({ received: received.resolve, listening: listening.resolve });
    await listening.promise;
    await sessions.query('work', sql('SELECT pg_notify($1, $2)'), [sessions.channel, 'hint']);
    expect(await received.promise).toBe('hint');
  });

  it('commit durably even if the default of the user is not', async () => {
    const [row] = await sessions.query('append', sql('SHOW synchronous_commit'));
    expect(row).toEqual({ synchronous_commit: 'on' });
  });

  it('do not depend on the defaults of the user', async () => {
    const { url, schema: name } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${name} AUTHORIZATION ${user.name}`);
    const defaults = {
      array_nulls: 'off',
      standard_conforming_strings: 'off',
      bytea_output: 'escape',
      DateStyle: 'German, DMY',
      TimeZone: 'Pacific/Chatham',
      extra_float_digits: '-15',
      transform_null_equals: 'on',
      statement_timeout: '100',
      idle_session_timeout: '5s',
      default_transaction_isolation: 'serializable',
      enable_indexscan: 'off',
    };
    for (const [key, value] of Object.entries(defaults))
      await executeSql(url, `ALTER ROLE ${user.name} SET ${key} = '${value}'`);
    const own = await sessionsOfTest({ url: () => user.url, schema: name });
    const text = `SELECT $1::integer[] AS a, '\\d' AS b, '\\x5cff'::bytea AS c, (NULL::int = NULL) IS NULL AS d,
      0.1::float8 + 0.2::float8 AS e, current_setting('idle_session_timeout') AS f,
      current_setting('transaction_isolation') AS g, current_setting('enable_indexscan') AS h`;
    expect(await own.query('work', sql(text), [[1, null]])).toEqual([
      {
        a: [1, null],
        b: String.raw`\d`,
        c: Buffer.from([0x5c, 0xff]),
        d: true,
        e: 0.1 + 0.2,
        f: '0',
        g: 'read committed',
        h: 'on',
      },
    ]);
  });
});
