import type { EventColumns } from '../event-columns.ts';
import { StoreError } from '../journal.ts';
import { isOverSql } from '../postgres/engine/refresh-state.ts';
import { type StateCode, STATES, storedColumns } from '../postgres/engine/stored-events.ts';
import { storedText, textOf } from '../postgres/engine/stored-text.ts';
import { planMigration } from '../postgres/schema/migrate.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import {
  type CopiedDoubt,
  type CopiedEvent,
  type CopiedRefresh,
  type CopiedRow,
  type CopiedValue,
  type CopySource,
  SIDE_TABLES,
  type SideTable,
  STEP_BYTES,
  STEP_ROWS,
} from './copied-rows.ts';
import { accountOf, assertUnused, once, relationOf } from './postgres-account.ts';

/*
 * Positions of PostgreSQL have large gaps, and no index gives the events in their order. So the
 * order is made once for each run, with numbers that become the positions of the copy: the store is
 * not in use, so it is the same in each run.
 */
const ORDER = `CREATE TEMPORARY TABLE copy_order AS
  SELECT row_number() OVER (ORDER BY seq) AS n, seq, day, receipt, body_bytes FROM events;
  CREATE UNIQUE INDEX ON copy_order (n);
  ANALYZE copy_order`;

const END = once(`SELECT coalesce(max(n), $1) AS end FROM (
    SELECT n, sum(body_bytes) OVER (ORDER BY n) AS bytes FROM copy_order
    WHERE n > $1 AND n <= $1 + ${STEP_ROWS}
  ) AS candidates WHERE bytes <= ${STEP_BYTES} OR n = $1 + 1`);

const EVENTS = once(`SELECT o.n, ${storedColumns('e')}, e.notes, b.body, b.entities,
    q.is_replay AS "queuedReplay", q.is_pinned AS "isPinned", q.due_at AS "queuedDue"
  FROM copy_order o JOIN events e ON e.receipt = o.receipt AND e.day = o.day
    LEFT JOIN bodies b ON b.seq = e.seq AND b.day = e.day
    LEFT JOIN queue q ON e.state = 'p' AND q.lane_key = e.lane_key AND q.seq = e.seq
  WHERE o.n > $1 AND o.n <= $2 ORDER BY o.n`);

const CHILDREN = {
  attempts: `SELECT o.n, c.at, c.kind, c.outcome, c.status, c.detail, c.xaction_id, c.duration_ms, c.batch_size
    FROM copy_order o JOIN attempts c ON c.seq = o.seq WHERE o.n > $1 AND o.n <= $2 ORDER BY o.n, c.id`,
  sent: `SELECT o.n, c.kind, c.json FROM copy_order o JOIN sent c ON c.seq = o.seq
    WHERE o.n > $1 AND o.n <= $2 ORDER BY o.n, c.n`,
  actions: `SELECT o.n, c.at, c.by, c.action FROM copy_order o JOIN actions c ON c.seq = o.seq
    WHERE o.n > $1 AND o.n <= $2 ORDER BY o.n, c.id`,
  differing: `SELECT o.n, c.copies, c.last_at FROM copy_order o JOIN differing_copies c ON c.seq = o.seq
    WHERE o.n > $1 AND o.n <= $2`,
  refresh: `SELECT o.n, CASE WHEN c.customer THEN c.lane END AS lane, c.customer, c.bill, c.since, c.due_at,
      c.attempts, c.is_running AS running
    FROM copy_order o JOIN refreshes c ON c.receipt = o.receipt
    WHERE o.n > $1 AND o.n <= $2 AND NOT ${isOverSql('c')}`,
  doubt: `SELECT o.n, c.code, c.detail, c.at FROM copy_order o JOIN doubts c ON c.receipt = o.receipt
    WHERE o.n > $1 AND o.n <= $2`,
  watched: `SELECT o.n FROM copy_order o JOIN watched c ON c.receipt = o.receipt
    WHERE o.n > $1 AND o.n <= $2`,
} as const;

const FINGERPRINT = once(`SELECT store_id::text || ' ' || (SELECT last_value FROM positions) || ' '
    || coalesce(pg_sequence_last_value(pg_get_serial_sequence('streams', 'id')::regclass), 0) AS text
  FROM store`);

function decoded(value: CopiedValue): CopiedValue {
  if (typeof value === 'string') return textOf(value);
  return Array.isArray(value) ? value.map((text) => textOf(String(text))) : value;
}

function decodedRow(row: object): CopiedRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, decoded(value as CopiedValue)]),
  );
}

type SourceRow = Omit<EventColumns, 'identity'> & {
  readonly n: number;
  readonly identity: Buffer | null;
  readonly state: StateCode;
  readonly is_replay: boolean;
  readonly sent_in: string | null;
  readonly notes: Buffer | null;
  readonly body: Buffer | null;
  readonly entities: Buffer | null;
  readonly queuedReplay: boolean | null;
  readonly isPinned: boolean | null;
  readonly queuedDue: number | null;
};

async function readEvents(connection: Connection, after: number): Promise<CopiedEvent[]> {
  const [row] = await connection.query<{ end: number }>(END, [after]);
  const end = row?.end ?? after;
  const childrenOf = async (text: string): Promise<Map<number, CopiedRow[]>> => {
    const bySeq = new Map<number, CopiedRow[]>();
    for (const { n, ...child } of await connection.query<{ n: number }>(once(text), [after, end])) {
      const list = bySeq.get(n) ?? [];
      list.push(decodedRow(child));
      bySeq.set(n, list);
    }
    return bySeq;
  };
  const events = await connection.query<SourceRow>(EVENTS, [after, end]);
  const attempts = await childrenOf(CHILDREN.attempts);
  const sent = await childrenOf(CHILDREN.sent);
  const actions = await childrenOf(CHILDREN.actions);
  const differing = await childrenOf(CHILDREN.differing);
  const refreshes = await childrenOf(CHILDREN.refresh);
  const doubts = await childrenOf(CHILDREN.doubt);
  const watched = await childrenOf(CHILDREN.watched);
  return events.map(({ n, notes, body, entities, queuedReplay, isPinned, queuedDue, state, ...columns }) => ({
    ...(decodedRow(columns) as unknown as EventColumns),
    seq: n,
    state: STATES[state],
    due_at: queuedDue ?? columns.due_at,
    isReplay: queuedReplay ?? false,
    isPinned: isPinned ?? false,
    sentIn: columns.sent_in,
    notes,
    body,
    attempts: attempts.get(n) ?? [],
    sent: sent.get(n) ?? [],
    actions: actions.get(n) ?? [],
    differing: differing.get(n)?.[0],
    entities,
    refresh: refreshes.get(n)?.[0] as CopiedRefresh | undefined,
    doubt: doubts.get(n)?.[0] as CopiedDoubt | undefined,
    isWatched: watched.has(n),
  }));
}

async function readRows(
  connection: Connection,
  table: SideTable,
  after: readonly (string | number)[],
): Promise<CopiedRow[]> {
  const { columns, key } = SIDE_TABLES[table];
  const keys = key.map((column) => `"${column}"`);
  const from =
    after.length === 0
      ? ''
      : `WHERE (${keys.join(', ')}) > (${keys.map((_, index) => `$${index + 1}`).join(', ')})`;
  const rows = await connection.query<object>(
    once(`SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM ${relationOf(table)} ${from}
      ORDER BY ${keys.join(', ')} LIMIT ${STEP_ROWS}`),
    after.map((value) => (typeof value === 'string' ? storedText(value) : value)),
  );
  return rows.map(decodedRow);
}

/**
 * A schema of a database that no replica uses.
 * @param connection used for nothing else, and closed with the source
 * @throws StoreError if replicas are running on it, or it has another format
 */
export async function createPostgresSource(
  connection: Connection,
  { schema, name }: { readonly schema: string; readonly name: string },
): Promise<CopySource> {
  const { storeId, steps } = await planMigration(connection, { schema });
  if (storeId === undefined) throw new StoreError(`there is no store in the schema ${schema}`);
  if (steps.length > 0)
    throw new StoreError(`the schema ${schema} has an older format`, {
      fix: 'run `capillary-relay store migrate` first',
    });
  await assertUnused(connection, schema);
  await connection.execute(ORDER);
  return {
    name,
    fingerprint: async () => {
      await assertUnused(connection, schema);
      const [row] = await connection.query<{ text: string }>(FINGERPRINT);
      return row?.text ?? '';
    },
    account: () => accountOf(connection),
    events: (after) => readEvents(connection, after),
    rows: (table, after) => readRows(connection, table, after),
    close: () => connection.close(),
  };
}
