import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { HAS_BODY } from '../sqlite/engine/sweep-schema.ts';
import { openStoppedStore } from '../sqlite/offline/stopped-store.ts';
import {
  type CopiedDoubt,
  type CopiedEvent,
  type CopiedRefresh,
  type CopiedRow,
  type CopySource,
  SIDE_TABLE_NAMES,
  SIDE_TABLES,
  type SideTable,
  STEP_BYTES,
  STEP_ROWS,
  type StoreAccount,
  SUMMED_COLUMNS,
} from './copied-rows.ts';

/** Where a table is not the same in SQLite: a relation with the columns of the copy. */
const RELATIONS: Partial<Record<SideTable, string>> = {
  contact_totals: 'contact_scopes',
  contacts: `(SELECT s.destination, c.key, c.customer FROM contacts c JOIN contact_scopes s ON s.id = c.scope)`,
  // Jobs of PostgreSQL go through the events in the order of their receipts.
  replay_jobs: `(SELECT j.*,
    CASE WHEN finished_at IS NULL THEN (SELECT max(receipt) FROM events WHERE seq < j.next_seq) END AS next,
    CASE WHEN finished_at IS NULL THEN (SELECT max(receipt) FROM events WHERE seq <= j.until_seq) END AS until
    FROM replay_jobs j)`,
  spans: `(SELECT * FROM spans WHERE ${SIDE_TABLES.spans.columns
    .slice(SIDE_TABLES.spans.key.length)
    .map((column) => `${column} <> 0`)
    .join(' OR ')})`,
  landings: '(SELECT * FROM landings WHERE landed <> 0 OR refused_later <> 0)',
  // What was delivered before the relay counted is in no span.
  marks: `(SELECT name, at FROM marks UNION ALL
    SELECT 'spans-since', coalesce((SELECT max(settled_at) + 1 FROM events WHERE state = 'delivered'), 0)
    WHERE NOT EXISTS (SELECT 1 FROM marks WHERE name = 'spans-since'))`,
};

export function relationOf(table: SideTable): string {
  return RELATIONS[table] ?? table;
}

type NumberRow = Readonly<Record<string, string | number>>;

/** Rows by the text of a column; their other columns are numbers. */
function keyed<T>(rows: readonly NumberRow[], key: string): Record<string, T> {
  return Object.fromEntries(rows.map(({ [key]: name, ...counts }) => [String(name), counts as T]));
}

/** What both directions count. @param db with everything committed */
export function accountOf(db: DatabaseSync): StoreAccount {
  const all = (sql: string): NumberRow[] => db.prepare(sql).all() as NumberRow[];
  const rows: Record<string, number> = {};
  const count = (name: string, more: string | number | undefined): void => {
    rows[name] = (rows[name] ?? 0) + Number(more);
  };
  for (const { source, destination, state, n, bodies } of all(
    `SELECT source, destination, state, count(*) AS n, sum(${HAS_BODY}) AS bodies FROM events GROUP BY 1, 2, 3`,
  )) {
    count(`events ${source} ${destination} ${state}`, n);
    count('bodies', bodies);
  }
  for (const table of [
    'attempts',
    'sent',
    'actions',
    'differing_copies',
    'notes',
    'entities',
    'refreshes',
    'doubts',
    'watched',
  ])
    count(table, all(`SELECT count(*) AS n FROM ${table}`)[0]?.['n']);
  for (const table of SIDE_TABLE_NAMES)
    count(table, all(`SELECT count(*) AS n FROM ${relationOf(table)}`)[0]?.['n']);
  for (const [table, columns] of Object.entries(SUMMED_COLUMNS))
    for (const column of columns)
      count(`${table} (${column})`, all(`SELECT coalesce(sum(${column}), 0) AS n FROM ${table}`)[0]?.['n']);
  return {
    ledger: keyed(all('SELECT * FROM counts'), 'source'),
    backlog: keyed(all('SELECT * FROM backlog'), 'destination'),
    rows,
  };
}

type ComputedFields = 'isReplay' | 'isPinned' | 'sentIn' | 'body' | 'refresh' | 'doubt' | 'isWatched';

interface SourceRow extends Omit<CopiedEvent, ComputedFields> {
  readonly head: number;
  readonly replay: number;
  readonly sent_in: string | null;
  readonly stored: Uint8Array | null;
}

const EVENTS = `SELECT e.*, CASE WHEN ${HAS_BODY} THEN (SELECT body FROM bodies b WHERE b.seq = e.seq) END AS stored,
    (SELECT json FROM notes n WHERE n.seq = e.seq) AS notes,
    (SELECT json FROM entities f WHERE f.seq = e.seq) AS entities
  FROM events e WHERE seq > ? AND seq <= ? ORDER BY seq`;

const CHILDREN = {
  attempts: `SELECT seq, at, kind, outcome, status, detail, xaction_id, duration_ms, batch_size FROM attempts
    WHERE seq > ? AND seq <= ? ORDER BY seq, n`,
  sent: 'SELECT seq, kind, json FROM sent WHERE seq > ? AND seq <= ? ORDER BY seq, id',
  actions: 'SELECT seq, at, by, action FROM actions WHERE seq > ? AND seq <= ? ORDER BY seq, id',
  refresh: `SELECT seq, lane, customer, bill, since, due_at, attempts, running FROM refreshes
    WHERE seq > ? AND seq <= ?`,
  doubt: 'SELECT seq, code, detail, at FROM doubts WHERE seq > ? AND seq <= ?',
  watched: 'SELECT seq FROM watched WHERE seq > ? AND seq <= ?',
  differing: 'SELECT seq, copies, last_at FROM differing_copies WHERE seq > ? AND seq <= ?',
} as const;

function refreshOf(row: CopiedRow | undefined): CopiedRefresh | undefined {
  if (row === undefined) return undefined;
  const { customer, bill, running } = row;
  const columns = row as unknown as CopiedRefresh;
  return { ...columns, customer: customer === 1, bill: bill === 1, running: running === 1 };
}

/** Heads of lanes that have older events behind them. */
function pinnedHeads(db: DatabaseSync): ReadonlySet<number> {
  const rows = db
    .prepare(
      `SELECT max(CASE head WHEN 1 THEN seq END) AS pinned, min(seq) AS oldest FROM events
       WHERE state = 'pending' AND lane IS NOT NULL GROUP BY lane, destination, replay HAVING pinned > oldest`,
    )
    .all();
  return new Set(rows.map(({ pinned }) => Number(pinned)));
}

/** The last position of a step. */
function endOfStep(db: DatabaseSync, after: number): number {
  let bytes = 0;
  let end = after;
  const sizes = db.prepare('SELECT seq, body_bytes FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
  for (const { seq, body_bytes } of sizes.iterate(after, STEP_ROWS)) {
    bytes += Number(body_bytes);
    if (bytes > STEP_BYTES && end > after) break;
    end = Number(seq);
  }
  return end;
}

function readEvents(db: DatabaseSync, after: number, pinned: ReadonlySet<number>): CopiedEvent[] {
  const end = endOfStep(db, after);
  const childrenOf = (sql: string): Map<number, CopiedRow[]> => {
    const bySeq = new Map<number, CopiedRow[]>();
    for (const { seq, ...row } of db.prepare(sql).all(after, end)) {
      const list = bySeq.get(Number(seq)) ?? [];
      list.push(row as CopiedRow);
      bySeq.set(Number(seq), list);
    }
    return bySeq;
  };
  const attempts = childrenOf(CHILDREN.attempts);
  const sent = childrenOf(CHILDREN.sent);
  const actions = childrenOf(CHILDREN.actions);
  const differing = childrenOf(CHILDREN.differing);
  const refreshes = childrenOf(CHILDREN.refresh);
  const doubts = childrenOf(CHILDREN.doubt);
  const watched = childrenOf(CHILDREN.watched);
  return (db.prepare(EVENTS).all(after, end) as unknown as SourceRow[]).map((row) => ({
    ...row,
    state: row.state,
    isReplay: row.replay === 1,
    isPinned: pinned.has(row.seq),
    sentIn: row.sent_in,
    body: row.stored,
    attempts: attempts.get(row.seq) ?? [],
    sent: sent.get(row.seq) ?? [],
    actions: actions.get(row.seq) ?? [],
    differing: differing.get(row.seq)?.[0],
    refresh: refreshOf(refreshes.get(row.seq)?.[0]),
    doubt: doubts.get(row.seq)?.[0] as CopiedDoubt | undefined,
    isWatched: watched.has(row.seq),
  }));
}

function readRows(db: DatabaseSync, table: SideTable, after: readonly (string | number)[]): CopiedRow[] {
  const { columns, key } = SIDE_TABLES[table];
  const from = after.length === 0 ? '' : `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`;
  const rows = db
    .prepare(
      `SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM ${relationOf(table)} ${from}
       ORDER BY ${key.join(', ')} LIMIT ${STEP_ROWS}`,
    )
    .all(...after) as unknown as CopiedRow[];
  if (table === 'quarantine')
    return rows.map((row) => ({ ...row, reasons: JSON.parse(String(row['reasons'])) as string[] }));
  return table === 'replay_jobs' ? rows.map((row) => ({ ...row, as_new: row['as_new'] === 1 })) : rows;
}

/**
 * The store of a stopped relay, which no relay can open before `close`.
 * @throws StoreError if there is none, a relay is running on it, it has another format, or accepted
 *   events are only in its intake log
 */
export function openSqliteSource(path: string): CopySource {
  const { db, close } = openStoppedStore(path);
  let pinned: ReadonlySet<number> | undefined;
  const state = (sql: string): unknown => db.prepare(sql).all();
  return {
    name: `the store in ${path}`,
    fingerprint: async () =>
      createHash('sha256')
        .update(
          JSON.stringify([
            state('SELECT * FROM counts ORDER BY source'),
            state('SELECT * FROM backlog ORDER BY destination'),
            state('SELECT * FROM sqlite_sequence ORDER BY name'),
            state('SELECT * FROM swept ORDER BY name'),
            state('SELECT min(receipt), max(receipt), count(*) FROM events'),
            state('SELECT position, is_closed FROM intake_log'),
            state('SELECT * FROM pauses ORDER BY destination'),
            state('SELECT * FROM landings ORDER BY source'),
            state('SELECT * FROM confirmed ORDER BY destination, from_at'),
            state('SELECT * FROM doubts ORDER BY seq'),
            state('SELECT * FROM reconciliation_notes ORDER BY scope, key'),
          ]),
        )
        .digest('hex'),
    account: async () => accountOf(db),
    events: async (after) => readEvents(db, after, (pinned ??= pinnedHeads(db))),
    rows: async (table, after) => readRows(db, table, after),
    close: async () => close(),
  };
}
