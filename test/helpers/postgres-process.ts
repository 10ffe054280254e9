import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DatabaseServer,
  type ServerSettings,
  SUPERUSER,
} from '../../src/simulator/postgres/database-server.ts';
import {
  findPostgres,
  POSTGRES_ADVICE,
  type PostgresPrograms,
} from '../../src/simulator/postgres/postgres-programs.ts';
import { prepareServer } from '../../src/simulator/postgres/server-place.ts';
import { copyBackup } from './postgres-backup.ts';
import { until } from './until.ts';

const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  max_prepared_transactions: '0',
  shared_buffers: '32MB',
  wal_keep_size: '256MB',
  hot_standby: 'on',
  log_min_messages: 'warning',
  deadlock_timeout: '100ms',
};

export interface PostgresServerOptions {
  readonly settings?: ServerSettings;
  /** Its programs; by default the newest that are installed. */
  readonly programs?: PostgresPrograms | undefined;
}

/** A PostgreSQL server of a test, which can also fail and get a standby. */
export class PostgresServer extends DatabaseServer {
  /** A new server with an empty database, which accepts connections. */
  static async create(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    return (await PostgresServer.#prepare(options)).initialize();
  }

  static async #prepare({
    settings = {},
    programs = findPostgres(),
  }: PostgresServerOptions): Promise<PostgresServer> {
    if (programs === undefined)
      throw new Error(
        `No PostgreSQL for the tests: set RELAY_TEST_POSTGRES to the URL of a server, or ${POSTGRES_ADVICE}.`,
      );
    return new PostgresServer(await prepareServer(programs), { ...SETTINGS, ...settings });
  }

  /** A standby of this server, which follows it; `promote` makes it a primary. */
  async standby(options: PostgresServerOptions & { readonly name?: string } = {}): Promise<PostgresServer> {
    const { name = 'standby' } = options;
    const standby = await PostgresServer.#prepare({ settings: { ...this.settings, ...options.settings } });
    try {
      await mkdir(standby.data, { mode: 0o700 });
      await copyBackup(this.url(), this.data, standby.data);
      const source = `host=127.0.0.1 port=${this.port} user=${SUPERUSER} application_name=${name}`;
      await writeFile(join(standby.data, 'standby.signal'), '');
      await writeFile(join(standby.data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
      await standby.#own();
      await standby.start();
      return standby;
    } catch (error) {
      await standby.remove();
      throw error;
    }
  }

  /** Ends the server with SIGKILL; its connections are cut. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Stops the server and starts it again, on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Makes a standby a primary, and waits until it accepts writes. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote()');
    await until(
      async () => (await this.query('SELECT pg_is_in_recovery() AS standby'))[0]?.['standby'] === false,
    );
  }

  /** Changes a setting of a running server that needs no restart. */
  async set(name: string, value: string): Promise<void> {
    await this.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    await this.query('SELECT pg_reload_conf()');
  }

  /** Gives the server what was written into its folder. */
  async #own(): Promise<void> {
    const { user } = this.place;
    if (user === undefined) return;
    await promisify(execFile)('chown', ['-R', `${user.uid}:${user.gid}`, this.data]);
  }
}
