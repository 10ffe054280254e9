import type pg from 'pg';

/** A replica that was stopped in the middle of a transaction must not keep its locks for longer. */
const IDLE_IN_TRANSACTION_MS = 3_000;

/** What a connection is used for. */
export interface ConnectionSettings {
  readonly schema: string;
  readonly applicationName: string;
  /** The server cancels a statement after this time; 0 for never. */
  readonly statementLimitMs: number;
  /** The connection is given up if it does not answer for this time. */
  readonly answerLimitMs: number;
  /**
   * Whether a statement keeps its first plan. Otherwise the server may plan a statement with arrays
   * again each time, because it knows how long these are: for a single event that takes longer than
   * the execution. The plan uses indexes even if a table was empty when it was made.
   */
  readonly keepsPlans?: boolean;
  /**
   * Whether each row of a join is found by index. Otherwise a plan that was made while the queue
   * was empty reads all of it, until the server plans the statement again.
   */
  readonly joinsByIndex?: boolean;
  /**
   * Whether commits do not wait for synchronous standbys. What is not replicated is lost in a
   * fail-over, with what was committed later.
   */
  readonly isLocal?: boolean;
  readonly onNotification?: (channel: string, payload: string) => void;
}

/** What a connection says about the server and itself. */
export interface ServerFacts {
  /** Such as 150004. */
  readonly version: number;
  /** When the server was started, by its own clock: a value that each start has of its own. */
  readonly startedAt: string;
  readonly backend: number;
  readonly backendStarted: string;
  readonly isReadOnly: boolean;
  readonly encoding: string;
}

/*
 * One round trip. Settings in the message that opens a connection would be refused by PgBouncer.
 * A commit that is only local, or not even on the disk, is not what a 200 promises. A role or a
 * database may have defaults that would change results, slow plans down or end idle connections;
 * transaction_timeout exists from PostgreSQL 17 on.
 */
const PREPARE = `
SELECT
  set_config('search_path', $1, false),
  set_config('statement_timeout', $2, false),
  set_config('lock_timeout', $3, false),
  set_config('idle_in_transaction_session_timeout', $4, false),
  set_config('synchronous_commit', CASE WHEN $8 THEN 'local'
    WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('jit', 'off', false),
  set_config('plan_cache_mode', CASE $6 WHEN 'on' THEN 'force_generic_plan' ELSE 'auto' END, false),
  set_config('enable_seqscan', CASE $6 WHEN 'on' THEN 'off' ELSE 'on' END, false),
  set_config('enable_hashjoin', CASE $7 WHEN 'on' THEN 'off' ELSE 'on' END, false),
  set_config('enable_mergejoin', CASE $7 WHEN 'on' THEN 'off' ELSE 'on' END, false),
  set_config('enable_indexscan', 'on', false),
  set_config('enable_bitmapscan', 'on', false),
  set_config('enable_nestloop', 'on', false),
  set_config('bytea_output', 'hex', false),
  set_config('DateStyle', 'ISO', false),
  set_config('TimeZone', 'UTC', false),
  set_config('array_nulls', 'on', false),
  set_config('standard_conforming_strings', 'on', false),
  set_config('transform_null_equals', 'off', false),
  set_config('extra_float_digits', '1', false),
  set_config('client_min_messages', 'warning', false),
  set_config('idle_session_timeout', '0', false),
  CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
    THEN set_config('transaction_timeout', '0', false) END,
  set_config('application_name', $5, false),
  current_setting('server_version_num')::int AS version,
  pg_postmaster_start_time()::text AS "startedAt",
  pg_backend_pid() AS backend,
  (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS "backendStarted",
  current_setting('transaction_read_only') = 'on' AS "isReadOnly",
  current_setting('server_encoding') AS encoding
`;

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Sets what every statement of a connection relies on. */
export async function prepareSession(client: pg.Client, settings: ConnectionSettings): Promise<ServerFacts> {
  const limit = settings.statementLimitMs;
  const { rows } = await client.query<ServerFacts>(PREPARE, [
    quoteName(settings.schema),
    String(limit),
    // Below the limit of the statement, so that the text says what it waited for.
    String(Math.floor(limit * 0.8)),
    String(IDLE_IN_TRANSACTION_MS),
    settings.applicationName,
    settings.keepsPlans === true ? 'on' : 'off',
    settings.joinsByIndex === true ? 'on' : 'off',
    settings.isLocal === true,
  ]);
  const [facts] = rows;
  if (!facts) throw new Error('the database answered without a row');
  return facts;
}
