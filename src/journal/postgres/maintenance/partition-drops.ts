import { hasBodySql } from '../engine/body-presence.ts';
import { addCounts, NO_DESTINATION } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Session, Statement } from '../sessions/session.ts';
import {
  type ChangeResult,
  changePartitions,
  lockTable,
  type PartitionedTable,
  partitionName,
  partitionStatement,
} from './day-partitions.ts';
import { IS_FINISHED } from './removal-statements.ts';

/*
 * Drops the partition of a day with all that is due in it. The few rows that must stay move to the
 * default partition in the same transaction.
 *
 * What stays is read under a lock that stops writes to the events of that old day only. Whoever
 * makes one of them pending again reads `bodies` and writes to its event in one transaction, so
 * that either it is seen here, or it waits and finds that the body is gone. Then follows, for some
 * ms, the lock that everybody waits for.
 */

/** Rows that stay at most; else the due ones are deleted one by one. */
export const MAX_KEPT_ROWS = 5_000;
/** One more than that says that there are too many. */
const KEPT_LIMIT = MAX_KEPT_ROWS + 1;

const KEPT_BODIES: Statement = {
  name: 'maintenance_kept_bodies',
  text: `
SELECT e.seq FROM events e WHERE e.day = $1::integer
  AND (${IS_FINISHED} AND e.settled_at <= $2::bigint) IS NOT TRUE
LIMIT ${KEPT_LIMIT}`,
};

const KEPT_RECORDS: Statement = {
  name: 'maintenance_kept_records',
  text: `
SELECT e.receipt FROM events e WHERE e.day = $1::integer
  AND (${IS_FINISHED} AND (e.received_at <= $2::bigint OR e.received_at > $3::bigint)
    AND NOT ${hasBodySql('e')}) IS NOT TRUE
LIMIT ${KEPT_LIMIT}`,
};

const RECORDS_BY_DESTINATION: Statement = {
  name: 'maintenance_records_by_destination',
  text: `
SELECT e.source, CASE WHEN e.state = 'm' THEN '${NO_DESTINATION}' ELSE e.destination END AS destination,
  count(*)::bigint AS count
FROM events e WHERE e.day = $1::integer
  AND NOT EXISTS (SELECT FROM unnest($2::uuid[]) kept WHERE kept = e.receipt)
GROUP BY 1, 2`,
};

/** The bytes are counted at one source: only their sum over all of them has a meaning. */
const BODY_SUMS: Statement = {
  name: 'maintenance_body_sums',
  text: `
SELECT count(*)::bigint AS count, coalesce(sum(octet_length(b.body)), 0)::bigint AS bytes
FROM bodies b WHERE b.day = $1::integer
  AND NOT EXISTS (SELECT FROM unnest($2::bigint[]) kept WHERE kept = b.seq)`,
};

/** A source and destination at which stored bytes are counted. */
export const SOME_COUNTS: Statement = {
  name: 'maintenance_some_counts',
  text: `SELECT source, destination FROM counts WHERE stored_bytes <> 0 LIMIT 1`,
};

/** Moves what stays to the default partition and drops the rest. */
async function drop(
  session: Session,
  table: PartitionedTable,
  day: number,
  kept: string,
  keys: readonly (number | string)[],
): Promise<void> {
  const name = partitionName(table, day);
  const execute = (step: string, text: string, params?: [readonly (number | string)[]]) =>
    session.query(partitionStatement(`${step}_${name}`, text), params);
  for (const each of [table, `${table}_default`, name]) await lockTable(session, each, 'ACCESS EXCLUSIVE');
  await execute('detach', `ALTER TABLE ${table} DETACH PARTITION ${name}`);
  if (keys.length > 0)
    await execute('keep', `INSERT INTO ${table} SELECT * FROM ${name} WHERE ${kept}`, [keys]);
  await execute('drop', `DROP TABLE ${name}`);
}

/** Where the events of a day are. */
export interface DayOfEvents {
  readonly day: number;
  /** Whether its events have a partition of their own; else they are in the default one. */
  readonly hasOwnEvents: boolean;
}

/**
 * Drops the bodies of a day except those whose event was settled after `settledBefore`, is pending,
 * or is a dead letter.
 * @returns how many bodies were removed
 */
export function dropBodies(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  { day, hasOwnEvents }: DayOfEvents,
  settledBefore: number,
): Promise<ChangeResult<number>> {
  return changePartitions(sessions, async (session) => {
    await lockTable(session, hasOwnEvents ? partitionName('events', day) : 'events_default', 'SHARE');
    const kept = await session.query<{ seq: number }>(KEPT_BODIES, [day, settledBefore]);
    if (kept.length > MAX_KEPT_ROWS) return undefined;
    const seqs = kept.map(({ seq }) => seq);
    await lockTable(session, partitionName('bodies', day), 'SHARE');
    const [sums] = await session.query<{ count: number; bytes: number }>(BODY_SUMS, [day, seqs]);
    const [counted] = await session.query<{ source: string; destination: string }>(SOME_COUNTS);
    await drop(session, 'bodies', day, 'seq = ANY ($1::bigint[])', seqs);
    if (counted !== undefined) await addCounts(session, counted, { stored_bytes: -(sums?.bytes ?? 0) });
    return sums?.count ?? 0;
  });
}

/**
 * Drops the records of a day except those that were received after `receivedBefore`, have a body,
 * are pending, or are a dead letter. Their details must be gone already.
 * @returns how many records were removed
 */
export function dropRecords(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  day: number,
  receivedBefore: number,
): Promise<ChangeResult<number>> {
  return changePartitions(sessions, async (session) => {
    await lockTable(session, partitionName('events', day), 'SHARE');
    const kept = await session.query<{ receipt: string }>(KEPT_RECORDS, [day, receivedBefore, now()]);
    if (kept.length > MAX_KEPT_ROWS) return undefined;
    const receipts = kept.map(({ receipt }) => receipt);
    const gone = await session.query<{ source: string; destination: string; count: number }>(
      RECORDS_BY_DESTINATION,
      [day, receipts],
    );
    await drop(session, 'events', day, 'receipt = ANY ($1::uuid[])', receipts);
    let removed = 0;
    for (const { count, ...of } of gone.toSorted((a, b) => (a.source < b.source ? -1 : 1))) {
      await addCounts(session, of, { stored_events: -count });
      removed += count;
    }
    return removed;
  });
}
