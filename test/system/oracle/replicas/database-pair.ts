import { chmodSync, mkdirSync } from 'node:fs';
import { PostgresServer } from '../../../helpers/postgres-process.ts';
import { until } from '../../../helpers/until.ts';

/** Of the URL: a relay tries both. */
export type Site = 0 | 1;

export const SITES: readonly Site[] = [0, 1];

const SETTINGS = {
  // After a restart of the primary, commits wait until the standby has connected again.
  wal_retrieve_retry_interval: '200ms',
};

/** The servers have a user of their own, who must be able to write there. */
function loggingInto(folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  return {
    logging_collector: 'on',
    log_directory: folder,
    log_filename: 'postgres-%H%M%S.log',
    log_line_prefix: '%m [%p] %a ',
    log_lock_waits: 'on',
    log_min_duration_statement: '1s',
    log_checkpoints: 'on',
  };
}

/**
 * A primary at one of two sites and a synchronous standby at the other. An acknowledged commit is
 * on both, so it survives the loss of the primary.
 */
export class DatabasePair {
  readonly #onPort: (site: Site, port: number) => void;
  readonly #servers: [PostgresServer | undefined, PostgresServer | undefined] = [undefined, undefined];
  #primary: Site = 0;
  #rebuilding: Promise<void> = Promise.resolve();

  private constructor(onPort: (site: Site, port: number) => void) {
    this.#onPort = onPort;
  }

  /**
   * @param onPort called with the port on which a site's server listens from now on
   * @param logs a folder for what the servers log
   */
  static async create(
    onPort: (site: Site, port: number) => void,
    logs: string | undefined,
  ): Promise<DatabasePair> {
    const pair = new DatabasePair(onPort);
    const settings = { ...SETTINGS, ...(logs === undefined ? {} : loggingInto(logs)) };
    pair.#servers[0] = await PostgresServer.create({ settings });
    onPort(0, pair.primary.port);
    await pair.#addStandby();
    return pair;
  }

  get primary(): PostgresServer {
    return this.#servers[this.#primary]!;
  }

  /** Resolves once there is a standby that has everything. */
  whenReplicated(): Promise<void> {
    return this.#rebuilding;
  }

  /**
   * Kills the primary and promotes the standby. Then the other site gets a new standby, which
   * `whenReplicated` waits for.
   */
  async failOver(): Promise<void> {
    await this.#rebuilding;
    const lost = this.primary;
    await lost.kill();
    this.#primary = this.#primary === 0 ? 1 : 0;
    await this.primary.promote();
    this.#rebuilding = lost.remove().then(() => this.#addStandby());
    // Whoever waits for it sees the rejection.
    this.#rebuilding.catch(() => undefined);
  }

  /** Restarts the primary as an operator does; a standby that is being made is waited for. */
  async restart(): Promise<void> {
    await this.#rebuilding;
    await this.primary.restart();
  }

  async remove(): Promise<void> {
    await this.#rebuilding.catch(() => undefined);
    for (const server of this.#servers) await server?.remove();
  }

  async #addStandby(): Promise<void> {
    const site: Site = this.#primary === 0 ? 1 : 0;
    const standby = await this.primary.standby();
    this.#servers[site] = standby;
    this.#onPort(site, standby.port);
    await this.primary.set('synchronous_standby_names', '*');
    await until(async () => {
      const rows = await this.primary.query('SELECT sync_state FROM pg_stat_replication');
      return rows.some(({ sync_state: state }) => state === 'sync');
    });
  }
}
