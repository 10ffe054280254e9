import type { EnrichmentParts, RecordedRefresh, RefreshBacklog, Settlement } from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import type { Database } from './database.ts';
import type { QueueRow } from './event-row.ts';
import type { Engine } from './sqlite-engine.ts';

/** Rows that one step of a count reads, which takes a few ms. */
const MAX_COUNTED_PER_STEP = 5_000;

/** Whether any event waits for a refresh or is pending because of one. */
export function isAnyRefresh(db: Database): boolean {
  return db.one('SELECT 1 FROM refreshes LIMIT 1') !== undefined;
}

/** The refresh that an event waits for, or is pending because of. */
export function refreshOf({ db, refreshes }: Engine, seq: number): RecordedRefresh | undefined {
  if (!refreshes.isAny) return undefined;
  const row = db.one('SELECT * FROM refreshes WHERE seq = ?', seq) as
    | Readonly<Record<'customer' | 'bill' | 'due_at' | 'attempts' | 'running', number>>
    | undefined;
  return (
    row && {
      customer: row.customer === 1,
      bill: row.bill === 1,
      dueAt: row.due_at,
      attempts: row.attempts,
      isRunning: row.running === 1,
    }
  );
}

/** An event that waits, with its lane. */
type Waiting = Pick<QueueRow, 'seq' | 'source' | 'destination' | 'lane'>;

interface Waited {
  /** Since when the event has been waiting. */
  readonly since: number;
  readonly attempts: number;
}

/** The event no longer waits, and is not pending because of a refresh. */
export function endRefresh({ db, refreshes }: Engine, seq: number): Waited | undefined {
  if (!refreshes.isAny) return undefined;
  return db.one('DELETE FROM refreshes WHERE seq = ? RETURNING since, attempts', seq) as Waited | undefined;
}

/**
 * Takes the customer's part from all events of a lane except one. Those that have no part left stop
 * waiting; a pending one stays until it is settled.
 * @returns since when the oldest of them has been waiting; Infinity if there were none
 */
function takeCustomer({ db }: Engine, destination: string, lane: string, except: number): number {
  const ended = db.all(
    `DELETE FROM refreshes WHERE lane = ? AND destination = ? AND seq <> ? AND bill = 0 AND running = 0
     RETURNING since`,
    lane,
    destination,
    except,
  ) as { since: number }[];
  const left = db.all(
    `UPDATE refreshes SET customer = 0, lane = NULL WHERE lane = ? AND destination = ? AND seq <> ?
     RETURNING since`,
    lane,
    destination,
    except,
  ) as { since: number }[];
  return Math.min(...[...ended, ...left].map(({ since }) => since));
}

function insertRefresh(
  engine: Engine,
  { seq, source, destination, lane }: Waiting,
  missing: EnrichmentParts & { readonly dueIn: number },
  { since, attempts }: Waited,
): void {
  engine.refreshes.isAny = true;
  engine.db.run(
    `INSERT INTO refreshes (seq, source, destination, lane, customer, bill, since, due_at, attempts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    source,
    destination,
    missing.customer ? lane : null,
    Number(missing.customer),
    Number(missing.bill),
    since,
    engine.now() + missing.dueIn,
    attempts,
  );
}

/** Records what a final settlement says about refreshes. */
export function settleRefresh(
  engine: Engine,
  row: QueueRow,
  { state, enrichment: { missing, refreshed } = {} }: Settlement,
): void {
  const { seq, destination, lane } = row;
  const waited = endRefresh(engine, seq);
  if (state !== 'delivered') return;
  const isCustomers = missing?.customer === true || refreshed?.customer === true;
  const taken =
    isCustomers && lane !== null && engine.refreshes.isAny
      ? takeCustomer(engine, destination, lane, seq)
      : Infinity;
  if (missing === undefined || !(missing.customer || missing.bill)) return;
  const now = engine.now();
  insertRefresh(engine, row, missing, {
    since: Math.min(waited?.since ?? now, missing.customer ? taken : now, now),
    attempts: waited === undefined ? 0 : waited.attempts + 1,
  });
}

/** A delivered event waits for a refresh of the customer's part from now on, as well as before. */
export function askForCustomer(engine: Engine, row: Waiting): void {
  const { seq, destination, lane } = row;
  const now = engine.now();
  const bill = refreshOf(engine, seq)?.bill ?? false;
  const { since, attempts } = endRefresh(engine, seq) ?? { since: now, attempts: 0 };
  const taken =
    lane !== null && engine.refreshes.isAny ? takeCustomer(engine, destination, lane, seq) : Infinity;
  const missing = { customer: true, bill, dueIn: 0 };
  insertRefresh(engine, row, missing, { since: Math.min(since, taken), attempts });
}

/** Follows the merge of two customers: the part of the newest event remains. */
export function mergeRefreshes(engine: Engine, destination: string, from: string, to: string): void {
  const { db, refreshes } = engine;
  if (!refreshes.isAny) return;
  db.run('UPDATE refreshes SET lane = ? WHERE lane = ? AND destination = ?', to, from, destination);
  const { newest } = db.one(
    'SELECT max(seq) AS newest FROM refreshes WHERE lane = ? AND destination = ?',
    to,
    destination,
  ) as { newest: number | null };
  if (newest === null) return;
  const taken = takeCustomer(engine, destination, to, newest);
  if (taken !== Infinity) db.run('UPDATE refreshes SET since = min(since, ?) WHERE seq = ?', taken, newest);
}

/** Follows a pending event to another destination, and to its lane there. */
export function moveRefresh(
  { db, refreshes }: Engine,
  seq: number,
  { destination, lane }: Pick<QueueRow, 'destination' | 'lane'>,
): void {
  if (!refreshes.isAny) return;
  db.run(
    'UPDATE refreshes SET destination = ?, lane = CASE customer WHEN 1 THEN ? END WHERE seq = ?',
    destination,
    lane,
    seq,
  );
}

/** Counts a part of the refreshes by route. */
export function refreshBacklog({ db }: Engine, { after }: RequestOf<'refreshes'>): AnswerOf<'refreshes'> {
  const rows = db.all(
    `SELECT source, destination, sum(customer) AS customers, sum(bill) AS bills, sum(running) AS running,
       min(since) AS oldestAt, count(*) AS found, max(seq) AS last
     FROM (SELECT * FROM refreshes WHERE seq > ? ORDER BY seq LIMIT ${MAX_COUNTED_PER_STEP})
     GROUP BY source, destination`,
    after,
  ) as (RefreshBacklog & { readonly found: number; readonly last: number })[];
  const backlogs = rows.map(({ found: _found, last: _last, ...backlog }) => backlog);
  const found = rows.reduce((sum, row) => sum + row.found, 0);
  if (found < MAX_COUNTED_PER_STEP) return { backlogs };
  return { backlogs, next: Math.max(...rows.map(({ last }) => last)) };
}
