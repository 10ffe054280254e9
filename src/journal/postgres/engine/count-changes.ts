import type { Backlog, Ledger, SourceCounts } from '../../journal.ts';
import type { Session, Sessions, Statement } from '../sessions/session.ts';

/*
 * The columns of `counts` and everything that is read from them. Whoever changes what is counted
 * adds the change in the same transaction, so the sums are exact after each commit.
 *
 * What is not an event, that is malformed bodies and quarantined requests, is counted at
 * `NO_DESTINATION`. So a destination has rows here exactly if an event was ever pending at it, and
 * a source if anything was ever counted for it, even if all its counts are zero now.
 */

export const NO_DESTINATION = '';

/** The counts of a row. */
export const COUNTS = [
  'accepted',
  'pending',
  'replaying',
  'delivered',
  'ignored',
  'dead',
  'malformed',
  'quarantined',
  'quarantined_bytes',
  'stored_events',
  'stored_bytes',
] as const;
export type Count = (typeof COUNTS)[number];

/** SQL that adds rows of `stream`, `source`, `destination` and these columns. */
export function upsertSql(columns: readonly Count[], rows: string): string {
  const sums = columns.map((column) => `${column} = counts.${column} + excluded.${column}`);
  return `INSERT INTO counts (stream, source, destination, ${columns.join(', ')}) ${rows}
    ON CONFLICT (stream, source, destination) DO UPDATE SET ${sums.join(', ')}`;
}

/**
 * SQL that adds to the counts of each source and destination of a relation. One statement can have
 * it only once, because PostgreSQL does not change a row twice in one statement: unite the changes
 * (`UNION ALL`) before.
 * @param from name of a CTE or a subquery with an alias; its columns `source` and `destination`
 * @param changes an aggregate for each count, such as `count(*) FILTER (WHERE state = 'd')`
 * @param stream the stream of the connection
 */
export function addCountsSql(from: string, changes: Partial<Record<Count, string>>, stream = '$1'): string {
  const columns = COUNTS.filter((column) => changes[column] !== undefined);
  return upsertSql(
    columns,
    `SELECT ${stream}::integer, source, destination, ${columns.map((column) => changes[column]).join(', ')}
     FROM ${from} GROUP BY source, destination`,
  );
}

const ADD_COUNTS: Statement = {
  name: 'add_counts',
  text: upsertSql(COUNTS, `VALUES ($1, $2, $3, ${COUNTS.map((_, index) => `$${index + 4}`).join(', ')})`),
};

/** Adds to the counts of one source and destination in the transaction of the session. */
export async function addCounts(
  session: Session,
  { source, destination }: { readonly source: string; readonly destination: string },
  changes: Partial<Record<Count, number>>,
): Promise<void> {
  const values = COUNTS.map((column) => changes[column] ?? 0);
  await session.query(ADD_COUNTS, [session.stream, source, destination, ...values]);
}

/** The sum of a count over all rows of a group, as a column of the same name. */
function sumsOf(columns: readonly Count[]): string {
  return columns.map((column) => `sum(${column})::bigint AS ${column}`).join(', ');
}

const LEDGER: Statement = {
  name: 'ledger',
  text: `SELECT source,
      ${sumsOf(['accepted', 'pending', 'delivered', 'ignored', 'dead', 'malformed', 'quarantined'])}
    FROM counts GROUP BY source`,
};

export async function readLedger(sessions: Sessions): Promise<Ledger> {
  const rows = await sessions.query<SourceCounts & { readonly source: string }>('work', LEDGER);
  return Object.fromEntries(
    rows.toSorted((a, b) => (a.source < b.source ? -1 : 1)).map(({ source, ...counts }) => [source, counts]),
  );
}

const PENDING: Statement = {
  name: 'pending_counts',
  text: `SELECT destination, ${sumsOf(['pending', 'replaying'])}
    FROM counts WHERE destination <> '${NO_DESTINATION}' GROUP BY destination`,
};

/** The pending events of every destination that ever had one, in the order of the names. */
export async function readPending(
  sessions: Sessions,
): Promise<readonly Pick<Backlog, 'destination' | 'pending' | 'replaying'>[]> {
  const rows = await sessions.query<Pick<Backlog, 'destination' | 'pending' | 'replaying'>>('work', PENDING);
  return rows.toSorted((a, b) => (a.destination < b.destination ? -1 : 1));
}

const QUARANTINE_USAGE: Statement = {
  name: 'quarantine_usage',
  text: `SELECT coalesce(sum(quarantined), 0)::bigint AS count,
      coalesce(sum(quarantined_bytes), 0)::bigint AS bytes FROM counts WHERE source = $1`,
};

/** Number and total size of the quarantined requests of a source. */
export async function quarantineUsage(
  session: Pick<Session, 'query'>,
  source: string,
): Promise<{ readonly count: number; readonly bytes: number }> {
  const rows = await session.query<{ count: number; bytes: number }>(QUARANTINE_USAGE, [source]);
  return rows[0] ?? { count: 0, bytes: 0 };
}

const STORED: Statement = {
  name: 'stored_counts',
  text: `SELECT coalesce(sum(stored_events), 0)::bigint AS events,
      coalesce(sum(stored_bytes), 0)::bigint AS bytes FROM counts`,
};

/** Rows of `events`, and bytes of bodies and quarantined requests, that the store holds. */
export async function readStored(
  sessions: Sessions,
): Promise<{ readonly events: number; readonly bytes: number }> {
  const rows = await sessions.query<{ events: number; bytes: number }>('work', STORED);
  return rows[0] ?? { events: 0, bytes: 0 };
}
