import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/simulator/free-port.ts';
import { PostgresServer } from '../helpers/postgres-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';
import { sessionsOfTest, sql } from './postgres-rig.ts';

const PROGRAM = '/usr/sbin/pgbouncer';
const schema = 'relay';

/** A PgBouncer in front of a server of its own; undefined if it is not installed. */
async function poolerOfTest(settings: Readonly<Record<string, string>>): Promise<string | undefined> {
  if (!existsSync(PROGRAM) && process.env['REQUIRE_PGBOUNCER'] === undefined) {
    reportSkip('PgBouncer', `${PROGRAM} is not installed; .ci/run installs it`);
    return undefined;
  }
  const server = await PostgresServer.create();
  onTestFinished(() => server.remove());
  const port = await freePort();
  const folder = join(server.folder, 'pgbouncer');
  await mkdir(folder);
  await writeFile(join(folder, 'users.txt'), '"relay" ""\n');
  const section = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
  };
  const lines = Object.entries({ ...section, auth_file: join(folder, 'users.txt'), ...settings });
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]\npostgres = host=127.0.0.1 port=${server.port}\n[pgbouncer]\n${lines.map((line) => line.join(' = ')).join('\n')}\n`,
  );
  const { uid, gid } = await stat(server.data);
  const pooler = spawn(PROGRAM, [join(folder, 'pgbouncer.ini')], { stdio: 'ignore', uid, gid });
  onTestFinished(async () => {
    const ended = once(pooler, 'exit');
    if (pooler.kill('SIGKILL')) await ended;
  });
  return `postgres://relay@127.0.0.1:${port}/postgres`;
}

describe('PgBouncer', () => {
  it('can be in front of the server in session mode', async () => {
    const url = await poolerOfTest({ pool_mode: 'session' });
    if (url === undefined) return;
    const sessions = await sessionsOfTest({ url: () => url, schema, connections: 8 });
    const received = Promise.withResolvers<string>();
    sessions.listen({ received: received.resolve, listening: () => {} });
    const insert = { name: 'insert', text: `INSERT INTO pauses VALUES ($1, 'me', 1)` };
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => sessions.query('append', insert, [name])));
    expect(await sessions.query('work', sql('SELECT count(*) AS n FROM pauses'))).toEqual([{ n: 4 }]);
    await until(async () => {
      await sessions.query('work', sql(`SELECT pg_notify('${sessions.channel}', 'hint')`));
      return Promise.race([received.promise, Promise.resolve(undefined)]);
    });
    const fresh = await sessionsOfTest({ url: () => url, schema });
    expect(fresh.storeId).toBe(sessions.storeId);
  });

  it.each(['0', '1'])('is refused in transaction mode, with server_round_robin %s', async (value) => {
    const url = await poolerOfTest({ pool_mode: 'transaction', server_round_robin: value });
    if (url === undefined) return;
    await expect(sessionsOfTest({ url: () => url, schema })).rejects.toMatchObject({
      message: 'the pooler in front of the database assigns connections to transactions',
      fix: 'set pool_mode = session for this database in pgbouncer.ini, or connect to the server itself',
    });
  });

  it('is refused with less connections than store.connections', async () => {
    const url = await poolerOfTest({ pool_mode: 'session', default_pool_size: '3', query_wait_timeout: '2' });
    if (url === undefined) return;
    await expect(sessionsOfTest({ url: () => url, schema })).rejects.toMatchObject({
      message: expect.stringContaining('cannot connect to the database') as string,
    });
  });
});
