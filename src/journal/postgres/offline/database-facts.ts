import { planMigration } from '../schema/migrate.ts';
import type { Connection } from '../sessions/connection.ts';
import type { Statement } from '../sessions/session.ts';
import { checkPooling, checkServer } from '../sessions/start-checks.ts';
import { connectOnce, type DatabasePlace } from './store-migration.ts';

/** Longest wait for an answer while a person waits. */
const ANSWER_LIMIT_MS = 10_000;

/** What a relay needs to know of its database before it starts. */
export interface DatabaseFacts {
  /** Such as 150004. */
  readonly version: number;
  /** Version of TLS; absent if the connection is not encrypted. */
  readonly tls: string | undefined;
  /** As the server has it for new sessions. */
  readonly synchronousCommit: string;
  /** `synchronous_standby_names`; empty if no standby is waited for. */
  readonly synchronousStandbys: string;
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  readonly maxConnections: number;
  /** Connections that only superusers get. */
  readonly reservedConnections: number;
  readonly connections: number;
  /** Replicas that are alive; 0 if the schema has no store. */
  readonly replicas: number;
  /** ms by which the server's clock is ahead of this machine's; ± half a round trip. */
  readonly clockAheadMs: number;
  readonly roundTripMs: number;
  readonly user: string;
  readonly hasSchema: boolean;
  readonly mayCreateSchema: boolean;
  readonly mayCreateTables: boolean;
  readonly isSuperuser: boolean;
  readonly freezeAge: number;
  /** Steps that the first replica of this version will execute. */
  readonly migrations: number;
  /** The schema was migrated by a newer version, which this one can work beside. */
  readonly isNewer: boolean;
}

const FACTS: Statement = {
  name: '',
  text: `SELECT
    (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls,
    (SELECT coalesce(reset_val, setting) FROM pg_settings WHERE name = 'synchronous_commit') AS "synchronousCommit",
    current_setting('synchronous_standby_names') AS "synchronousStandbys",
    current_setting('fsync')::boolean AS fsync,
    current_setting('full_page_writes')::boolean AS "fullPageWrites",
    current_setting('max_connections')::integer AS "maxConnections",
    current_setting('superuser_reserved_connections')::integer AS "reservedConnections",
    (SELECT count(*)::integer FROM pg_stat_activity
      WHERE datid IS NOT NULL AND usesysid IS NOT NULL) AS connections,
    current_user AS "user",
    to_regnamespace(quote_ident($1)) IS NOT NULL AS "hasSchema",
    has_database_privilege(current_database(), 'CREATE') AS "mayCreateSchema",
    coalesce(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'CREATE'), false) AS "mayCreateTables",
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS "isSuperuser",
    (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()) AS "freezeAge"`,
};
const CLOCK: Statement = {
  name: '',
  text: 'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now',
};
const REPLICAS: Statement = {
  name: '',
  text: `SELECT count(*)::integer AS n FROM replicas WHERE seen > clock_timestamp() - interval '6 seconds'`,
};

async function clockOf(connection: Connection): Promise<Pick<DatabaseFacts, 'clockAheadMs' | 'roundTripMs'>> {
  const [sent, started] = [Date.now(), performance.now()];
  const [row] = await connection.query<{ now: number }>(CLOCK);
  const roundTripMs = performance.now() - started;
  return { clockAheadMs: Math.round((row?.now ?? sent) - sent - roundTripMs / 2), roundTripMs };
}

async function assertNoPooling(place: DatabasePlace, connection: Connection): Promise<void> {
  const second = await connectOnce(place, 'doctor', ANSWER_LIMIT_MS);
  try {
    await checkPooling(connection, second);
  } finally {
    await second.close();
  }
}

/**
 * Connects as a replica does.
 * @throws StoreError if a relay could not use the database, with what fixes it
 */
export async function readDatabaseFacts(place: DatabasePlace): Promise<DatabaseFacts> {
  const { schema } = place;
  const connection = await connectOnce(place, 'doctor', ANSWER_LIMIT_MS);
  try {
    checkServer(connection.facts);
    await assertNoPooling(place, connection);
    const [facts] = await connection.query<Omit<DatabaseFacts, 'version'>>(FACTS, [schema]);
    if (facts === undefined) throw new Error('the database answered without a row');
    const { steps, storeId, format, newest } = await planMigration(connection, { schema });
    const [live] = storeId === undefined ? [] : await connection.query<{ n: number }>(REPLICAS);
    return {
      ...facts,
      ...(await clockOf(connection)),
      tls: facts.tls ?? undefined,
      version: connection.facts.version,
      replicas: live?.n ?? 0,
      migrations: steps.length,
      isNewer: format > newest,
    };
  } finally {
    await connection.close();
  }
}
