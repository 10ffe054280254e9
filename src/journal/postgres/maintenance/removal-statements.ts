import { hasBodySql, storedBytesSql } from '../engine/body-presence.ts';
import { addCountsSql, NO_DESTINATION } from '../engine/count-changes.ts';
import type { Statement } from '../sessions/session.ts';
import { markForgottenSql } from './forgotten-identities.ts';

/*
 * What removes bodies and records row by row. Each statement first locks the events, skipping those
 * that someone else has locked, so that nothing is taken from an event that is made pending again
 * at the same time.
 *
 * They walk over a partition in windows of blocks (`ctid`), because no index knows what is due: its
 * columns change with each settlement.
 */

/** True for events that have left the queue successfully; `e` is the alias of `events`. */
export const IS_FINISHED = `e.state IN ('d', 'i')`;

const LOCK = 'FOR NO KEY UPDATE OF e SKIP LOCKED';

/** Settled up to `$3`. */
const WAS_SETTLED = `${IS_FINISHED} AND e.settled_at <= $3::bigint`;

/** Bodies due. */
const BODY_IS_DUE = `${WAS_SETTLED} AND ${hasBodySql('e')}`;

/** Received up to `$3`, or by a clock that was ahead of `$6`. */
const RECORD_IS_OLD = `${IS_FINISHED} AND (e.received_at <= $3::bigint OR e.received_at > $6::bigint)`;

/** Whoever drops records counts them without a lock on them, so nobody else may remove any. */
const REMOVALS = `hashtextextended(current_schema() || ' records', 0)`;

/** The transaction is the only one that removes records. */
export const LOCK_REMOVALS: Statement = {
  name: 'maintenance_lock_removals',
  text: `SELECT pg_advisory_xact_lock(${REMOVALS})`,
};

/** Records due: old ones without a body; none while records are dropped. */
const RECORD_IS_DUE = `${RECORD_IS_OLD} AND NOT ${hasBodySql('e')}
    AND (SELECT pg_try_advisory_xact_lock_shared(${REMOVALS}))`;

/** What a statement walks over: a partition of a day, or the default one. */
export interface Walked {
  readonly name: string;
  /** FROM clause with the alias `e`. */
  readonly from: string;
  /** Restricts it to the day in `$n`. */
  readonly where: (n: number) => string;
}

const OF_DAY: Walked = { name: 'day', from: 'events e', where: (n) => `e.day = $${n}::integer` };
const OF_DEFAULT: Walked = {
  name: 'default',
  from: 'events_default e',
  where: (n) => `$${n}::integer IS NULL`,
};

/** A statement for each kind of partition. The parameter of the day is null for the default one. */
export interface PerPartition {
  readonly day: Statement;
  readonly default: Statement;
}

export function perPartition(name: string, text: (walked: Walked) => string): PerPartition {
  return {
    day: { name: `maintenance_${name}_${OF_DAY.name}`, text: text(OF_DAY) },
    default: { name: `maintenance_${name}_${OF_DEFAULT.name}`, text: text(OF_DEFAULT) },
  };
}

export function statementOf(statements: PerPartition, day: number | undefined): Statement {
  return day === undefined ? statements.default : statements.day;
}

/** The due events of a window from `$4` to `$5`, locked or not; `$2` is the day. */
function dueInWindow({ from, where }: Walked, isDue: string, lock = LOCK): string {
  return `due AS MATERIALIZED (
  SELECT e.seq, e.day, e.receipt, e.source, e.destination FROM ${from}
  WHERE ${where(2)} AND e.ctid >= $4::tid AND e.ctid < $5::tid AND ${isDue}
  ${lock}
)`;
}

/** Their counts stay; see Landings. */
const LANDING_TABLES = ['doubts', 'watched'];

function landingGone(table: string, due: string): string {
  return `${table}_gone AS (DELETE FROM ${table} t USING ${due} WHERE t.receipt = ${due}.receipt)`;
}

/**
 * Deletes what the tables beside `events` have of these events.
 * @param details also what tells the history of the event
 */
function deleteBeside(due: string, details: boolean): string {
  const tables = details ? ['sent', 'attempts', 'actions', 'differing_copies'] : ['sent'];
  return tables
    .map((table) => `${table}_gone AS (DELETE FROM ${table} t USING ${due} WHERE t.seq = ${due}.seq)`)
    .concat(details ? LANDING_TABLES.map((table) => landingGone(table, due)) : [])
    .join(',\n');
}

/** Parameters of all walks: stream, day, bound of time, window; of records also now. */
export const REMOVE_BODIES: PerPartition = perPartition(
  'remove_bodies',
  (walked) => `
WITH ${dueInWindow(walked, BODY_IS_DUE)},
gone AS (
  DELETE FROM bodies b USING due WHERE b.seq = due.seq AND b.day = due.day
  RETURNING due.source, due.destination, ${storedBytesSql('b')} AS bytes
),
${deleteBeside('due', false)},
counted AS (${addCountsSql('gone', { stored_bytes: '-sum(bytes)' })})
SELECT count(*)::integer AS removed FROM gone`,
);

/**
 * Bodies of a day whose partition was dropped: those that had to stay then.
 * Parameters: stream, day, bound of time.
 */
export const REMOVE_MOVED_BODIES: Statement = {
  name: 'maintenance_remove_moved_bodies',
  text: `
WITH due AS MATERIALIZED (
  SELECT e.seq, e.day, e.source, e.destination FROM bodies_default b JOIN events e USING (seq, day)
  WHERE b.day = $2::integer AND e.day = $2::integer AND ${WAS_SETTLED}
  FOR NO KEY UPDATE OF e SKIP LOCKED
),
gone AS (
  DELETE FROM bodies_default b USING due WHERE b.seq = due.seq AND b.day = due.day
  RETURNING due.source, due.destination, ${storedBytesSql('b')} AS bytes
),
counted AS (${addCountsSql('gone', { stored_bytes: '-sum(bytes)' })})
SELECT count(*)::integer AS removed FROM gone`,
};

export const REMOVE_RECORDS: PerPartition = perPartition(
  'remove_records',
  (walked) => `
WITH ${dueInWindow(walked, RECORD_IS_DUE)},
${deleteBeside('due', true)},
gone AS (
  DELETE FROM events e USING due WHERE e.receipt = due.receipt AND e.day = due.day
  RETURNING e.source, e.destination, e.received_at
),
forgotten AS (${markForgottenSql('gone', 'max(received_at)', '$6::bigint')}),
counted AS (${addCountsSql('gone', { stored_events: '-count(*)' })})
SELECT count(*)::integer AS removed FROM gone`,
);

/**
 * Before the partition of the records is dropped. Without locks, which would write to all of it: an
 * event that is made pending in this moment loses a part of its history at most. The day has few
 * bodies by then, which are read once.
 */
export const REMOVE_DETAILS: PerPartition = perPartition(
  'remove_details',
  (walked) => `
WITH kept AS MATERIALIZED (SELECT seq FROM bodies WHERE day = $2::integer),
${dueInWindow(walked, `${RECORD_IS_OLD} AND e.seq NOT IN (SELECT seq FROM kept)`, '')},
${deleteBeside('due', true)}
SELECT 0 AS removed WHERE $1::integer IS NOT NULL`,
);

/** Parameters: stream, whether malformed, bound of `since`, limit. */
export const REMOVE_DEAD: Statement = {
  name: 'maintenance_remove_dead',
  text: `
WITH old AS MATERIALIZED (
  SELECT receipt, day FROM dead_letters WHERE is_malformed = $2::boolean AND since <= $3::bigint
  ORDER BY since LIMIT $4::integer
),
due AS MATERIALIZED (
  SELECT e.seq, e.day, e.receipt, e.source, e.state, e.received_at,
    CASE WHEN e.state = 'm' THEN '${NO_DESTINATION}' ELSE e.destination END AS destination
  FROM events e JOIN old ON e.receipt = old.receipt AND e.day = old.day
  WHERE e.state IN ('x', 'm') FOR NO KEY UPDATE OF e SKIP LOCKED
),
letters AS (DELETE FROM dead_letters d USING due WHERE d.receipt = due.receipt),
${deleteBeside('due', true)},
bodies_gone AS (
  DELETE FROM bodies b USING due WHERE b.seq = due.seq AND b.day = due.day
  RETURNING b.seq, ${storedBytesSql('b')} AS bytes
),
gone AS (DELETE FROM events e USING due WHERE e.receipt = due.receipt AND e.day = due.day),
forgotten AS (${markForgottenSql('due', `max(received_at) FILTER (WHERE state = 'x')`)}),
counted AS (${addCountsSql('(SELECT due.*, b.bytes FROM due LEFT JOIN bodies_gone b USING (seq)) removed', {
    malformed: `-count(*) FILTER (WHERE state = 'm')`,
    stored_events: '-count(*)',
    stored_bytes: '-coalesce(sum(bytes), 0)',
  })})
SELECT count(*)::integer AS removed FROM due`,
};

/** Parameters: stream, now, limit. */
export const REMOVE_EXPIRED: Statement = {
  name: 'maintenance_remove_expired',
  text: `
WITH due AS MATERIALIZED (
  SELECT receipt FROM quarantine WHERE expires_at <= $2::bigint
  ORDER BY expires_at LIMIT $3::integer FOR UPDATE SKIP LOCKED
),
gone AS (
  DELETE FROM quarantine q USING due WHERE q.receipt = due.receipt
  RETURNING q.source, '${NO_DESTINATION}' AS destination, q.bytes,
    octet_length(q.headers) + octet_length(q.body) AS stored
),
counted AS (${addCountsSql('gone', {
    quarantined: '-count(*)',
    quarantined_bytes: '-sum(bytes)',
    stored_bytes: '-sum(stored)',
  })})
SELECT count(*)::integer AS removed FROM gone`,
};

/**
 * Requests before the oldest event was received: no event points to them.
 * Parameters: bound of time, limit.
 */
export const REMOVE_REQUESTS: Statement = {
  name: 'maintenance_remove_requests',
  text: `
WITH gone AS (
  DELETE FROM requests
  WHERE id IN (SELECT id FROM requests WHERE at < $1::bigint LIMIT $2::integer) RETURNING 1
)
SELECT count(*)::integer AS removed FROM gone`,
};

/**
 * Refreshes whose body is gone and that nobody has dropped, because their source is no longer
 * enriched. Parameters: bound of the time since when they have been waiting.
 */
export const REMOVE_REFRESHES: Statement = {
  name: 'maintenance_remove_refreshes',
  text: `DELETE FROM refreshes AS r WHERE r.since <= $1::bigint AND NOT ${hasBodySql('r')}`,
};
