import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StoreError } from '../../journal.ts';
import { migrate } from '../schema/migrate.ts';
import { ConnectError, Connector, type ConnectorOptions } from './connector.ts';
import { Links } from './links.ts';
import type { Sessions } from './session.ts';
import type { ConnectionSettings } from './session-settings.ts';
import type { SessionsState } from './outage.ts';
import { endsConnection } from './sql-states.ts';
import { checkPooling, checkServer } from './start-checks.ts';
import { CommitUnknownError } from './store-errors.ts';

/** How long a start waits for a database that does not answer. */
const START_LIMIT_MS = 30_000;
const START_INTERVAL_MS = 500;
/** A step of a migration may rewrite a table. */
const MIGRATION_LIMIT_MS = 3_600_000;
const DEFAULT_CONNECTIONS = 8;

export interface SessionsOptions extends ConnectorOptions {
  readonly schema: string;
  /** How many connections to keep open, at least 4. */
  readonly connections?: number;
  readonly log: Logger;
  /** UUID of this process among the replicas. */
  readonly replica: string;
  /** How long to wait for a database that does not answer; 30 s by default. */
  readonly startLimitMs?: number;
}

/** The connections of one process, which are opened again when they are lost. */
export interface SessionsHandle extends Sessions {
  /** Identifies the store: a UUID that is made with its schema. */
  readonly storeId: string;
  /** Never waits. */
  state(): SessionsState;
  /**
   * Calls the listener when connections were lost and the server that answers now was started since
   * or is another one: what an asynchronous standby had not received is lost.
   */
  onServerChange(listener: () => void): () => void;
  /** Ends the connections after the statements in flight. Calls fail from then on. */
  close(): Promise<void>;
}

function maintenanceSettings(schema: string): ConnectionSettings {
  return {
    schema,
    applicationName: 'capillary-aep-relay setup',
    statementLimitMs: 0,
    answerLimitMs: MIGRATION_LIMIT_MS,
  };
}

/** Checks the server and brings the schema to the format of this version. */
async function prepareStore(connector: Connector, options: SessionsOptions): Promise<string> {
  const first = await connector.connect(maintenanceSettings(options.schema));
  try {
    checkServer(first.facts);
    const second = await connector.connect(maintenanceSettings(options.schema));
    try {
      await checkPooling(first, second);
    } finally {
      await second.close();
    }
    const { storeId } = await migrate(first, options);
    if (storeId === undefined) throw new StoreError('the schema has no store after its migration');
    return storeId;
  } catch (error) {
    // What failed after that failed for the same reason.
    throw first.isOpen ? error : new ConnectError((error as Error).message, false, { cause: error });
  } finally {
    await first.close();
  }
}

/** Whether the server may be back, or another one be the primary, in a moment. */
function isOutage(error: unknown): boolean {
  if (error instanceof ConnectError) return !error.isPermanent;
  return error instanceof CommitUnknownError || endsConnection(error);
}

/** The same, once there is a database. A fail-over may come between any two statements. */
async function prepareAtStart(connector: Connector, options: SessionsOptions): Promise<string> {
  const limitMs = options.startLimitMs ?? START_LIMIT_MS;
  const started = performance.now();
  for (let isLogged = false; ; ) {
    try {
      return await prepareStore(connector, options);
    } catch (error) {
      if (!isOutage(error) || performance.now() - started > limitMs) throw error;
      if (!isLogged) options.log.warn({ err: error }, 'waiting for the database');
      isLogged = true;
    }
    await delay(START_INTERVAL_MS);
  }
}

/**
 * Connects to the database and prepares its schema.
 * @throws StoreError if the database cannot be used: at once if waiting does not help
 */
export async function openSessions(options: SessionsOptions): Promise<SessionsHandle> {
  const connector = new Connector(options);
  const storeId = await prepareAtStart(connector, options);
  const links = new Links(connector, { connections: DEFAULT_CONNECTIONS, ...options });
  try {
    await links.ready();
  } catch (error) {
    await links.close();
    throw error;
  }
  return {
    storeId,
    channel: links.channel,
    listen: (notifications) => links.listen(notifications),
    query: (purpose, statement, params) => links.query(purpose, statement, params),
    queryAs: (purpose, statement, params) => links.queryAs(purpose, statement, params),
    transaction: (purpose, work) => links.transaction(purpose, work),
    state: () => links.state(),
    onServerChange: (listener) => connector.onServerChange(() => listener()),
    close: () => links.close(),
  };
}
