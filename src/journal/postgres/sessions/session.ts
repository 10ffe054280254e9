/** A statement that each connection prepares once under its name. */
export interface Statement {
  /** Unique among all statements of the engine, at most 63 characters. */
  readonly name: string;
  readonly text: string;
  /**
   * How long the answer may take, in ms, instead of the limit of the purpose. The transaction has
   * to set `statement_timeout`, too.
   */
  readonly limitMs?: number;
}

type Scalar = string | number | bigint | boolean | null;

/** A value of a parameter. A Buffer is sent in binary form; an array becomes an array of SQL. */
export type Param = Scalar | Buffer | Date | readonly Scalar[] | readonly Buffer[];

/** Executes statements on one connection, one after the other. */
export interface Session {
  /**
   * The row of `streams` of this connection: the only stream under which it writes to `queue` and
   * `counts`.
   */
  readonly stream: number;
  /**
   * int8 arrives as a number, bytea as a Buffer.
   * @throws StoreError; see store-errors.ts
   */
  query<Row>(statement: Statement, params?: readonly Param[]): Promise<readonly Row[]>;
}

/**
 * What a connection is for; each purpose has connections of its own. `fleet` is the one that
 * listens: heartbeats, which nothing slow may delay. `claim` reads the queue.
 */
export type Purpose = 'append' | 'settle' | 'claim' | 'work' | 'fleet';

/** What the listening connection receives. */
export interface Notifications {
  /** The text that a replica passed to `pg_notify` on `Sessions.channel`, this one included. */
  received(payload: string): void;
  /** The connection listens, for the first time or again: notifications may have been lost. */
  listening(): void;
}

/** The connections to the database. Calls fail at once while there is no connection. */
export interface Sessions {
  /** The channel of this schema for LISTEN and `pg_notify`, at most 63 bytes. */
  readonly channel: string;
  /** The connection of the purpose `fleet` listens from then on. Called once. */
  listen(notifications: Notifications): void;
  /**
   * One statement, which is a transaction of its own, on the connection of this purpose that has
   * the fewest statements in flight.
   * @throws CommitUnknownError if the connection was lost before the answer
   */
  query<Row>(purpose: Purpose, statement: Statement, params?: readonly Param[]): Promise<readonly Row[]>;
  /** The same, with the stream of the connection as `$1`. */
  queryAs<Row>(purpose: Purpose, statement: Statement, params?: readonly Param[]): Promise<readonly Row[]>;
  /**
   * A transaction, which has the connection for itself. `work` is executed again after a deadlock
   * or a serialization failure, so it must change nothing but the database.
   * @throws CommitUnknownError if the connection was lost while committing
   */
  transaction<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T>;
}
