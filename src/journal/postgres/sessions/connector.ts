import { StoreError } from '../../journal.ts';
import { Connection } from './connection.ts';
import { type DatabaseUrl, formatHost, parseDatabaseUrl } from './database-url.ts';
import type { ConnectionSettings } from './session-settings.ts';
import { databaseError, isOfConfiguration, sqlStateOf } from './sql-states.ts';
import { isTlsRefusal, tlsAttempts, tlsFailure } from './tls-mode.ts';

/** No server of the URL can be used now. */
export class ConnectError extends StoreError {
  override name = 'ConnectError';
  /** Waiting does not help; an operator has to change something. */
  readonly isPermanent: boolean;

  constructor(
    message: string,
    isPermanent: boolean,
    options: ErrorOptions & { readonly fix?: string | undefined },
  ) {
    super(message, options);
    this.isPermanent = isPermanent;
  }
}

export interface ConnectorOptions {
  /** Asked for each connection, since the password may have been replaced. */
  readonly url: () => Promise<string> | string;
  /** Certificates (PEM) that are trusted in addition to Node's; asked for each connection. */
  readonly ca?: (() => string | undefined) | undefined;
}

const UNREACHABLE_FIX = 'start the server, and check host and port in store.url and the network in between';

function failureOf(error: unknown): { text: string; fix?: string | undefined; isPermanent: boolean } {
  if (!(error instanceof Error)) return { text: String(error), isPermanent: false };
  const state = sqlStateOf(error);
  if (state !== undefined) {
    const { message, fix } = databaseError(state, error);
    return { text: message, fix, isPermanent: isOfConfiguration(error) };
  }
  const tls = tlsFailure(error);
  if (tls) return { text: tls.message, fix: tls.fix, isPermanent: true };
  if (error.message.includes('client password must be'))
    return { text: 'the database asks for a password', fix: 'add it to store.url', isPermanent: true };
  if (error instanceof AggregateError) return failureOf(error.errors[0]);
  // A file that the URL names.
  if (error instanceof StoreError && error.fix !== undefined)
    return { text: error.message, fix: error.fix, isPermanent: true };
  if (isTimeout(error)) return { text: 'no answer within 3 s', isPermanent: false };
  return { text: error.message, isPermanent: false };
}

/** The text of `pg` when a server does not answer. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout expired';
}

/** Finds the server that accepts writes. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #listeners = new Set<(startedAt: string) => void>();
  /** The host that was the primary last: the next connection tries it first. */
  #primary: string | undefined;
  /** Hosts that did not answer in time, which are tried last. */
  readonly #silent = new Set<string>();
  #startedAt: string | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Calls the listener when a server answers that is not the one of the connections before. */
  onServerChange(listener: (startedAt: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A connection to the first server that accepts writes.
   * @throws ConnectError, or StoreError if the URL is invalid
   */
  async connect(settings: ConnectionSettings): Promise<Connection> {
    const url = parseDatabaseUrl(await this.#options.url());
    const hosts = url.hosts.toSorted((a, b) => this.#rank(formatHost(a)) - this.#rank(formatHost(b)));
    const failures: { host: string; error: unknown }[] = [];
    for (const host of hosts) {
      try {
        const connection = await this.#open(url, host, settings);
        this.#remember(formatHost(host), connection.facts.startedAt);
        return connection;
      } catch (error) {
        failures.push({ host: formatHost(host), error });
        if (isTimeout(error)) this.#silent.add(formatHost(host));
      }
    }
    const found = failures.map(({ host, error }) => ({ host, ...failureOf(error) }));
    throw new ConnectError(
      `cannot connect to the database: ${found.map(({ host, text }) => `${host}: ${text}`).join('; ')}`,
      found.every(({ isPermanent }) => isPermanent),
      { cause: failures[0]?.error, fix: found.find(({ fix }) => fix !== undefined)?.fix ?? UNREACHABLE_FIX },
    );
  }

  async #open(
    url: DatabaseUrl,
    host: DatabaseUrl['hosts'][number],
    settings: ConnectionSettings,
  ): Promise<Connection> {
    const attempts = tlsAttempts(url, this.#options.ca?.());
    for (const [index, tls] of attempts.entries()) {
      try {
        const connection = await Connection.open({ url, host, tls }, settings);
        if (!connection.facts.isReadOnly) return connection;
        await connection.close();
        throw databaseError('25006', new Error('it is a standby, or default_transaction_read_only is on'));
      } catch (error) {
        const isLast = index === attempts.length - 1;
        if (isLast || !(isTlsRefusal(error) || sqlStateOf(error) === '28000')) throw error;
      }
    }
    throw new StoreError('no way to connect');
  }

  #rank(host: string): number {
    return (host === this.#primary ? 0 : 1) + (this.#silent.has(host) ? 2 : 0);
  }

  #remember(host: string, startedAt: string): void {
    this.#primary = host;
    this.#silent.delete(host);
    const isOther = this.#startedAt !== undefined && this.#startedAt !== startedAt;
    this.#startedAt = startedAt;
    if (isOther) for (const listener of this.#listeners) listener(startedAt);
  }
}
