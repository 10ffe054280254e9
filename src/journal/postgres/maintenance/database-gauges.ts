import type { Sessions, Statement } from '../sessions/session.ts';

/** Relations of one group by the beginning of their names. */
function sizeOf(group: string, condition: string): string {
  return `coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE ${condition}), 0)::bigint AS "${group}"`;
}

const IS_EVENTS = String.raw`c.relname ~ '^events(_default|_\d+)$'`;
const IS_BODIES = String.raw`c.relname ~ '^bodies(_default|_\d+)$'`;

/** Sizes include indexes and what waits for VACUUM. */
const SIZES: Statement = {
  name: 'maintenance_sizes',
  text: `
SELECT ${sizeOf('eventsBytes', IS_EVENTS)}, ${sizeOf('bodiesBytes', IS_BODIES)},
  ${sizeOf('queueBytes', `c.relname = 'queue'`)}, ${sizeOf('profilesBytes', `c.relname = 'profiles'`)},
  ${sizeOf('otherBytes', `NOT (${IS_EVENTS} OR ${IS_BODIES} OR c.relname IN ('queue', 'profiles'))`)},
  count(*) FILTER (WHERE ${IS_EVENTS} OR ${IS_BODIES})::integer AS partitions,
  coalesce(sum(s.n_dead_tup), 0)::bigint AS "deadRows"
FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'`,
};

/**
 * What the server does. Of the sessions of other users only database and user are visible without
 * a right (pg_read_all_stats); processes of the server itself have neither.
 */
const ACTIVITY: Statement = {
  name: 'maintenance_activity',
  text: `
SELECT count(*) FILTER (WHERE datid IS NOT NULL AND usesysid IS NOT NULL)::integer AS connections,
  current_setting('max_connections')::integer AS "maxConnections",
  coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000)
    FILTER (WHERE backend_xmin IS NOT NULL OR backend_xid IS NOT NULL), 0)::bigint AS "oldestTransactionMs",
  (SELECT count(*)::integer FROM pg_stat_replication) AS standbys,
  (SELECT max(extract(epoch FROM replay_lag) * 1000)::bigint FROM pg_stat_replication) AS "standbyLagMs"
FROM pg_stat_activity`,
};

/**
 * Gauges of the database by name: sizes of tables in bytes, rows that wait for VACUUM, the age of
 * the oldest transaction, which keeps VACUUM from removing them, connections, and standbys.
 */
export async function readGauges(sessions: Sessions): Promise<Readonly<Record<string, number>>> {
  const [sizes, activity] = await Promise.all([
    sessions.query<Record<string, number | null>>('work', SIZES),
    sessions.query<Record<string, number | null>>('work', ACTIVITY),
  ]);
  const known = Object.entries({ ...sizes[0], ...activity[0] }).filter(
    (entry): entry is [string, number] => entry[1] !== null,
  );
  return Object.fromEntries(known);
}
