import type { Logger } from 'pino';
import { StoreError } from '../../journal.ts';
import type { Connection } from './connection.ts';
import { ConnectError, type Connector } from './connector.ts';
import { Link } from './link.ts';
import { LinkGroup } from './link-group.ts';
import { Outage, type SessionsState } from './outage.ts';
import { countsOf, mayConnect, PURPOSES, STATEMENT_LIMIT_MS } from './purposes.ts';
import type { Notifications, Param, Purpose, Session, Statement } from './session.ts';
import { registerStream } from './register-stream.ts';
import { quoteName, type ServerFacts } from './session-settings.ts';
import { executeTransaction, retryCollisions } from './transactions.ts';
import { createWriteProbe } from './write-probe.ts';

const ANSWER_MARGIN_MS = 1_000;
/** How long the first connections of all purposes may take. */
const READY_LIMIT_MS = 10_000;

export interface LinksOptions {
  readonly schema: string;
  readonly connections: number;
  readonly log: Logger;
  readonly replica: string;
}

/** Purposes with few statements, which are executed often and find their rows by index. */
const KEEPING_PLANS: ReadonlySet<Purpose> = new Set(['append', 'settle', 'claim']);

/** All connections of a process, by purpose. */
export class Links {
  /** The schema has at most 48 characters, so it is below the limit of 63. */
  readonly channel: string;
  readonly #connector: Connector;
  readonly #options: LinksOptions;
  readonly #groups: Readonly<Record<Purpose, LinkGroup>>;
  readonly #outage: Outage;
  readonly #probe = createWriteProbe({
    refused: () => this.#outage.refused(),
    transaction: (purpose, work) => this.transaction(purpose, work),
  });
  #notifications: Notifications | undefined;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  #isMissingLogged = false;
  #isClosed = false;

  constructor(connector: Connector, options: LinksOptions) {
    this.#connector = connector;
    this.#options = options;
    this.channel = `relay.${options.schema}`;
    this.#outage = new Outage(options.log);
    const counts = countsOf(options.connections);
    const groupOf = (purpose: Purpose): LinkGroup =>
      new LinkGroup(
        purpose,
        Array.from({ length: counts[purpose] }, () => this.#createLink(purpose)),
      );
    const settle = groupOf('settle');
    this.#groups = {
      append: groupOf('append'),
      settle,
      claim: counts.claim === 0 ? settle : groupOf('claim'),
      work: groupOf('work'),
      fleet: groupOf('fleet'),
    };
    connector.onServerChange((startedAt) => this.#leave(startedAt));
    for (const link of this.#all()) link.open();
  }

  /** Resolves when each purpose has a connection. */
  async ready(): Promise<void> {
    const timer = setTimeout(() => {
      const failure = PURPOSES.map((name) => this.#groups[name].failure).find((found) => found);
      this.#ready.reject(failure ?? new StoreError('the database does not accept connections'));
    }, READY_LIMIT_MS);
    try {
      await this.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  state(): SessionsState {
    return this.#outage.state();
  }

  listen(notifications: Notifications): void {
    this.#notifications = notifications;
    for (const { connection } of this.#groups.fleet.links) if (connection) this.#startListening(connection);
  }

  async query<Row>(
    purpose: Purpose,
    statement: Statement,
    params: readonly Param[] = [],
  ): Promise<readonly Row[]> {
    return this.#judged(purpose, (group) =>
      group.use((link) => this.#connectionOf(link).query<Row>(statement, params)),
    );
  }

  async queryAs<Row>(
    purpose: Purpose,
    statement: Statement,
    params: readonly Param[] = [],
  ): Promise<readonly Row[]> {
    return this.#judged(purpose, (group) =>
      group.use((link) => this.#connectionOf(link).query<Row>(statement, [link.stream, ...params])),
    );
  }

  async transaction<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#judged(purpose, (group) => group.reserve((link) => executeTransaction(link, work)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#probe.stop();
    await Promise.all(this.#all().map((link) => link.close()));
  }

  async #judged<T>(purpose: Purpose, call: (group: LinkGroup) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StoreError('the connections to the database are closed');
    try {
      const result = await retryCollisions(() => call(this.#groups[purpose]));
      this.#outage.succeeded(purpose);
      return result;
    } catch (error) {
      if (this.#outage.failed(purpose, error)) this.#probe.start();
      throw error;
    }
  }

  #connectionOf({ connection }: Link): Connection {
    if (!connection) throw new StoreError('no connection to the database');
    return connection;
  }

  #all(): Link[] {
    return [...new Set(Object.values(this.#groups))].flatMap(({ links }) => links);
  }

  #createLink(purpose: Purpose): Link {
    return new Link({
      mayConnect: () => mayConnect(purpose, this.#groups),
      connect: (before) => this.#connect(purpose, before),
      onChange: (link, failure) => this.#changed(purpose, link, failure),
    });
  }

  async #connect(
    purpose: Purpose,
    before: ServerFacts | undefined,
  ): Promise<{ connection: Connection; stream: number }> {
    const limit = STATEMENT_LIMIT_MS[purpose];
    const connection = await this.#connector.connect({
      schema: this.#options.schema,
      applicationName: `capillary-aep-relay ${purpose}`,
      statementLimitMs: limit,
      answerLimitMs: limit + ANSWER_MARGIN_MS,
      keepsPlans: KEEPING_PLANS.has(purpose),
      joinsByIndex: purpose === 'settle' || purpose === 'claim',
      isLocal: purpose === 'fleet',
      onNotification: (channel, payload) => {
        if (channel === this.channel) this.#notifications?.received(payload);
      },
    });
    try {
      return { connection, stream: await registerStream(connection, this.#options.replica, before) };
    } catch (error) {
      connection.destroy(error as Error);
      throw error;
    }
  }

  #startListening(connection: Connection): void {
    connection.execute(`LISTEN ${quoteName(this.channel)}`).then(
      () => this.#notifications?.listening(),
      (error: Error) => connection.destroy(error),
    );
  }

  #changed(purpose: Purpose, { connection }: Link, failure: Error | undefined): void {
    this.#groups[purpose].changed(failure);
    if (connection && purpose === 'fleet' && this.#notifications) this.#startListening(connection);
    const without = PURPOSES.find((name) => this.#groups[name].connected === 0);
    if (without === undefined) {
      this.#isReady = true;
      this.#ready.resolve();
      this.#outage.connected();
      this.#logMissing(failure);
    } else if (this.#isReady) {
      this.#outage.disconnected(
        this.#groups[without].failure ?? new StoreError('the database closed the connection'),
      );
    }
    if (!failure) for (const link of this.#all()) link.wake();
  }

  /** Once until all connections are open again. */
  #logMissing(failure: Error | undefined): void {
    const all = this.#all();
    const open = all.filter(({ isConnected }) => isConnected).length;
    if (open === all.length) this.#isMissingLogged = false;
    if (!(failure instanceof ConnectError) || this.#isMissingLogged) return;
    this.#isMissingLogged = true;
    this.#options.log.warn(
      { err: failure, open, connections: all.length },
      'the database accepts fewer connections than store.connections',
    );
  }

  /** Gives up connections to a server that is not the primary any more, even if it answers. */
  #leave(startedAt: string): void {
    for (const { connection } of this.#all())
      if (connection && connection.facts.startedAt !== startedAt)
        connection.destroy(new Error('another server is the primary now'));
  }
}
