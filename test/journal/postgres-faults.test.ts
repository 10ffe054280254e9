import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import type { SessionsHandle } from '../../src/journal/postgres/sessions/open-sessions.ts';
import { checkServer } from '../../src/journal/postgres/sessions/start-checks.ts';
import { CommitUnknownError } from '../../src/journal/postgres/sessions/store-errors.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';
import { recordedLog, schemaOfTest, sessionsOfTest, sql, throughPort, userOfTest } from './postgres-rig.ts';

const SELECT = sql('SELECT 1 AS one');
const AT_ONCE_MS = 2_000;

async function proxied() {
  const { url, schema } = await schemaOfTest();
  const proxy = await TcpProxy.to(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  return { proxy, schema, direct: url, url: throughPort(url, proxy.port) };
}

/** How long the call takes to reject, and with what. */
async function rejection(call: () => Promise<unknown>): Promise<{ ms: number; error: unknown }> {
  const started = performance.now();
  try {
    await call();
  } catch (error) {
    return { ms: performance.now() - started, error };
  }
  throw new Error('the call did not reject');
}

function isUsable(sessions: SessionsHandle): Promise<boolean> {
  return sessions.query('append', SELECT).then(
    () => sessions.state().failure === undefined,
    () => false,
  );
}

describe('a PostgreSQL server that is away', () => {
  it('is awaited at the start, with one line in the log', async () => {
    const { proxy, url, schema } = await proxied();
    proxy.refuse();
    const { log, lines } = recordedLog();
    const opening = sessionsOfTest({ url: () => url, schema, log });
    await until(() => lines.length > 0);
    proxy.restore();
    await opening;
    const waiting = lines.filter(({ msg }) => msg === 'waiting for the database');
    expect(waiting.map(({ err }) => err?.message)).toEqual([
      expect.stringContaining('cannot connect to the database: 127.0.0.1:') as string,
    ]);
  });

  it('is awaited if it goes away between two steps of the start', async () => {
    const { proxy, url, schema } = await proxied();
    const { log, lines } = recordedLog();
    let connections = 0;
    const opening = sessionsOfTest({
      url() {
        connections += 1;
        if (connections === 2) proxy.refuse();
        return url;
      },
      schema,
      log,
    });
    await until(() => lines.length > 0);
    proxy.restore();
    await opening;
    expect(lines.filter(({ msg }) => msg === 'waiting for the database')).toHaveLength(1);
  });

  it('fails the start after the limit, and says why', async () => {
    const { proxy, url, schema } = await proxied();
    proxy.refuse();
    await expect(sessionsOfTest({ url: () => url, schema, startLimitMs: 100 })).rejects.toMatchObject({
      name: 'ConnectError',
      message: expect.stringContaining(`cannot connect to the database: 127.0.0.1:${proxy.port}: `) as string,
      fix: expect.stringContaining('start the server') as string,
    });
  });

  it('fails calls at once, and is used again when it answers', async () => {
    const { proxy, url, schema } = await proxied();
    const { log, lines } = recordedLog();
    const sessions = await sessionsOfTest({ url: () => url, schema, log });
    proxy.refuse();
    await until(() => !sessions.state().isConnected);
    const { ms, error } = await rejection(() => sessions.query('append', SELECT));
    expect(error).toBeInstanceOf(StoreError);
    expect(error).not.toBeInstanceOf(CommitUnknownError);
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect(sessions.state()).toMatchObject({
      isConnected: false,
      failingForMs: expect.any(Number) as number,
      failure: expect.any(String) as string,
    });
    proxy.restore();
    await until(() => isUsable(sessions));
    expect(sessions.state()).toEqual({ isConnected: true, isDiskFull: false });
    const later = lines.filter(({ msg }) => msg !== 'schema migrated');
    expect(later.map(({ msg }) => msg)).toEqual([
      'the database cannot be used: events are refused',
      'the database can be used again',
    ]);
    expect(later[0]?.err?.message).toMatch(/ECONN|database/);
  });

  it('leaves the outcome of a statement open if it was on its way', async () => {
    const { proxy, url, schema } = await proxied();
    const sessions = await sessionsOfTest({ url: () => url, schema });
    const call = sessions.query('append', sql('SELECT pg_sleep(5)'));
    const open = sessions.transaction('settle', (session) => session.query(sql('SELECT pg_sleep(5)')));
    setImmediate(() => proxy.cut());
    const [called, opened] = await Promise.allSettled([call, open]);
    expect(called).toMatchObject({ reason: expect.any(CommitUnknownError) as Error });
    // Nothing can have been stored before the commit.
    expect(opened).toMatchObject({ reason: expect.any(StoreError) as Error });
    expect(opened).not.toMatchObject({ reason: expect.any(CommitUnknownError) as Error });
    await until(() => isUsable(sessions));
  });

  it('says that it does not know, if the connection is lost while committing', async () => {
    const { proxy, url, schema } = await proxied();
    const sessions = await sessionsOfTest({ url: () => url, schema });
    const work = sessions.transaction('work', async (session) => {
      await session.query(sql(`INSERT INTO pauses VALUES ('lost', 'me', 1)`));
      proxy.silence();
      setTimeout(() => proxy.cut(), 50);
    });
    await expect(work).rejects.toBeInstanceOf(CommitUnknownError);
    proxy.restore();
  });

  it('does not make anybody wait for a connection that has gone silent', async () => {
    const { proxy, url, schema } = await proxied();
    const sessions = await sessionsOfTest({ url: () => url, schema });
    proxy.silence();
    const { ms, error } = await rejection(() => sessions.query('fleet', SELECT));
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect((error as Error).message).toContain('did not answer for 3 s');
    expect(ms).toBeLessThan(10_000);
    expect(sessions.state().isConnected).toBe(false);
    proxy.restore();
    await until(() => isUsable(sessions));
  });
});

describe('a PostgreSQL server that refuses', () => {
  it('is not even asked if a file of the URL is missing', async () => {
    const { url, schema } = await schemaOfTest();
    const other = new URL(url);
    other.search = '?sslmode=verify-full&sslrootcert=/no/ca.pem';
    const { ms, error } = await rejection(() => sessionsOfTest({ url: () => other.href, schema }));
    expect(error).toMatchObject({
      message: expect.stringContaining(
        "sslrootcert of store.url: ENOENT: no such file or directory, open '/no/ca.pem'",
      ) as string,
      fix: 'mount the file there, readable for the user of the relay',
    });
    expect(ms).toBeLessThan(10_000);
  });

  it('is given up at once if only an operator can help', async () => {
    const { url, schema } = await schemaOfTest();
    const other = new URL(url);
    other.pathname = '/no_such_database';
    const { ms, error } = await rejection(() => sessionsOfTest({ url: () => other.href, schema }));
    expect(error).toMatchObject({
      message: expect.stringContaining('the database does not exist') as string,
      fix: 'create it, or correct its name in store.url',
    });
    expect(ms).toBeLessThan(10_000);
  });

  it('may not be older than version 14, nor have another encoding than UTF8', async () => {
    const facts = { startedAt: '', backend: 1, backendStarted: '', isReadOnly: false };
    expect(() => checkServer({ ...facts, version: 130_012, encoding: 'UTF8' })).toThrow(
      'the database is PostgreSQL 13, which is too old',
    );
    const { url, schema } = await schemaOfTest();
    await executeSql(url, `CREATE DATABASE ${schema} ENCODING 'SQL_ASCII' TEMPLATE template0`);
    onTestFinished(async () => void (await executeSql(url, `DROP DATABASE ${schema}`)));
    const other = new URL(url);
    other.pathname = `/${schema}`;
    await expect(sessionsOfTest({ url: () => other.href, schema })).rejects.toThrow(
      'the encoding of the database is SQL_ASCII',
    );
  });

  it('is read-only: the start waits, and calls fail with the reason', async () => {
    const { url, schema } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema} AUTHORIZATION ${user.name}`);
    const sessions = await sessionsOfTest({ url: () => user.url, schema });
    await executeSql(url, `ALTER ROLE ${user.name} SET default_transaction_read_only = on`);
    // The connections are as before, but this one finds out.
    await sessions.query('append', sql('SET default_transaction_read_only = on'));
    await expect(
      sessions.query('append', sql(`INSERT INTO pauses VALUES ('a', 'me', 1)`)),
    ).rejects.toMatchObject({
      sqlState: '25006',
      message: expect.stringContaining('the database is read-only') as string,
    });
    await until(() => sessions.state().failure?.includes('default_transaction_read_only is on'));
    await expect(sessionsOfTest({ url: () => user.url, schema, startLimitMs: 100 })).rejects.toMatchObject({
      fix: expect.stringContaining('all servers') as string,
    });
    await executeSql(url, `ALTER ROLE ${user.name} RESET default_transaction_read_only`);
    await until(() => sessions.state().failure === undefined);
  });

  it('accepts few connections: each purpose has one, and the log says it once', async () => {
    const { url, schema } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema} AUTHORIZATION ${user.name}`);
    await executeSql(url, `ALTER ROLE ${user.name} CONNECTION LIMIT 5`);
    const { log, lines } = recordedLog();
    const sessions = await sessionsOfTest({ url: () => user.url, schema, connections: 8, log });
    const purposes = ['append', 'settle', 'claim', 'work', 'fleet'] as const;
    await Promise.all(purposes.map((purpose) => sessions.query(purpose, SELECT)));
    await until(() => lines.some(({ err }) => err?.message.includes('too many connections')));
    expect(lines.filter(({ msg }) => msg.includes('accepts fewer connections'))).toHaveLength(1);
    expect(sessions.state()).toEqual({ isConnected: true, isDiskFull: false });
    await executeSql(url, `ALTER ROLE ${user.name} CONNECTION LIMIT 3`);
    await expect(sessionsOfTest({ url: () => user.url, schema, startLimitMs: 100 })).rejects.toMatchObject({
      fix: expect.stringContaining('max_connections') as string,
    });
  });

  it('has lost the tables, or forbids them: nothing is accepted until they are there again', async () => {
    const { url, schema } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema} AUTHORIZATION ${user.name}`);
    const sessions = await sessionsOfTest({ url: () => user.url, schema });
    const beat = (): Promise<unknown> => sessions.query('fleet', sql('SELECT FROM slots'));
    await beat();
    await executeSql(url, `ALTER SCHEMA ${schema} RENAME TO ${schema}_away`);
    await expect(beat()).rejects.toMatchObject({ sqlState: '42P01' });
    expect(sessions.state().failure).toContain('a table of the store is missing');
    await executeSql(url, `ALTER SCHEMA ${schema}_away RENAME TO ${schema}`);
    await until(() => sessions.state().failure === undefined);
    await executeSql(url, `REVOKE ALL ON ${schema}.bodies FROM ${user.name}`);
    await expect(sessions.query('append', sql('SELECT FROM bodies'))).rejects.toMatchObject({
      sqlState: '42501',
    });
    expect(sessions.state().failure).toContain('lacks a right');
    await executeSql(url, `GRANT ALL ON ${schema}.bodies TO ${user.name}`);
    await until(() => sessions.state().failure === undefined);
    // Maintenance may lack a right of its own, and events are accepted.
    await expect(sessions.query('work', sql('SELECT FROM no_such_table'))).rejects.toThrow('42P01');
    expect(sessions.state().failure).toBeUndefined();
  });

  it('cancels what takes too long, or what an operator cancels, and the connection is used on', async () => {
    const { url, schema } = await schemaOfTest();
    const sessions = await sessionsOfTest({ url: () => url, schema });
    const pid = sql('SELECT pg_backend_pid() AS pid');
    const [before] = await sessions.query<{ pid: number }>('fleet', pid);
    await expect(sessions.query('fleet', sql('SELECT pg_sleep(10)'))).rejects.toMatchObject({
      sqlState: '57014',
    });
    const cancelled = rejection(() => sessions.query('fleet', sql('SELECT pg_sleep(1.9)')));
    await until(async () => {
      const [row] = await executeSql(
        url,
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE pid = ${before?.pid} AND state = 'active'`,
      );
      return row !== undefined;
    });
    expect((await cancelled).error).toMatchObject({ sqlState: '57014' });
    expect(await sessions.query('fleet', pid)).toEqual([before]);
    expect(sessions.state()).toEqual({ isConnected: true, isDiskFull: false });
  });

  it('gives a statement the time that it asks for', async () => {
    const { url, schema } = await schemaOfTest();
    const sessions = await sessionsOfTest({ url: () => url, schema });
    const rows = await sessions.transaction('fleet', async (session) => {
      await session.query(sql(`SELECT set_config('statement_timeout', '20s', true)`));
      return session.query({ ...sql(`SELECT 'read' AS it FROM pg_sleep(3.2)`), limitMs: 20_000 });
    });
    expect(rows).toEqual([{ it: 'read' }]);
  });

  it('has a full disk: nothing is accepted until there is room', async () => {
    const { url, schema } = await schemaOfTest();
    const { log, lines } = recordedLog();
    const sessions = await sessionsOfTest({ url: () => url, schema, log });
    await executeSql(
      url,
      `SET search_path = ${schema};
       CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER full_disk BEFORE INSERT ON pauses EXECUTE FUNCTION full_disk()`,
    );
    const insert = sql(`INSERT INTO pauses VALUES ('a', 'me', 1)`);
    await expect(sessions.query('append', insert)).rejects.toMatchObject({
      message: expect.stringContaining('the disk of the database is full') as string,
      fix: expect.stringContaining('enlarge the disk') as string,
    });
    expect(sessions.state()).toMatchObject({ isDiskFull: true, failure: expect.any(String) as string });
    await executeSql(url, `DROP TRIGGER full_disk ON ${schema}.pauses`);
    await sessions.query('append', insert);
    expect(sessions.state()).toEqual({ isConnected: true, isDiskFull: false });
    expect(lines.map(({ msg }) => msg).slice(-1)).toEqual(['the database can be used again']);
  });

  it('finds out by itself that there is room again, since the intake sends nothing meanwhile', async () => {
    const { url, schema } = await schemaOfTest();
    const { log, lines } = recordedLog();
    const sessions = await sessionsOfTest({ url: () => url, schema, log });
    const user = new URL(url);
    user.searchParams.set('options', `-c search_path=${schema}`);
    await executeSql(
      user.href,
      `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
       CREATE SEQUENCE attempts_of_probe;
       CREATE FUNCTION full_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('attempts_of_probe') > 1 THEN RETURN NEW; END IF;
         RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER full_disk BEFORE INSERT ON pauses EXECUTE FUNCTION full_disk();
       CREATE TRIGGER full_once BEFORE INSERT ON bodies_default FOR EACH ROW EXECUTE FUNCTION full_once()`,
    );
    await expect(sessions.query('append', sql(`INSERT INTO pauses VALUES ('a', 'me', 1)`))).rejects.toThrow(
      'full',
    );
    expect(sessions.state()).toMatchObject({ isDiskFull: true });
    await until(() => sessions.state().failure === undefined);
    expect(sessions.state()).toEqual({ isConnected: true, isDiskFull: false });
    const again = lines.filter(({ msg }) => msg === 'the database can be used again');
    expect(again).toHaveLength(1);
    expect(await executeSql(user.href, 'SELECT last_value::int FROM attempts_of_probe')).toEqual([
      { last_value: 2 },
    ]);
    expect(await executeSql(user.href, 'SELECT FROM bodies')).toEqual([]);
  });
});

describe('rights of the user of PostgreSQL', () => {
  it('need to cover one schema only', async () => {
    const { url, schema } = await schemaOfTest();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${user.name}`);
    const sessions = await sessionsOfTest({ url: () => user.url, schema });
    await sessions.query('append', sql(`INSERT INTO pauses VALUES ('a', 'me', 1)`));
    expect(await sessions.query('work', sql('SELECT count(*) AS n FROM streams'))).toEqual([{ n: 4 }]);
  });
});
