import type { Engine } from './sqlite-engine.ts';
import { identityKey } from './index-keys.ts';
import { raiseMark } from './landing-state.ts';

/*
 * Removes bodies, records and details of settled events in ranges of positions: see
 * sweep-schema.ts. One statement for a range costs a fraction of one for each event.
 */

export type SweepName = 'bodies' | 'records' | 'details';

/** Events that one step removes from: some ms, which an append can wait for. */
export const MAX_REMOVED_PER_STEP = 300;
/** Events that one step reads. Most of a long backlog is read and left alone. */
const MAX_READ_PER_STEP = 4_096;
/** Estimate of what a removal changes in the pages of the file. */
const CHANGED_BYTES = 512;
/** Bytes of bodies that one step removes, because each page of a large one is visited. */
const MAX_BYTES_PER_STEP = 4 * 1_024 * 1_024;

/** The columns that decide about an event. */
export interface SweptRow {
  readonly seq: number;
  readonly state: string;
  readonly late: number;
  readonly received_at: number;
  readonly settled_at: number | null;
  readonly body_bytes: number;
}

/**
 * What becomes of an event: `remove` from it, `skip` it, mark it `late`, or `stop` in front of it.
 */
export type Decision = 'remove' | 'skip' | 'late' | 'stop';

/** Positions without a gap, both inclusive. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Positions as ranges of neighbours, in ascending order. */
export function rangesOf(seqs: readonly number[]): readonly Range[] {
  const ranges: { from: number; to: number }[] = [];
  for (const seq of seqs.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === seq - 1) last.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges;
}

export function sweptUpTo({ db }: Engine, name: SweepName): number {
  return (db.one('SELECT seq FROM swept WHERE name = ?', name) as { seq: number }).seq;
}

function setSwept({ db }: Engine, name: SweepName, seq: number): void {
  db.run('UPDATE swept SET seq = ? WHERE name = ?', seq, name);
}

/** Whether the body of an event is stored; the same as HAS_BODY. */
export function hasBody(
  engine: Engine,
  row: Pick<SweptRow, 'seq' | 'state' | 'late'> & { readonly kept: number },
): boolean {
  if (row.kept === 0) return false;
  return row.late === 1 || !isFinished(row) || row.seq > sweptUpTo(engine, 'bodies');
}

/** True for a settled event that the walk may remove from, unless it is late. */
export function isFinished({ state }: Pick<SweptRow, 'state'>): boolean {
  return state === 'delivered' || state === 'ignored';
}

interface Walk {
  readonly ranges: readonly Range[];
  readonly late: readonly number[];
  /** Number of events in the ranges. */
  readonly found: number;
  /** The last position that was read and not stopped at. */
  readonly end: number;
  /** Whether more events may follow. */
  readonly more: boolean;
}

function walk({ db }: Engine, after: number, until: number, decide: (row: SweptRow) => Decision): Walk {
  const ranges: { from: number; to: number }[] = [];
  const late: number[] = [];
  let [found, bytes, end, read] = [0, 0, after, 0];
  const rows = db
    .sql(
      `SELECT seq, state, late, received_at, settled_at, body_bytes FROM events NOT INDEXED
       WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${MAX_READ_PER_STEP}`,
    )
    .iterate(after, until) as Iterable<unknown> as Iterable<SweptRow>;
  let isOpen = false;
  for (const row of rows) {
    const decision = decide(row);
    if (decision === 'stop') return { ranges, late, found, end, more: false };
    if (decision === 'late') late.push(row.seq);
    const last = ranges.at(-1);
    // Gaps between positions are ranges too: nothing is there to be kept.
    if (decision === 'remove' && isOpen && last !== undefined) last.to = row.seq;
    else if (decision === 'remove') ranges.push({ from: row.seq, to: row.seq });
    isOpen = decision === 'remove';
    read += 1;
    end = row.seq;
    if (!isOpen) continue;
    found += 1;
    bytes += row.body_bytes;
    if (found >= MAX_REMOVED_PER_STEP || bytes >= MAX_BYTES_PER_STEP)
      return { ranges, late, found, end, more: true };
  }
  return { ranges, late, found, end, more: read === MAX_READ_PER_STEP };
}

export function removeBodies({ db }: Engine, { from, to }: Range): number {
  db.run('DELETE FROM sent WHERE seq BETWEEN ? AND ?', from, to);
  db.run('DELETE FROM entities WHERE seq BETWEEN ? AND ?', from, to);
  return db.run('DELETE FROM bodies WHERE seq BETWEEN ? AND ?', from, to);
}

/** The tables with rows of one event each. */
export const CHILD_TABLES = [
  'bodies',
  'attempts',
  'sent',
  'actions',
  'notes',
  'differing_copies',
  'entities',
  'refreshes',
  'doubts',
  'watched',
] as const;

/** Deletes complete records and forgets their identities. */
export function removeRecords({ db, indexes, now }: Engine, { from, to }: Range): number {
  const known = db.all(
    'SELECT seq, identity, received_at FROM events WHERE seq BETWEEN ? AND ? AND identity IS NOT NULL',
    from,
    to,
  ) as { seq: number; identity: Uint8Array; received_at: number }[];
  let newest = 0;
  for (const { seq, identity, received_at } of known) {
    indexes.identities.delete(identityKey(identity), seq);
    newest = Math.max(newest, received_at);
  }
  // By a clock that was ahead it could be in the future.
  if (newest > 0) raiseMark(db, 'known-since', Math.min(newest, now()) + 1);
  // The foreign keys would find the rows of one event after the other.
  for (const table of CHILD_TABLES) db.run(`DELETE FROM ${table} WHERE seq BETWEEN ? AND ?`, from, to);
  return db.run('DELETE FROM events WHERE seq BETWEEN ? AND ?', from, to);
}

/** Deletes what a record has beyond what identifies the event and says what became of it. */
export function removeDetails({ db }: Engine, { from, to }: Range): number {
  for (const table of ['attempts', 'notes', 'refreshes'])
    db.run(`DELETE FROM ${table} WHERE seq BETWEEN ? AND ?`, from, to);
  return db.run(
    `UPDATE events SET lane = NULL, own_lane = NULL, customer_id = NULL, event_id = NULL,
       created_at = NULL, detail = NULL, traceparent = NULL, sent_in = NULL WHERE seq BETWEEN ? AND ?`,
    from,
    to,
  );
}

export interface Sweep {
  readonly name: SweepName;
  readonly decide: (row: SweptRow) => Decision;
  readonly remove: (engine: Engine, range: Range) => number;
}

export interface SweepStep {
  readonly removed: number;
  /** Whether another step may remove more. */
  readonly more: boolean;
}

/** One step of a walk. Records and details follow the bodies and never overtake them. */
export function sweep(engine: Engine, { name, decide, remove }: Sweep): SweepStep {
  const start = sweptUpTo(engine, name);
  const until = name === 'bodies' ? Number.MAX_SAFE_INTEGER : sweptUpTo(engine, 'bodies');
  const { ranges, late, found, end, more } = walk(engine, start, until, decide);
  let removed = 0;
  for (const range of ranges) removed += remove(engine, range);
  engine.tables.noteChange(found * CHANGED_BYTES);
  for (const seq of late) engine.db.run('UPDATE events SET late = 1 WHERE seq = ?', seq);
  if (end > start) setSwept(engine, name, end);
  return { removed, more };
}
