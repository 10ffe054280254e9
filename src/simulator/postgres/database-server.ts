import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { ServerPlace } from './server-place.ts';

/** The superuser, who needs no password. */
export const SUPERUSER = 'relay';
const START_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 2_000;
const POLL_INTERVAL_MS = 10;

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

/** Settings of postgresql.conf, such as `{ max_connections: '20' }`. */
export type ServerSettings = Readonly<Record<string, string>>;

/**
 * A PostgreSQL server for a demonstration, a measurement or tests: a process, a temporary folder
 * and a port of loopback. Both end with the process that made it, whatever ends that.
 */
export class DatabaseServer {
  readonly place: ServerPlace;
  protected readonly settings: ServerSettings;
  readonly #cleaner: ChildProcess;
  #process: ChildProcess | undefined;

  constructor(place: ServerPlace, settings: ServerSettings) {
    this.place = place;
    this.settings = settings;
    this.#cleaner = spawn('sh', ['-c', REMOVE_FOLDER, 'sh', place.folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      ...place.user,
    });
    this.#cleaner.unref();
  }

  /** Makes an empty database and starts. A server that cannot start is removed. */
  async initialize(): Promise<this> {
    const options = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    const { bin, folder, user } = this.place;
    try {
      await promisify(execFile)(join(bin, 'initdb'), ['-D', this.data, '-U', SUPERUSER, ...options], {
        cwd: folder,
        ...user,
      });
      await this.start();
      return this;
    } catch (error) {
      await this.remove();
      throw error;
    }
  }

  get port(): number {
    return this.place.port;
  }

  /** Temporary folder of the server. */
  get folder(): string {
    return this.place.folder;
  }

  /** The folder that `initdb` creates. */
  get data(): string {
    return join(this.folder, 'data');
  }

  /** The first process of the server, the parent of the others. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** URL of a database for the superuser. */
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
      ...this.settings,
    };
    const child = spawn(
      'sh',
      ['-c', GUARD, 'sh', join(this.place.bin, 'postgres'), '-D', this.data].concat(
        Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ),
      { stdio: ['pipe', 'ignore', 'pipe'], detached: true, cwd: this.folder, ...this.place.user },
    );
    this.#process = child;
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000);
    });
    child.once('exit', () => {
      if (this.#process === child) this.#process = undefined;
    });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (this.#process !== child) throw new Error(`postgres ended: ${log}`);
      if (performance.now() > deadline) throw new Error(`postgres does not answer: ${log}`);
      await sleep(POLL_INTERVAL_MS);
    }
  }

  /** Ends the server as an operator does (`fast`), or as a crash does (`immediate`). */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.signal(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** Executes SQL as the superuser on a connection of its own. */
  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      connectionString: this.url(database),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
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

  /** Sends a signal that ends the server, and waits for its end. */
  protected async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const ended = once(child, 'exit');
    if (existsSync(join(this.data, 'postmaster.pid'))) process.kill(this.pid, signal);
    else child.kill();
    await ended;
  }

  #answers(): Promise<boolean> {
    return this.query('SELECT 1').then(
      () => true,
      () => false,
    );
  }
}
