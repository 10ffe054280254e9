import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StoreError } from '../../journal.ts';
import type { Connection } from '../sessions/connection.ts';
import { quoteName } from '../sessions/session-settings.ts';
import { sqlStateOf } from '../sessions/sql-states.ts';
import { type Migration, MIGRATIONS } from './schema-steps.ts';

/** How long the migration of another replica may take. */
const WAIT_LIMIT_MS = 600_000;
const POLL_INTERVAL_MS = 200;
/** How long a step waits for a lock on a table, and how often. */
const LOCK_LIMIT_MS = 1_000;
const MAX_ATTEMPTS = 60;

const BOOKKEEPING = `
CREATE TABLE store (
  store_id uuid PRIMARY KEY,
  format integer NOT NULL,
  readable_from integer NOT NULL
);
CREATE TABLE migrations (
  format integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
`;

const FIND = {
  name: '',
  text: `SELECT
    EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "hasSchema",
    EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'store' AND c.relkind = 'r') AS "hasStore",
    (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1) AS "mayUse"`,
};
const READ = {
  name: '',
  text: 'SELECT store_id AS "storeId", format, readable_from AS "readableFrom" FROM store',
};
// The key of the lock is the name of the schema: other schemas of the database have other stores.
const TRY_LOCK = {
  name: '',
  text: `SELECT pg_try_advisory_lock(hashtextextended('relay ' || $1, 0)) AS got`,
};
const UNLOCK = { name: '', text: `SELECT pg_advisory_unlock(hashtextextended('relay ' || $1, 0))` };

/**
 * `readable_from` of a schema that `store copy` is filling, so that no relay can use it. Not a
 * format: no version will ever know so many.
 */
export const UNFINISHED_COPY = 2_147_483_647;

/** What is in the schema, and what would be done to it. */
export interface MigrationPlan {
  /** Undefined if the schema has no store yet. */
  readonly storeId: string | undefined;
  /** 0 if the schema has no store yet. */
  readonly format: number;
  /** The format that this version writes. */
  readonly newest: number;
  /** In order: the SQL of each step, which is a transaction of its own. */
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
}

export interface MigrateOptions {
  readonly schema: string;
  readonly log: Logger;
  /** Replaces the steps in tests. */
  readonly migrations?: readonly Migration[];
}

function stepSql(
  { name, sql, readableFrom }: Migration,
  format: number,
  hasSchema: boolean,
  schema: string,
): string {
  const first =
    format === 1
      ? `${hasSchema ? '' : `CREATE SCHEMA ${quoteName(schema)};\n`}${BOOKKEEPING}INSERT INTO store VALUES ('${randomUUID()}', 0, 1);\n`
      : '';
  const entry = `INSERT INTO migrations (format, name) VALUES (${format}, '${name.replaceAll("'", "''")}');\n`;
  return `${first}${sql}\nUPDATE store SET format = ${format}, readable_from = ${readableFrom};\n${entry}`;
}

/**
 * What `migrate` would do.
 * @throws StoreError if the schema was written by a newer version that this one cannot read
 */
export async function planMigration(
  connection: Connection,
  { schema, migrations = MIGRATIONS }: Omit<MigrateOptions, 'log'>,
): Promise<MigrationPlan> {
  const [found] = await connection.query<{ hasSchema: boolean; hasStore: boolean; mayUse: boolean | null }>(
    FIND,
    [schema],
  );
  if (found?.mayUse === false)
    throw new StoreError(`the user of the database may not use the schema ${schema}`, {
      fix: `check the user in store.url, and store.schema; if both are right, ${ownerFix(schema)}`,
    });
  const [store] =
    found?.hasStore === true
      ? await connection.query<{ storeId: string; format: number; readableFrom: number }>(READ)
      : [];
  const newest = migrations.length;
  if (store?.readableFrom === UNFINISHED_COPY)
    throw new StoreError(`the schema ${schema} has an unfinished copy of another store`, {
      fix: 'run `capillary-relay store copy` again: it continues where it was stopped',
    });
  if (store && store.readableFrom > newest)
    throw new StoreError(
      `the schema ${schema} has format ${store.format}, but this version of the relay knows formats up to ${newest}`,
      { fix: 'run the version of the relay that migrated the schema, or a newer one' },
    );
  const format = store?.format ?? 0;
  return {
    storeId: store?.storeId,
    format,
    newest,
    steps: migrations.slice(format).map((step, index) => ({
      name: step.name,
      sql: stepSql(step, format + index + 1, found?.hasSchema === true, schema),
    })),
  };
}

function ownerFix(schema: string): string {
  const name = quoteName(schema);
  return `let an administrator execute: CREATE SCHEMA ${name} AUTHORIZATION the_user, or if it exists: ALTER SCHEMA ${name} OWNER TO the_user`;
}

async function lock(connection: Connection, { schema, log }: MigrateOptions): Promise<void> {
  const started = performance.now();
  for (let isLogged = false; ; ) {
    const [row] = await connection.query<{ got: boolean }>(TRY_LOCK, [schema]);
    if (row?.got === true) return;
    if (performance.now() - started > WAIT_LIMIT_MS)
      throw new StoreError('another process migrates the schema and does not end', {
        fix: 'find it in pg_stat_activity and pg_locks (locktype advisory), and end it',
      });
    if (!isLogged) log.info({ schema }, 'waiting for another replica that migrates the schema');
    isLogged = true;
    await delay(POLL_INTERVAL_MS);
  }
}

/**
 * Replicas of an older version go on meanwhile. A step that waits for a lock makes all that come
 * after it wait, so it waits for moments only, and then lets the others pass.
 */
async function apply(connection: Connection, sql: string, schema: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.execute(`BEGIN;\nSET LOCAL lock_timeout = ${LOCK_LIMIT_MS};\n${sql}COMMIT`);
      return;
    } catch (error) {
      if (connection.isOpen) await connection.execute('ROLLBACK');
      if (sqlStateOf(error) !== '55P03' || attempt === MAX_ATTEMPTS) throw explained(error, schema);
    }
    await delay(LOCK_LIMIT_MS);
  }
}

function explained(error: unknown, schema: string): unknown {
  const state = sqlStateOf(error);
  if (state === '42501')
    return new StoreError(`the user of the database may not create tables in the schema ${schema}`, {
      cause: error,
      fix: ownerFix(schema),
    });
  if (state === '42P07')
    return new StoreError(`the schema ${schema} has tables of another program: ${(error as Error).message}`, {
      cause: error,
      fix: 'set store.schema to a schema of its own',
    });
  return error;
}

/**
 * Brings the schema to the newest format. Replicas that start together do it one after the other,
 * and all but the first find nothing to do.
 * @throws StoreError
 */
export async function migrate(connection: Connection, options: MigrateOptions): Promise<MigrationPlan> {
  const before = await planMigration(connection, options);
  if (before.steps.length === 0) return before;
  await lock(connection, options);
  try {
    const plan = await planMigration(connection, options);
    for (const [index, { name, sql }] of plan.steps.entries()) {
      await apply(connection, sql, options.schema);
      options.log.info(
        { schema: options.schema, format: plan.format + index + 1, step: name },
        'schema migrated',
      );
    }
    return await planMigration(connection, options);
  } finally {
    if (connection.isOpen) await connection.query(UNLOCK, [options.schema]);
  }
}
