import type { SQLInputValue } from 'node:sqlite';
import type { EventFilter } from '../journal.ts';
import type { Engine } from './engine.ts';
import { whereOf } from './filter.ts';
import type { Step, Stepped } from './protocol.ts';
import type { EventRow } from './rows.ts';

/*
 * Calls over many records look at the journal in stretches of positions, one stretch a step, and between two steps the worker serves whoever
 * waits. A stretch grows while steps are quick and shrinks when one is slow, so no index has to fit each filter.
 */
const QUICK_MS = 4;
const SLOW_MS = 16;
const MIN_SPAN = 256;

/** Positions in the first step of a scan. */
export const FIRST_SPAN = 4_096;

const paced = (span: number, ms: number): number => {
  if (ms < QUICK_MS) return span * 4;
  return ms > SLOW_MS ? Math.max(MIN_SPAN, Math.floor(span / 4)) : span;
};

const edges = ({ db }: Engine): { min: number; max: number } =>
  db.one(
    'SELECT coalesce((SELECT min(seq) FROM events), 1) AS min, coalesce((SELECT max(seq) FROM events), 0) AS max',
  ) as { min: number; max: number };

const select = (
  { db }: Engine,
  filter: EventFilter,
  stretch: { readonly from: number; readonly to: number },
  what: { readonly columns: string; readonly tail: string; readonly values: readonly SQLInputValue[] },
): unknown[] => {
  const where = whereOf(filter);
  // Prepared afresh: filters make too many texts to keep.
  return db.raw
    .prepare(
      `SELECT ${what.columns} FROM ${where.from} WHERE seq BETWEEN ? AND ? AND ${where.condition} ${what.tail}`,
    )
    .all(stretch.from, stretch.to, ...where.values, ...what.values);
};

/** The next rows of a scan from the newest to the oldest, up to `limit`. */
export const fall = (
  engine: Engine,
  filter: EventFilter,
  limit: number,
  step: Step,
): Stepped & { readonly rows: readonly EventRow[] } => {
  const begun = performance.now();
  const { min, max } = edges(engine);
  const to = Math.min((step.at ?? Number.MAX_SAFE_INTEGER) - 1, max);
  const from = to - step.span + 1;
  const rows = select(
    engine,
    filter,
    { from, to },
    { columns: '*', tail: 'ORDER BY seq DESC LIMIT ?', values: [limit] },
  ) as EventRow[];
  const span = paced(step.span, performance.now() - begun);
  return from <= min || rows.length >= limit ? { rows } : { rows, next: { at: from, span } };
};

/** How many there are in the next stretch, from the newest to the oldest. */
export const tally = (engine: Engine, filter: EventFilter, step: Step): Stepped & { readonly count: number } => {
  const begun = performance.now();
  const { min, max } = edges(engine);
  const to = Math.min((step.at ?? Number.MAX_SAFE_INTEGER) - 1, max);
  const from = to - step.span + 1;
  const [row] = select(engine, filter, { from, to }, { columns: 'count(*) AS n', tail: '', values: [] }) as {
    n: number;
  }[];
  const count = row?.n ?? 0;
  const span = paced(step.span, performance.now() - begun);
  return from <= min ? { count } : { count, next: { at: from, span } };
};

/** The next rows of a scan from the oldest to the newest that was there when it began, at most `limit` in a step. */
export const rise = (
  engine: Engine,
  filter: EventFilter,
  limit: number,
  step: Step,
): { readonly rows: readonly EventRow[]; readonly next: (begun: number) => Step | undefined } => {
  const { min, max } = edges(engine);
  const until = step.until ?? max;
  const from = Math.max(step.at ?? min, min);
  const to = Math.min(from + step.span - 1, until);
  const rows = select(
    engine,
    filter,
    { from, to },
    { columns: '*', tail: 'ORDER BY seq LIMIT ?', values: [limit] },
  ) as EventRow[];
  const last = rows.at(-1);
  return {
    rows,
    next: (begun) => {
      const span = paced(step.span, performance.now() - begun);
      if (last !== undefined && rows.length >= limit) return { at: last.seq + 1, span: step.span, until };
      return to >= until ? undefined : { at: to + 1, span, until };
    },
  };
};
