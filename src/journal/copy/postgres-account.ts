import { StoreError } from '../journal.ts';
import { isOverSql } from '../postgres/engine/refresh-state.ts';
import { type StateCode, STATES } from '../postgres/engine/stored-events.ts';
import { textOf } from '../postgres/engine/stored-text.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import type { Statement } from '../postgres/sessions/session.ts';
import {
  SIDE_TABLE_NAMES,
  SIDE_TABLES,
  type SideTable,
  type StoreAccount,
  SUMMED_COLUMNS,
} from './copied-rows.ts';

/* What both directions need of a store in PostgreSQL. */

const SPAN_SUMS = SIDE_TABLES.spans.columns.slice(SIDE_TABLES.spans.key.length);

function summed(columns: readonly string[]): string {
  return columns.map((column) => `sum(${column})::bigint AS ${column}`).join(', ');
}

function isAnySum(columns: readonly string[]): string {
  return columns.map((column) => `sum(${column}) <> 0`).join(' OR ');
}

const LANDED = ['landed', 'refused_later'];

/** Where a table has rows for each connection: a relation with the columns of the copy. */
const RELATIONS: Partial<Record<SideTable, string>> = {
  spans: `(SELECT destination, at, source, ${summed(SPAN_SUMS)} FROM spans
    GROUP BY destination, at, source HAVING ${isAnySum(SPAN_SUMS)})`,
  landings: `(SELECT source, ${summed(LANDED)} FROM landings GROUP BY source HAVING ${isAnySum(LANDED)})`,
  // A store of SQLite without this mark would begin to count when it is opened.
  marks: `(SELECT name, at FROM marks UNION ALL SELECT 'spans-since', 0
    WHERE NOT EXISTS (SELECT FROM marks WHERE name = 'spans-since'))`,
};

export function relationOf(table: SideTable): string {
  return `${RELATIONS[table] ?? table} AS "${table}"`;
}

const CHILD_TABLES = ['bodies', 'attempts', 'sent', 'actions', 'differing_copies'] as const;

/** A statement that is used once or a few times. */
export function once(text: string): Statement {
  return { name: '', text };
}

const EVENT_ROWS =
  once(`SELECT source, destination, state::text AS state, count(*) AS n, count(notes) AS notes
  FROM events GROUP BY 1, 2, 3`);
const ENRICHMENT = once(`SELECT (SELECT count(entities) FROM bodies) AS entities,
    (SELECT count(*) FROM refreshes r WHERE NOT ${isOverSql('r')}) AS refreshes`);
const LEDGER = once(`SELECT source, sum(accepted) AS accepted, sum(pending) AS pending,
    sum(delivered) AS delivered, sum(ignored) AS ignored, sum(dead) AS dead, sum(malformed) AS malformed,
    sum(quarantined) AS quarantined, sum(quarantined_bytes) AS quarantined_bytes
  FROM counts GROUP BY source ORDER BY source`);
const BACKLOG = once(`SELECT destination, sum(pending) AS pending, sum(replaying) AS replaying
  FROM counts WHERE destination <> '' GROUP BY destination ORDER BY destination`);
const LIVE = once(
  `SELECT name FROM replicas WHERE seen > clock_timestamp() - interval '6 seconds' ORDER BY name`,
);

type Counts = StoreAccount['ledger'][string];
type Pending = StoreAccount['backlog'][string];

async function countOf(connection: Connection, from: string): Promise<number> {
  const [row] = await connection.query<{ n: number }>(once(`SELECT count(*) AS n FROM ${from}`));
  return row?.n ?? 0;
}

async function sumsOf(connection: Connection): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [table, columns] of Object.entries(SUMMED_COLUMNS))
    for (const column of columns) {
      const text = `SELECT coalesce(sum(${column}), 0)::bigint AS n FROM ${table}`;
      const [row] = await connection.query<{ n: number }>(once(text));
      sums[`${table} (${column})`] = row?.n ?? 0;
    }
  return sums;
}

export async function accountOf(connection: Connection): Promise<StoreAccount> {
  const rows: Record<string, number> = { notes: 0 };
  const events = await connection.query<{
    source: string;
    destination: string;
    state: StateCode;
    n: number;
    notes: number;
  }>(EVENT_ROWS);
  for (const { source, destination, state, n, notes } of events) {
    rows[`events ${textOf(source)} ${textOf(destination)} ${STATES[state]}`] = n;
    rows['notes'] = (rows['notes'] ?? 0) + notes;
  }
  for (const table of CHILD_TABLES) rows[table] = await countOf(connection, table);
  for (const table of SIDE_TABLE_NAMES) rows[table] = await countOf(connection, relationOf(table));
  for (const table of ['doubts', 'watched'])
    rows[table] = await countOf(connection, `${table} JOIN events USING (receipt)`);
  Object.assign(rows, await sumsOf(connection));
  const [enrichment] = await connection.query<{ entities: number; refreshes: number }>(ENRICHMENT);
  Object.assign(rows, enrichment);
  const ledger = await connection.query<Counts & { source: string }>(LEDGER);
  const backlog = await connection.query<Pending & { destination: string }>(BACKLOG);
  return {
    ledger: Object.fromEntries(ledger.map(({ source, ...counts }) => [textOf(source), counts])),
    backlog: Object.fromEntries(backlog.map(({ destination, ...counts }) => [textOf(destination), counts])),
    rows,
  };
}

/** @throws StoreError if a relay uses the store */
export async function assertUnused(connection: Connection, schema: string): Promise<void> {
  const live = await connection.query<{ name: string }>(LIVE);
  if (live.length === 0) return;
  const names = live.map(({ name }) => name).join(', ');
  throw new StoreError(`replicas are running on the schema ${schema}: ${names}`, {
    fix: 'stop all of them, then copy again',
  });
}
