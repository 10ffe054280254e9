import { execFileSync } from 'node:child_process';
import { appendFile, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { readDatabaseFacts } from '../../src/journal/postgres/offline/database-facts.ts';
import type { SessionsHandle } from '../../src/journal/postgres/sessions/open-sessions.ts';
import { PostgresServer, type PostgresServerOptions } from '../helpers/postgres-process.ts';
import { createPrivateCa } from '../helpers/private-ca.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';
import { recordedLog, sessionsOfTest, sql } from './postgres-rig.ts';

const schema = 'relay';
const INSERT = sql(`INSERT INTO pauses VALUES (md5(random()::text), 'me', 1)`);
/** Long enough for a busy machine; the goal of a fail-over as a whole is 15 s. */
const RECOVERY_LIMIT_MS = 15_000;

async function serverOfTest(options?: PostgresServerOptions): Promise<PostgresServer> {
  const server = await PostgresServer.create(options);
  onTestFinished(() => server.remove());
  return server;
}

async function showOf(server: PostgresServer, setting: string): Promise<unknown> {
  return (await server.query(`SHOW ${setting}`))[0]?.[setting];
}

/** Resolves with how long it took until something could be written again, and all is well. */
async function recovery(sessions: SessionsHandle): Promise<number> {
  const started = performance.now();
  await until(() =>
    sessions.query('append', INSERT).then(
      () => sessions.state().failure === undefined,
      () => false,
    ),
  );
  return performance.now() - started;
}

describe('a PostgreSQL server that ends', () => {
  it.each(['stop', 'kill'] as const)('by %s is used again when it is back', async (how) => {
    const server = await serverOfTest();
    const { log, lines } = recordedLog();
    const sessions = await sessionsOfTest({ url: () => server.url(), schema, log });
    let changes = 0;
    sessions.onServerChange(() => (changes += 1));
    let isListening = 0;
    sessions.listen({ received: () => {}, listening: () => (isListening += 1) });
    await until(() => isListening === 1);
    await sessions.query('append', INSERT);
    await server[how]();
    // A process of the server can answer once more before it notices that the server was killed.
    const failure = await until(() =>
      sessions.query('append', INSERT).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(failure).toBeInstanceOf(StoreError);
    await server.start();
    expect(await recovery(sessions)).toBeLessThan(RECOVERY_LIMIT_MS);
    await until(() => isListening === 2);
    expect(changes).toBe(1);
    const messages = lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('the database'));
    expect(messages).toEqual([
      'the database cannot be used: events are refused',
      'the database can be used again',
    ]);
  });

  it('is replaced by the standby that was promoted', async () => {
    const primary = await serverOfTest();
    const standby = await primary.standby();
    onTestFinished(() => standby.remove());
    await primary.set('synchronous_standby_names', '*');
    const url = `postgres://relay@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres?target_session_attrs=read-write`;
    const sessions = await sessionsOfTest({ url: () => url, schema });
    let changes = 0;
    sessions.onServerChange(() => (changes += 1));
    await sessions.query('append', sql(`INSERT INTO pauses VALUES ('kept', 'before', 1)`));
    await primary.kill();
    await until(() => sessions.state().failure?.includes('it is a standby'));
    await standby.promote();
    expect(await recovery(sessions)).toBeLessThan(RECOVERY_LIMIT_MS);
    expect(changes).toBe(1);
    const kept = sql(`SELECT count(*) AS n FROM pauses WHERE by = 'before'`);
    expect(await sessions.query('work', kept)).toEqual([{ n: 1 }]);
  });

  it('is left by all connections when another server is the primary', async () => {
    const old = await serverOfTest();
    const other = await old.standby();
    onTestFinished(() => other.remove());
    const url = `postgres://relay@127.0.0.1:${old.port},127.0.0.1:${other.port}/postgres`;
    const sessions = await sessionsOfTest({ url: () => url, schema });
    await until(
      async () => (await other.query(`SELECT to_regclass('relay.pauses') AS t`))[0]?.['t'] !== null,
    );
    await other.promote();
    // The old one still accepts reads and writes, but no new connections.
    await old.set('listen_addresses', '');
    await old.query('ALTER DATABASE postgres ALLOW_CONNECTIONS false', 'template1');
    await old.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% append'`,
      'template1',
    );
    await recovery(sessions);
    const [row] = await sessions.query<{ port: number }>('settle', sql('SELECT inet_server_port() AS port'));
    expect(row?.port).toBe(other.port);
  });
});

/** From now on commits wait for this standby. */
async function requireStandby(server: PostgresServer, name: string): Promise<void> {
  await server.set('synchronous_standby_names', name);
  await until(async () => (await showOf(server, 'synchronous_standby_names')) === name);
  // The checkpointer tells the sessions, after it has read the new settings.
  await server.query('CHECKPOINT');
}

describe('a commit that waits for a standby', () => {
  it('is not reported as done when an operator cancels the wait', async () => {
    const server = await serverOfTest();
    const sessions = await sessionsOfTest({ url: () => server.url(), schema });
    await requireStandby(server, 'absent');
    const insert = sessions.query('append', INSERT).then(
      () => 'stored',
      (error: Error) => error.name,
    );
    await until(async () => {
      const found = await server.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      );
      return found.length > 0;
    });
    expect(await insert).toBe('CommitUnknownError');
  });
});

describe('a synchronous standby that is away', () => {
  it('lets few commits wait, and the relay is told why', async () => {
    const server = await serverOfTest();
    const sessions = await sessionsOfTest({ url: () => server.url(), schema });
    await requireStandby(server, 'absent');
    await expect(sessions.query('append', INSERT)).rejects.toThrow('did not answer');
    const failure = await until(() => {
      const { isConnected, failure: text } = sessions.state();
      return !isConnected && text?.includes('wait for a synchronous standby') && text;
    });
    expect(failure).toBeDefined();
    const waiting = await server.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    expect(waiting).toHaveLength(1);
    // Heartbeats go on.
    await sessions.query('fleet', INSERT);
    await server.set('synchronous_standby_names', '');
    expect(await recovery(sessions)).toBeLessThan(RECOVERY_LIMIT_MS);
  });
});

describe('the password of PostgreSQL', () => {
  it('can be replaced while the relay runs', async () => {
    const server = await serverOfTest();
    await server.query(`CREATE ROLE app LOGIN PASSWORD 'first'; GRANT CREATE ON DATABASE postgres TO app`);
    const rules = join(server.data, 'pg_hba.conf');
    await writeFile(rules, `host all app 127.0.0.1/32 scram-sha-256\n${await readFile(rules, 'utf8')}`);
    await server.query('SELECT pg_reload_conf()');
    let password = 'wrong';
    const url = (): string => `postgres://app:${password}@127.0.0.1:${server.port}/postgres`;
    await until(() =>
      sessionsOfTest({ url, schema }).then(
        () => false,
        (error: Error) => error.message.includes('refuses the password'),
      ),
    );
    password = '';
    await expect(sessionsOfTest({ url, schema })).rejects.toThrow('asks for a password');
    password = 'first';
    const sessions = await sessionsOfTest({ url, schema });
    await server.query(`ALTER ROLE app PASSWORD 'second'`);
    await server.restart();
    await until(() => sessions.state().failure?.includes('refuses the password'));
    expect(sessions.state().failure).not.toContain('first');
    password = 'second';
    expect(await recovery(sessions)).toBeLessThan(RECOVERY_LIMIT_MS);
  });
});

describe('TLS to PostgreSQL', () => {
  it('verifies the certificate of the server as sslmode says', async () => {
    const server = await serverOfTest();
    const folder = join(server.folder, 'tls');
    await mkdir(folder);
    const authority = createPrivateCa();
    const { key, cert } = authority.issue('localhost');
    const ca = authority.pem;
    await writeFile(join(folder, 'ca.pem'), ca);
    await writeFile(join(folder, 'server.key'), key, { mode: 0o600 });
    await writeFile(join(folder, 'server.pem'), cert);
    const url = (mode: string, host = 'localhost', more = ''): string =>
      `postgres://relay@${host}:${server.port}/postgres?sslmode=${mode}${more}`;
    const isEncrypted = async (options: Parameters<typeof sessionsOfTest>[0]): Promise<unknown> => {
      const sessions = await sessionsOfTest(options);
      const text = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
      return (await sessions.query<{ ssl: boolean }>('work', sql(text)))[0]?.ssl;
    };
    await expect(sessionsOfTest({ url: () => url('require'), schema })).rejects.toMatchObject({
      message: expect.stringContaining('does not offer TLS') as string,
      fix: expect.stringContaining('switch on ssl') as string,
    });
    expect(await isEncrypted({ url: () => url('prefer'), schema })).toBe(false);
    const { uid, gid } = await stat(server.data);
    await chown(join(folder, 'server.key'), uid, gid);
    await appendFile(
      join(server.data, 'postgresql.conf'),
      `ssl = on\nssl_cert_file = '${folder}/server.pem'\nssl_key_file = '${folder}/server.key'\n`,
    );
    await server.restart();
    expect(await isEncrypted({ url: () => url('disable'), schema })).toBe(false);
    expect(await isEncrypted({ url: () => url('prefer'), schema })).toBe(true);
    expect(await isEncrypted({ url: () => url('require'), schema })).toBe(true);
    expect(await isEncrypted({ url: () => url('verify-full'), schema, ca: () => ca })).toBe(true);
    expect(await isEncrypted({ url: () => url('verify-ca', '127.0.0.1'), schema, ca: () => ca })).toBe(true);
    // A sslrootcert of the URL is the only one that counts.
    const other = `&sslrootcert=${folder}/server.pem`;
    await expect(
      sessionsOfTest({ url: () => url('verify-full', 'localhost', other), schema, ca: () => ca }),
    ).rejects.toMatchObject({ message: expect.stringContaining('certificate of the database') as string });
    const place = { url: url('verify-full'), schema };
    expect((await readDatabaseFacts({ ...place, ca })).tls).toMatch(/^TLS/);
    await expect(readDatabaseFacts(place)).rejects.toMatchObject({
      fix: expect.stringContaining('egress.ca') as string,
    });
    const file = `&sslrootcert=${folder}/ca.pem`;
    expect(await isEncrypted({ url: () => url('verify-full', 'localhost', file), schema })).toBe(true);
    expect(await isEncrypted({ url: () => url('verify-ca', '127.0.0.1', file), schema })).toBe(true);
    await expect(sessionsOfTest({ url: () => url('verify-full'), schema })).rejects.toMatchObject({
      message: expect.stringContaining('the certificate of the database is refused') as string,
      fix: expect.stringContaining('sslrootcert') as string,
    });
    await expect(
      sessionsOfTest({ url: () => url('verify-full', '127.0.0.1', file), schema }),
    ).rejects.toMatchObject({ fix: expect.stringContaining('a name of the certificate') as string });
  });
});

describe('the disk of PostgreSQL', () => {
  it('can be full and get room again', async () => {
    const server = await serverOfTest();
    const small = join(server.folder, 'small');
    await mkdir(small);
    const { uid, gid } = await stat(server.data);
    try {
      execFileSync(
        'mount',
        ['-t', 'tmpfs', '-o', `size=24m,uid=${uid},gid=${gid},mode=700`, 'tmpfs', small],
        { stdio: 'pipe' },
      );
    } catch (error) {
      reportSkip('a full disk of PostgreSQL', `no right to mount a small one (${String(error)})`);
      return;
    }
    onTestFinished(() => void execFileSync('umount', ['-l', small]));
    await server.query(`CREATE TABLESPACE small LOCATION '${small}'`);
    await server.query('ALTER ROLE relay SET default_tablespace = small');
    const sessions = await sessionsOfTest({ url: () => server.url(), schema });
    const big = sql(`INSERT INTO programs SELECT nextval('positions'), string_agg(md5(random()::text), '')
      FROM generate_series(1, 60000)`);
    const failure = await until(() =>
      sessions.query('append', big).then(
        () => undefined,
        (error: Error) => error,
      ),
    );
    expect(failure).toMatchObject({
      sqlState: '53100',
      message: expect.stringContaining('is full') as string,
    });
    expect(sessions.state()).toMatchObject({ isConnected: true, failure: failure.message });
    execFileSync('mount', ['-o', 'remount,size=200m', small]);
    await sessions.query('append', big);
    expect(sessions.state().failure).toBeUndefined();
  });
});
