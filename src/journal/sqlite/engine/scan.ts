import type { EventFilter } from '../../journal.ts';
import type { Step, Stepped } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';
import { type Positions, type ScanFilter, toSql } from './filter-sql.ts';
import type { EventRow } from './rows.ts';

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

/** The columns and the order of a query, and the span of its range. */
interface Query {
  readonly columns: string;
  readonly tail: string;
  readonly span: number;
}

/** The size of what is read in one step. */
interface ReadLimit {
  /** Rows. */
  readonly limit: number;
  /** Bytes; a row that alone exceeds them is still read. */
  readonly maxBytes: number;
}

/** Bytes of a row besides its texts. */
const FIXED_ROW_BYTES = 500;

/** An upper limit for the texts of a row as JSON, in most cases close to it. */
function bytesOf({ event_name, event_id, detail, reason, traceparent }: EventRow): number {
  const texts = [event_name, event_id ?? '', detail ?? '', reason ?? '', traceparent ?? ''];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), FIXED_ROW_BYTES);
}

/** The span of the next range, if this one took so long. */
function nextSpan(span: number, ms: number): number {
  if (ms < FAST_STEP_MS) return span * 4;
  return ms > SLOW_STEP_MS ? Math.max(MIN_SPAN, Math.floor(span / 4)) : span;
}

/** The matching rows of a range, one by one. Not cached: there are too many different filters. */
function rowsOf({ db }: Engine, filter: ScanFilter, range: StepRange, query: Query): Iterable<unknown> {
  const where = toSql(filter, range);
  return db.raw
    .prepare(`SELECT ${query.columns} FROM ${where.from} WHERE ${where.condition} ${query.tail}`)
    .iterate(...where.values);
}

/** Reads rows up to the limit. Rows of an earlier version can be as large as a body. */
function readRows(
  engine: Engine,
  filter: ScanFilter,
  range: StepRange,
  query: Query & ReadLimit,
): { readonly rows: EventRow[]; readonly bytes: number; readonly isFull: boolean; readonly span: number } {
  const startedAt = performance.now();
  const rows: EventRow[] = [];
  let bytes = 0;
  for (const row of rowsOf(engine, filter, range, query) as Iterable<EventRow>) {
    rows.push(row);
    bytes += bytesOf(row);
    if (bytes >= query.maxBytes) break;
  }
  const isFull = rows.length >= query.limit || bytes >= query.maxBytes;
  return { rows, bytes, isFull, span: nextSpan(query.span, performance.now() - startedAt) };
}

/** The next rows of a scan from newest to oldest. */
export function scanDescending(
  engine: Engine,
  filter: EventFilter,
  size: ReadLimit,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[]; readonly bytes: number } {
  const range = descendingRange(engine, step);
  const tail = `ORDER BY seq DESC LIMIT ${Math.trunc(size.limit)}`;
  const query = { columns: '*', tail, span: step.span, ...size };
  const { rows, bytes, isFull, span } = readRows(engine, filter, range, query);
  return range.isLast || isFull ? { rows, bytes } : { rows, bytes, next: { at: range.from, span } };
}

/** Counts the matching rows of the next range, from newest to oldest. */
export function countRange(
  engine: Engine,
  filter: EventFilter,
  step: Step,
): Stepped & { readonly count: number } {
  const startedAt = performance.now();
  const range = descendingRange(engine, step);
  const [row] = rowsOf(engine, filter, range, { columns: 'count(*) AS n', tail: '', span: step.span });
  const count = (row as { readonly n: number } | undefined)?.n ?? 0;
  const span = nextSpan(step.span, performance.now() - startedAt);
  return range.isLast ? { count } : { count, next: { at: range.from, span } };
}

/** Bytes of the rows that one step of an ascending scan reads at most. */
const MAX_STEP_BYTES = 8 * 1_024 * 1_024;

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
  const query = { columns: '*', tail, span: step.span, limit, maxBytes: MAX_STEP_BYTES };
  const { rows, isFull, span } = readRows(engine, filter, range, query);
  const newest = rows.at(-1);
  if (newest !== undefined && isFull) return { rows, next: { at: newest.seq + 1, span: step.span, until } };
  return range.isLast ? { rows } : { rows, next: { at: to + 1, span, until } };
}
