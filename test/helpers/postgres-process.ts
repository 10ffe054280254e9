import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { copyBackup } from './postgres-backup.ts';
import { copyPrograms, findPostgres, type PostgresPrograms } from './postgres-programs.ts';
import { until } from './until.ts';

const SUPERUSER = 'relay';
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

// The server ends when the pipe closes, that is when the process that started it is gone.
const GUARD = `
"$@" </dev/null & server=$!
trap 'kill -INT $server' TERM INT
exec 3<&0
(cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null) &
reader=$!
wait $server
kill $reader 2>/dev/null
`;
// The same at the end of everything: nobody else would remove the folder.
const REMOVE_FOLDER = `
cat >/dev/null
while kill -0 "$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)" 2>/dev/null; do sleep 0.1; done
rm -rf "$1"
`;

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root. */
function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m);
  return { uid: Number(entry?.[1] ?? 65_534), gid: Number(entry?.[2] ?? 65_534) };
}

export interface PostgresServerOptions {
  /** Settings of postgresql.conf, such as `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Its programs; by default the newest that are installed. */
  readonly programs?: PostgresPrograms | undefined;
}

/** A PostgreSQL server of a test: a process, a temporary folder and a port of loopback. */
export class PostgresServer {
  readonly port: number;
  /** Temporary folder of the server. */
  readonly folder: string;
  readonly #bin: string;
  readonly #user: User | undefined;
  readonly #settings: Record<string, string>;
  readonly #cleaner: ChildProcess;
  #process: ChildProcess | undefined;

  private constructor(
    folder: string,
    bin: string,
    port: number,
    user: User | undefined,
    settings: Record<string, string>,
  ) {
    this.folder = folder;
    this.#bin = bin;
    this.port = port;
    this.#user = user;
    this.#settings = settings;
    this.#cleaner = spawn('sh', ['-c', REMOVE_FOLDER, 'sh', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      ...user,
    });
    this.#cleaner.unref();
  }

  /** A new server with an empty database, which accepts connections. */
  static async create(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.#prepare(options);
    try {
      await server.#run('initdb', [
        '-D',
        server.data,
        '-U',
        SUPERUSER,
        '--auth=trust',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
        '--no-instructions',
      ]);
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  static async #prepare({
    settings = {},
    programs = findPostgres(),
  }: PostgresServerOptions): Promise<PostgresServer> {
    const user = serverUser();
    const folder = await mkdtemp(join(tmpdir(), 'relay-postgres-'));
    await chmod(folder, 0o755);
    if (user) await chown(folder, user.uid, user.gid);
    const bin = programs.isPackage ? copyPrograms(programs.bin, join(folder, 'native')) : programs.bin;
    return new PostgresServer(folder, bin, await freePort(), user, { ...SETTINGS, ...settings });
  }

  /** A standby of this server, which follows it; `promote` makes it a primary. */
  async standby(options: PostgresServerOptions & { readonly name?: string } = {}): Promise<PostgresServer> {
    const { name = 'standby' } = options;
    const standby = await PostgresServer.#prepare({ settings: { ...this.#settings, ...options.settings } });
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

  /** The folder that `initdb` creates. */
  get data(): string {
    return join(this.folder, 'data');
  }

  /** URL of a database for the superuser, who needs no password. */
  url(database = 'postgres'): string {
    return `postgres://${SUPERUSER}@127.0.0.1:${this.port}/${database}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Starts the server if it does not run, and waits until it accepts connections. */
  async start(): Promise<void> {
    if (this.#process) return;
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.folder,
      ...this.#settings,
    };
    const child = spawn(
      'sh',
      ['-c', GUARD, 'sh', join(this.#bin, 'postgres'), '-D', this.data].concat(
        Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ),
      { stdio: ['pipe', 'ignore', 'pipe'], detached: true, cwd: this.folder, ...this.#user },
    );
    this.#process = child;
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000);
    });
    child.once('exit', () => {
      if (this.#process === child) this.#process = undefined;
    });
    await until(async () => {
      if (this.#process !== child) throw new Error(`postgres ended: ${log}`);
      return this.query('SELECT 1').then(
        () => true,
        () => false,
      );
    });
  }

  /** Ends the server as an operator does (`fast`), or as a crash does (`immediate`). */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** Ends the server with SIGKILL; its connections are cut. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
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

  /** Executes SQL as the superuser on a connection of its own. */
  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop('immediate');
    const gone = once(this.#cleaner, 'exit');
    this.#cleaner.ref();
    this.#cleaner.stdin?.end();
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Gives the server what was written into its folder. */
  async #own(): Promise<void> {
    if (!this.#user) return;
    const { uid, gid } = this.#user;
    await promisify(execFile)('chown', ['-R', `${uid}:${gid}`, this.data]);
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await promisify(execFile)(join(this.#bin, program), args, { cwd: this.folder, ...this.#user });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const ended = once(child, 'exit');
    const file = join(this.data, 'postmaster.pid');
    if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), signal);
    else child.kill();
    await ended;
  }
}
