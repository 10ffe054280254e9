import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { StoreError } from '../../journal.ts';
import type { DatabaseHost, DatabaseUrl } from './database-url.ts';
import { ROW_VALUES } from './row-values.ts';
import type { Param, Statement } from './session.ts';
import { type ConnectionSettings, prepareSession, type ServerFacts } from './session-settings.ts';
import { endsConnection, sqlStateOf, storeErrorOf } from './sql-states.ts';
import { CommitUnknownError } from './store-errors.ts';

/** How long a server may take to accept a connection and its settings. */
const CONNECT_LIMIT_MS = 3_000;
/** A peer that is gone without a word is found by the system after this time without traffic. */
const KEEP_ALIVE_DELAY_MS = 5_000;
/** How long the answers may take that are outstanding when a connection is closed. */
const CLOSE_LIMIT_MS = 2_000;

/** Where and as whom to connect. */
export interface ConnectionTarget {
  readonly url: DatabaseUrl;
  readonly host: DatabaseHost;
  readonly tls: ConnectionOptions | false;
}

/** One connection to one server. Statements are sent without waiting for the answer before. */
export class Connection {
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<Error>;
  /** Statements without an answer yet. */
  inFlight = 0;
  readonly #client: pg.Client;
  readonly #answerLimitMs: number;
  #facts: ServerFacts | undefined;
  #end: Error | undefined;
  /** Answers that still arrive must not be believed. */
  #isDoubtful = false;

  private constructor(target: ConnectionTarget, settings: ConnectionSettings) {
    const { user, password, database } = target.url;
    this.#answerLimitMs = settings.answerLimitMs;
    this.#client = new pg.Client({
      ...target.host,
      user,
      database,
      // A function, since `pg` would look for an empty password in the environment and ~/.pgpass.
      password: () => password,
      ssl: target.tls,
      application_name: settings.applicationName,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      types: ROW_VALUES,
      pipeline: true,
    });
    this.ended = new Promise((resolve) => {
      this.#client.on('error', (error) => (this.#end ??= error));
      this.#client.on('end', () => resolve((this.#end ??= new Error('the connection was closed'))));
    });
    this.#client.on('notice', (notice) => {
      // Somebody has cancelled the wait for the standby, so the commit may not survive a fail-over.
      if (notice.routine === 'SyncRepWaitForLSN') this.#giveUpAnswers();
    });
    const { onNotification } = settings;
    if (onNotification)
      this.#client.on('notification', ({ channel, payload }) => onNotification(channel, payload ?? ''));
  }

  /** @throws Error of the server, of TLS or of the network */
  static async open(target: ConnectionTarget, settings: ConnectionSettings): Promise<Connection> {
    const connection = new Connection(target, settings);
    try {
      await connection.#client.connect();
      connection.#facts = await connection.#answerWithin(
        CONNECT_LIMIT_MS,
        prepareSession(connection.#client, settings),
      );
      return connection;
    } catch (error) {
      connection.destroy(error as Error);
      throw error;
    }
  }

  get facts(): ServerFacts {
    if (!this.#facts) throw new Error('the connection is not open');
    return this.#facts;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /**
   * @throws CommitUnknownError if the connection was lost before the answer
   * @throws StoreError
   */
  async query<Row>(
    { name, text, limitMs }: Statement,
    params: readonly Param[] = [],
  ): Promise<readonly Row[]> {
    const { rows } = await this.#send(
      () => this.#client.query<Row & pg.QueryResultRow>({ name, text, values: [...params] }),
      limitMs,
    );
    return rows;
  }

  /**
   * Statements without parameters, separated by semicolons.
   * @returns the name of the last command that was executed, such as COMMIT
   */
  async execute(text: string): Promise<string> {
    const result: pg.QueryResult | pg.QueryResult[] = await this.#send(() => this.#client.query(text));
    return (Array.isArray(result) ? result.at(-1)?.command : result.command) ?? '';
  }

  /** Ends the connection without waiting for anybody. */
  destroy(why: Error): void {
    this.#end ??= why;
    // `end` of a client waits for its statements.
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  /** Ends the connection after the outstanding answers. */
  async close(): Promise<void> {
    if (this.isOpen) {
      this.#end = new Error('the connection was closed');
      await this.#answerWithin(CLOSE_LIMIT_MS, this.#client.end()).catch(() => {});
    }
  }

  async #send<T>(send: () => Promise<T>, limitMs = this.#answerLimitMs): Promise<T> {
    if (this.#end) throw new StoreError(`no connection to the database: ${this.#end.message}`);
    this.inFlight += 1;
    try {
      const answer = await this.#answerWithin(limitMs, send());
      if (this.#isDoubtful) throw new Error('the commit was not replicated');
      return answer;
    } catch (error) {
      // Without an error of the server, the connection was lost on the way.
      const lost = sqlStateOf(error) === undefined ? this.#reasonOfEnd() : undefined;
      if (lost)
        throw new CommitUnknownError(`the connection to the database was lost: ${lost.message}`, {
          cause: error,
        });
      if (endsConnection(error)) this.destroy(error as Error);
      throw storeErrorOf(error);
    } finally {
      this.inFlight -= 1;
    }
  }

  /** The answer to the statement may have arrived together with the warning. */
  #giveUpAnswers(): void {
    this.#isDoubtful = true;
    this.destroy(new Error('the commit was not replicated to the standby'));
  }

  #reasonOfEnd(): Error | undefined {
    return this.#end;
  }

  async #answerWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
    const timer = setTimeout(
      () => this.destroy(new Error(`the database did not answer for ${limitMs / 1_000} s`)),
      limitMs,
    );
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }
}
