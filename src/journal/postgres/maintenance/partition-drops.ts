import { hasBodySql, storedBytesSql } from '../engine/body-presence.ts';
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
  READ_LIMIT_MS,
} from './day-partitions.ts';
import { markForgottenSql } from './forgotten-identities.ts';
import { IS_FINISHED, LOCK_REMOVALS } from './removal-statements.ts';

/*
 * Drops the partition of a day with all that is due in it. The few rows that must stay move to the
 * default partition in the same transaction.
 *
 * What stays is read before the lock that everybody waits for, which is held for some ms. It is
 * read without a lock on `events`: each settlement locks all partitions of it, because its plan is
 * made for any day. It would wait for the whole time, and hold its own locks meanwhile, so that the
 * last lock could never be had.
 *
 * Bodies: their partition is locked, so that no body is added. Whoever makes an event pending again
 * locks its body, so that either it is seen here, or it waits and finds that the body is gone.
 * Records: without a body none can become pending again. But one can be added, which has a body;
 * that is looked for under the last lock.
 */

/** Rows that stay at most; else the due ones are deleted one by one. */
export const MAX_KEPT_ROWS = 5_000;
/** One more than that says that there are too many. */
const KEPT_LIMIT = MAX_KEPT_ROWS + 1;

const KEPT_BODIES: Statement = {
  name: 'maintenance_kept_bodies',
  limitMs: READ_LIMIT_MS,
  text: `
SELECT e.seq FROM events e WHERE e.day = $1::integer
  AND (${IS_FINISHED} AND e.settled_at <= $2::bigint) IS NOT TRUE
LIMIT ${KEPT_LIMIT}`,
};

const KEPT_RECORDS: Statement = {
  name: 'maintenance_kept_records',
  limitMs: READ_LIMIT_MS,
  text: `
SELECT e.receipt FROM events e WHERE e.day = $1::integer
  AND (${IS_FINISHED} AND (e.received_at <= $2::bigint OR e.received_at > $3::bigint)
    AND NOT ${hasBodySql('e')}) IS NOT TRUE
LIMIT ${KEPT_LIMIT}`,
};

/** Few, since their partition was dropped: those that stayed or came later. */
const BODIES_OF_DAY: Statement = {
  name: 'maintenance_bodies_of_day',
  text: 'SELECT seq FROM bodies WHERE day = $1::integer',
};

async function bodiesOf(session: Session, day: number): Promise<ReadonlySet<number>> {
  const rows = await session.query<{ seq: number }>(BODIES_OF_DAY, [day]);
  return new Set(rows.map(({ seq }) => seq));
}

const RECORDS_BY_DESTINATION: Statement = {
  name: 'maintenance_records_by_destination',
  limitMs: READ_LIMIT_MS,
  text: `
SELECT e.source, CASE WHEN e.state = 'm' THEN '${NO_DESTINATION}' ELSE e.destination END AS destination,
  count(*)::bigint AS count, max(e.received_at) FILTER (WHERE e.state <> 'm')::bigint AS newest
FROM events e WHERE e.day = $1::integer
  AND NOT EXISTS (SELECT FROM unnest($2::uuid[]) kept WHERE kept = e.receipt)
GROUP BY 1, 2`,
};

interface RecordsRow {
  readonly source: string;
  readonly destination: string;
  readonly count: number;
  /** Epoch ms of receipt of the newest event; null if all are malformed bodies. */
  readonly newest: number | null;
}

/** The bytes are counted at one source: only their sum over all of them has a meaning. */
const BODY_SUMS: Statement = {
  name: 'maintenance_body_sums',
  limitMs: READ_LIMIT_MS,
  text: `
SELECT count(*)::bigint AS count, coalesce(sum(${storedBytesSql('b')}), 0)::bigint AS bytes
FROM bodies b WHERE b.day = $1::integer
  AND NOT EXISTS (SELECT FROM unnest($2::bigint[]) kept WHERE kept = b.seq)`,
};

const MARK_FORGOTTEN: Statement = {
  name: 'maintenance_mark_forgotten',
  text: markForgottenSql('unnest($1::bigint[]) AS r (received_at)', 'max(received_at)', '$2::bigint'),
};

/** A source and destination at which stored bytes are counted. */
export const SOME_COUNTS: Statement = {
  name: 'maintenance_some_counts',
  text: `SELECT source, destination FROM counts WHERE stored_bytes <> 0 LIMIT 1`,
};

/** Takes the locks that everybody waits for. */
async function lockAll(session: Session, table: PartitionedTable, day: number): Promise<void> {
  for (const each of [table, `${table}_default`, partitionName(table, day)])
    await lockTable(session, each, 'ACCESS EXCLUSIVE');
}

/** Moves what stays to the default partition and drops the rest. Call `lockAll` before. */
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
  await execute('detach', `ALTER TABLE ${table} DETACH PARTITION ${name}`);
  if (keys.length > 0)
    await execute('keep', `INSERT INTO ${table} SELECT * FROM ${name} WHERE ${kept}`, [keys]);
  await execute('drop', `DROP TABLE ${name}`);
}

/**
 * Drops the bodies of a day except those whose event was settled after `settledBefore`, is pending,
 * or is a dead letter.
 * @returns how many bodies were removed
 */
export function dropBodies(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  day: number,
  settledBefore: number,
): Promise<ChangeResult<number>> {
  return changePartitions(sessions, async (session) => {
    await lockTable(session, partitionName('bodies', day), 'EXCLUSIVE');
    const kept = await session.query<{ seq: number }>(KEPT_BODIES, [day, settledBefore]);
    if (kept.length > MAX_KEPT_ROWS) return undefined;
    const seqs = kept.map(({ seq }) => seq);
    const [sums] = await session.query<{ count: number; bytes: number }>(BODY_SUMS, [day, seqs]);
    const [counted] = await session.query<{ source: string; destination: string }>(SOME_COUNTS);
    await lockAll(session, 'bodies', day);
    await drop(session, 'bodies', day, 'seq = ANY ($1::bigint[])', seqs);
    if (counted !== undefined) await addCounts(session, counted, { stored_bytes: -(sums?.bytes ?? 0) });
    return sums?.count ?? 0;
  });
}

/**
 * Drops the records of a day except those that were received after `receivedBefore`, have a body,
 * are pending, or are a dead letter. Their details and the partition of the bodies must be gone
 * already.
 * @returns how many records were removed
 */
export function dropRecords(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  day: number,
  receivedBefore: number,
): Promise<ChangeResult<number>> {
  return changePartitions(sessions, async (session) => {
    await session.query(LOCK_REMOVALS);
    const bodies = await bodiesOf(session, day);
    const kept = await session.query<{ receipt: string }>(KEPT_RECORDS, [day, receivedBefore, now()]);
    if (kept.length > MAX_KEPT_ROWS) return undefined;
    const receipts = kept.map(({ receipt }) => receipt);
    const gone = await session.query<RecordsRow>(RECORDS_BY_DESTINATION, [day, receipts]);
    await lockAll(session, 'events', day);
    for (const seq of await bodiesOf(session, day)) if (!bodies.has(seq)) return undefined;
    await drop(session, 'events', day, 'receipt = ANY ($1::uuid[])', receipts);
    const newest = gone.map((row) => row.newest);
    await session.query(MARK_FORGOTTEN, [newest, now()]);
    let removed = 0;
    for (const { count, newest: _newest, ...of } of gone.toSorted((a, b) => (a.source < b.source ? -1 : 1))) {
      await addCounts(session, of, { stored_events: -count });
      removed += count;
    }
    return removed;
  });
}
