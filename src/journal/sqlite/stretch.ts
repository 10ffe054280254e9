import type { EventFilter } from '../journal.ts';
import type { Engine } from './engine.ts';
import { type ScanFilter, whereOf } from './filter.ts';
import type { Step, Stepped } from './protocol.ts';
import type { EventRow } from './rows.ts';

/*
 * Calls over many records look at the journal in stretches of positions, one stretch a step, and between two steps the worker serves whoever
 * waits. A stretch grows while steps are quick and shrinks when one is slow, so no index has to fit each filter.
 */
const QUICK_MS = 4;
const SLOW_MS = 16;
const MIN_SPAN = 256;

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Whether it ends where the scan does. */
  readonly last: boolean;
}

/** The oldest and the newest position; of an empty journal 1 and 0. */
export function edges({ db }: Engine): { min: number; max: number } {
  return db.one(
    'SELECT coalesce((SELECT min(seq) FROM events), 1) AS min, coalesce((SELECT max(seq) FROM events), 0) AS max',
  ) as { min: number; max: number };
}

function downwards(engine: Engine, step: Step): Stretch {
  const { min, max } = edges(engine);
  const to = Math.min((step.at ?? Number.MAX_SAFE_INTEGER) - 1, max);
  const from = to - step.span + 1;
  return { from, to, last: from <= min };
}

/** The rows of a stretch that the filter matches, and the span for the next one. */
function select(
  { db }: Engine,
  filter: ScanFilter,
  { from, to }: Stretch,
  what: { readonly columns: string; readonly tail: string; readonly span: number },
): { rows: unknown[]; span: number } {
  const begun = performance.now();
  const where = whereOf(filter, { from, to });
  // Prepared afresh: filters make too many texts to keep.
  const rows = db.raw
    .prepare(`SELECT ${what.columns} FROM ${where.from} WHERE ${where.condition} ${what.tail}`)
    .all(...where.values);
  const ms = performance.now() - begun;
  if (ms < QUICK_MS) return { rows, span: what.span * 4 };
  return { rows, span: ms > SLOW_MS ? Math.max(MIN_SPAN, Math.floor(what.span / 4)) : what.span };
}

/** The next rows of a scan from the newest to the oldest, at most `limit`. */
export function fall(
  engine: Engine,
  filter: EventFilter,
  limit: number,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[] } {
  const stretch = downwards(engine, step);
  const tail = `ORDER BY seq DESC LIMIT ${Math.trunc(limit)}`;
  const found = select(engine, filter, stretch, { columns: '*', tail, span: step.span });
  const rows = found.rows as EventRow[];
  return stretch.last || rows.length >= limit
    ? { rows }
    : { rows, next: { at: stretch.from, span: found.span } };
}

/** How many there are in the next stretch, from the newest to the oldest. */
export function tally(engine: Engine, filter: EventFilter, step: Step): Stepped & { readonly count: number } {
  const stretch = downwards(engine, step);
  const found = select(engine, filter, stretch, { columns: 'count(*) AS n', tail: '', span: step.span });
  const count = (found.rows as { n: number }[])[0]?.n ?? 0;
  return stretch.last ? { count } : { count, next: { at: stretch.from, span: found.span } };
}

/** The next rows of a scan from the oldest to the newest that was there when it began, at most `limit` in a step. */
export function rise(
  engine: Engine,
  filter: ScanFilter,
  limit: number,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[] } {
  const { min, max } = edges(engine);
  const until = step.until ?? max;
  const from = step.at ?? min;
  const to = Math.min(from + step.span - 1, until);
  const tail = `ORDER BY seq LIMIT ${Math.trunc(limit)}`;
  const stretch = { from, to, last: to >= until };
  const found = select(engine, filter, stretch, { columns: '*', tail, span: step.span });
  const rows = found.rows as EventRow[];
  const newest = rows.at(-1);
  if (newest !== undefined && rows.length >= limit)
    return { rows, next: { at: newest.seq + 1, span: step.span, until } };
  return stretch.last ? { rows } : { rows, next: { at: to + 1, span: found.span, until } };
}
