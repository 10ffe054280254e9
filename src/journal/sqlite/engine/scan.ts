import type { SQLInputValue } from 'node:sqlite';
import type { EventFilter, EventState } from '../../journal.ts';
import type { Step, Stepped } from './calls.ts';
import type { Engine } from './engine.ts';
import type { EventRow } from './rows.ts';

/*
 * Lookup indexes are ordered by block of 512 positions first, and within a block by the value, for
 * example `(seq >> 9, customer_id)`. An append therefore writes to the few pages of the newest
 * block, whereas an index on the value alone would write a random page for each event. A lookup
 * searches each block, which takes some µs per block.
 */

/** Positions are grouped into blocks of 2^9; the indexes in migrations.ts use the same number. */
const BLOCK_BITS = 9;

/** SQL for the block of an event, exactly as in the indexes. */
export const BLOCK_SQL = `seq >> ${BLOCK_BITS}`;

/** SQL for all blocks with events between two positions, which are its two parameters. */
export const BLOCKS_SQL = `(
  WITH RECURSIVE ends (first, last) AS (
    SELECT (SELECT min(seq) FROM events WHERE seq >= ?) >> ${BLOCK_BITS},
      (SELECT max(seq) FROM events WHERE seq <= ?) >> ${BLOCK_BITS}
  ), block (n) AS (
    SELECT first FROM ends UNION ALL SELECT n + 1 FROM block, ends WHERE n < last
  ) SELECT n FROM block
)`;

/** The parameters of BLOCKS_SQL that select every block. */
export const ALL_POSITIONS = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;

/** SQL for the events of a lane; its index holds the first 8 characters only. */
export function laneEquals(lane: string): string {
  return `substr(lane, 1, 8) = substr(${lane}, 1, 8) AND lane = ${lane}`;
}

/**
 * SQL for the events with an event id, a parameter given twice; its index holds the last 12
 * characters.
 */
export const EVENT_ID_EQUALS = 'substr(event_id, -12) = substr(?, -12) AND event_id = ?';

/** A filter as SQL: the table with the index to use, and the condition. */
export interface SqlFilter {
  readonly from: string;
  readonly condition: string;
  readonly values: readonly SQLInputValue[];
}

interface Positions {
  readonly from: number;
  readonly to: number;
}

/** Adds what only the engine's own scans filter by. */
export interface ScanFilter extends EventFilter {
  readonly notDestination?: string;
}

/*
 * The index is chosen here and not by the query planner, which has no statistics and cannot know
 * that an event id is more selective than a source. Each index starts with the block or ends with
 * the position, so a step can search a range of positions.
 */
function indexFor(filter: EventFilter): { readonly table: string; readonly byBlock?: true } {
  if (filter.receipts !== undefined) return { table: 'events INDEXED BY events_receipt' };
  if (filter.eventId !== undefined) return { table: 'events INDEXED BY events_event_id', byBlock: true };
  if (filter.customerId !== undefined) return { table: 'events INDEXED BY events_customer', byBlock: true };
  if (filter.states !== undefined) return { table: 'events INDEXED BY events_state' };
  return { table: 'events NOT INDEXED' };
}

const LISTS = { receipts: 'receipt', states: 'state' } as const;
const EQUALS = {
  source: 'source',
  destination: 'destination',
  eventName: 'event_name',
  reason: 'reason',
  customerId: 'customer_id',
} as const;
const BOUNDS = { since: 'received_at >= ?', until: 'received_at < ?' } as const;

/**
 * Converts a filter and a range of positions to SQL. Values from callers are bound, never embedded.
 */
export function toSql(filter: ScanFilter, { from, to }: Positions): SqlFilter {
  const { table, byBlock = false } = indexFor(filter);
  const terms = ['seq BETWEEN ? AND ?'];
  const values: SQLInputValue[] = [from, to];
  if (byBlock) {
    terms.push(`${BLOCK_SQL} IN ${BLOCKS_SQL}`);
    values.push(from, to);
  }
  const add = (term: string, value: SQLInputValue): void => {
    terms.push(term);
    values.push(value);
  };
  for (const key of ['receipts', 'states'] as const) {
    const list = filter[key];
    if (list !== undefined) add(`${LISTS[key]} IN (SELECT value FROM json_each(?))`, JSON.stringify(list));
  }
  if (filter.eventId !== undefined) {
    terms.push(EVENT_ID_EQUALS);
    values.push(filter.eventId, filter.eventId);
  }
  for (const key of ['source', 'destination', 'eventName', 'reason', 'customerId'] as const) {
    const value = filter[key];
    if (value !== undefined) add(`${EQUALS[key]} = ?`, value);
  }
  if (filter.hasBody !== undefined) add('kept = ?', filter.hasBody ? 1 : 0);
  if (filter.notDestination !== undefined) add('destination <> ?', filter.notDestination);
  for (const key of ['since', 'until'] as const) {
    const value = filter[key];
    if (value !== undefined) add(BOUNDS[key], value);
  }
  return { from: table, condition: terms.join(' AND '), values };
}

/** The filter restricted to these states. */
export function withStates(filter: EventFilter, states: readonly EventState[]): EventFilter {
  return {
    ...filter,
    states: filter.states === undefined ? states : states.filter((state) => filter.states?.includes(state)),
  };
}

/*
 * Calls over many records scan the journal in ranges of positions, one range per step. Between two
 * steps the worker serves other calls. The span of a range grows while steps are fast and shrinks
 * when one is slow, so that not every filter needs an index.
 */
const FAST_STEP_MS = 4;
const SLOW_STEP_MS = 16;
const MIN_SPAN = 256;

interface StepRange extends Positions {
  /** Whether the scan ends with this range. */
  readonly isLast: boolean;
}

/** The oldest and the newest position; 1 and 0 for an empty journal. */
export function seqBounds({ db }: Engine): { min: number; max: number } {
  return db.one(
    `SELECT coalesce((SELECT min(seq) FROM events), 1) AS min,
       coalesce((SELECT max(seq) FROM events), 0) AS max`,
  ) as { min: number; max: number };
}

function descendingRange(engine: Engine, step: Step): StepRange {
  const { min, max } = seqBounds(engine);
  const to = Math.min((step.at ?? Number.MAX_SAFE_INTEGER) - 1, max);
  const from = to - step.span + 1;
  return { from, to, isLast: from <= min };
}

/** The matching rows of a range, and the span for the next range. */
function select(
  { db }: Engine,
  filter: ScanFilter,
  range: StepRange,
  query: { readonly columns: string; readonly tail: string; readonly span: number },
): { rows: unknown[]; span: number } {
  const startedAt = performance.now();
  const where = toSql(filter, range);
  // Not cached: there are too many different filters.
  const rows = db.raw
    .prepare(`SELECT ${query.columns} FROM ${where.from} WHERE ${where.condition} ${query.tail}`)
    .all(...where.values);
  const ms = performance.now() - startedAt;
  if (ms < FAST_STEP_MS) return { rows, span: query.span * 4 };
  return { rows, span: ms > SLOW_STEP_MS ? Math.max(MIN_SPAN, Math.floor(query.span / 4)) : query.span };
}

/** The next rows of a scan from newest to oldest, at most `limit`. */
export function scanDescending(
  engine: Engine,
  filter: EventFilter,
  limit: number,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[] } {
  const range = descendingRange(engine, step);
  const tail = `ORDER BY seq DESC LIMIT ${Math.trunc(limit)}`;
  const found = select(engine, filter, range, { columns: '*', tail, span: step.span });
  const rows = found.rows as EventRow[];
  return range.isLast || rows.length >= limit
    ? { rows }
    : { rows, next: { at: range.from, span: found.span } };
}

/** Counts the matching rows of the next range, from newest to oldest. */
export function countRange(
  engine: Engine,
  filter: EventFilter,
  step: Step,
): Stepped & { readonly count: number } {
  const range = descendingRange(engine, step);
  const found = select(engine, filter, range, { columns: 'count(*) AS n', tail: '', span: step.span });
  const count = (found.rows as { n: number }[])[0]?.n ?? 0;
  return range.isLast ? { count } : { count, next: { at: range.from, span: found.span } };
}

/**
 * The next rows, at most `limit`, of a scan from the oldest event to the one that was newest when
 * the scan started.
 */
export function scanAscending(
  engine: Engine,
  filter: ScanFilter,
  limit: number,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[] } {
  const { min, max } = seqBounds(engine);
  const until = step.until ?? max;
  const from = step.at ?? min;
  const to = Math.min(from + step.span - 1, until);
  const tail = `ORDER BY seq LIMIT ${Math.trunc(limit)}`;
  const range = { from, to, isLast: to >= until };
  const found = select(engine, filter, range, { columns: '*', tail, span: step.span });
  const rows = found.rows as EventRow[];
  const newest = rows.at(-1);
  if (newest !== undefined && rows.length >= limit)
    return { rows, next: { at: newest.seq + 1, span: step.span, until } };
  return range.isLast ? { rows } : { rows, next: { at: to + 1, span: found.span, until } };
}
