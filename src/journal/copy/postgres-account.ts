import { StoreError } from '../journal.ts';
import { isOverSql } from '../postgres/engine/refresh-state.ts';
import { type StateCode, STATE_CODES } from '../postgres/engine/stored-events.ts';
import { textOf } from '../postgres/engine/stored-text.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import type { Statement } from '../postgres/sessions/session.ts';
import { SIDE_TABLE_NAMES, type StoreAccount } from './copied-rows.ts';

/* What both directions need of a store in PostgreSQL. */

export const STATES = Object.fromEntries(
  Object.entries(STATE_CODES).map(([state, code]) => [code, state]),
) as Readonly<Record<StateCode, keyof typeof STATE_CODES>>;

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
  for (const table of [...CHILD_TABLES, ...SIDE_TABLE_NAMES]) {
    const [row] = await connection.query<{ n: number }>(once(`SELECT count(*) AS n FROM ${table}`));
    rows[table] = row?.n ?? 0;
  }
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
