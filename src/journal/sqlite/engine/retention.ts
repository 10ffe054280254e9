import { statSync } from 'node:fs';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { overdue } from './claim.ts';
import { addCounts } from './counts.ts';
import type { Engine } from './sqlite-engine.ts';
import { keepSpansShort } from './span-upkeep.ts';
import { deleteExpired } from './quarantine-table.ts';
import { IS_LATE } from './sweep-schema.ts';
import {
  type Decision,
  isFinished,
  MAX_REMOVED_PER_STEP,
  type Range,
  removeBodies,
  removeRecords,
  rangesOf,
  sweep,
  type SweepStep,
  sweptUpTo,
  type SweptRow,
} from './sweeps.ts';

/** Free pages left in the file for new events, in addition to an eighth of its size. */
const SLACK_PAGES = 1_024;
/** Free pages that one step returns to the volume. */
const MAX_SHRINK_PAGES = 512;

/** Removes from a range, as a step that a crash test can interrupt. */
type Remove = (engine: Engine, range: Range) => number;

function interruptible(remove: Remove): Remove {
  return (engine, range) => {
    const removed = remove(engine, range);
    hitFailpoint('journal-retaining');
    return removed;
  };
}

const removeRetainedBodies = interruptible(removeBodies);
const removeRetainedRecords = interruptible(removeRecords);

/**
 * Removes the bodies of late events that were settled before `settledBefore`. The walk over the
 * records has to find them, or has passed them already.
 */
export function removeLateBodies(engine: Engine, settledBefore: number): number {
  const { db } = engine;
  const seqs = (
    db.all(
      `SELECT seq FROM events INDEXED BY events_late WHERE ${IS_LATE} AND settled_at <= ?
       ORDER BY settled_at LIMIT ${MAX_REMOVED_PER_STEP}`,
      settledBefore,
    ) as { seq: number }[]
  ).map(({ seq }) => seq);
  const records = sweptUpTo(engine, 'records');
  for (const range of rangesOf(seqs)) {
    if (range.from <= records) removeRetainedRecords(engine, { ...range, to: Math.min(range.to, records) });
    const from = Math.max(range.from, records + 1);
    if (from > range.to) continue;
    removeRetainedBodies(engine, { ...range, from });
    db.run('UPDATE events SET late = 0 WHERE seq BETWEEN ? AND ?', from, range.to);
  }
  return seqs.length;
}

/** Of an event that was received before `before`, or by a clock that was ahead. */
function isReceivedBefore({ received_at }: SweptRow, before: number, now: number): boolean {
  return received_at <= before || received_at > now;
}

function bodyDecision(now: number, age: number): (row: SweptRow) => Decision {
  return (row) => {
    if (isFinished(row) && row.late === 0 && (row.settled_at ?? now) <= now - age) return 'remove';
    if (!isReceivedBefore(row, now - age, now)) return 'stop';
    return isFinished(row) && row.late === 0 ? 'late' : 'skip';
  };
}

function recordDecision(now: number, age: number): (row: SweptRow) => Decision {
  return (row) => {
    if (!isReceivedBefore(row, now - age, now)) return 'stop';
    return isFinished(row) && row.late === 0 ? 'remove' : 'skip';
  };
}

/** Sweeps records older than `age`, whose identities are forgotten with them. */
export function sweepRecords(engine: Engine, now: number, age: number): SweepStep {
  return sweep(engine, {
    name: 'records',
    decide: recordDecision(now, age),
    remove: removeRetainedRecords,
  });
}

function removeDead(engine: Engine, settledBefore: number): number {
  const rows = engine.db.all(
    `SELECT seq FROM events INDEXED BY events_dead WHERE state = 'dead' AND settled_at <= ?
     ORDER BY settled_at LIMIT ${MAX_REMOVED_PER_STEP}`,
    settledBefore,
  ) as { seq: number }[];
  for (const range of rangesOf(rows.map(({ seq }) => seq))) removeRetainedRecords(engine, range);
  return rows.length;
}

function removeMalformed(engine: Engine, receivedBefore: number): number {
  const rows = engine.db.all(
    `SELECT seq, source FROM events INDEXED BY events_malformed WHERE state = 'malformed' AND received_at <= ?
     ORDER BY received_at LIMIT ${MAX_REMOVED_PER_STEP}`,
    receivedBefore,
  ) as { seq: number; source: string }[];
  for (const range of rangesOf(rows.map(({ seq }) => seq))) removeRetainedRecords(engine, range);
  for (const { source } of rows) addCounts(engine, source, { malformed: -1 });
  return rows.length;
}

function readPragma({ db }: Engine, name: string): number {
  return Number((db.one(`PRAGMA ${name}`) as Record<string, number>)[name]);
}

/** Returns some of the free pages to the volume; true if more can be returned. */
function shrinkFile(engine: Engine): boolean {
  const surplusPages = (): number =>
    readPragma(engine, 'freelist_count') - SLACK_PAGES - Math.floor(readPragma(engine, 'page_count') / 8);
  const surplus = surplusPages();
  if (surplus <= 0) return false;
  engine.db.raw.exec(`PRAGMA incremental_vacuum(${Math.min(surplus, MAX_SHRINK_PAGES)})`);
  return surplusPages() > 0;
}

/**
 * Deletes rows of requests to the inlet to which no remaining event can point: those before the
 * oldest of these was received.
 */
function removeRequests({ db }: Engine, before: number): number {
  const oldest = db.one('SELECT received_at AS at FROM events ORDER BY seq LIMIT 1') as
    | { at: number }
    | undefined;
  const bound = Math.min(oldest?.at ?? before, before);
  return db.run(
    `DELETE FROM requests WHERE id IN (
       SELECT id FROM (SELECT id, at FROM requests ORDER BY id LIMIT ${MAX_REMOVED_PER_STEP}) WHERE at < ?
     )`,
    bound,
  );
}

type Rule = (engine: Engine, policy: RequestOf<'retain'>, now: number) => Pick<SweepStep, 'removed' | 'more'>;

/** What a removal of at most MAX_REMOVED_PER_STEP rows has done. */
function bounded(removed: number): Pick<SweepStep, 'removed' | 'more'> {
  return { removed, more: removed >= MAX_REMOVED_PER_STEP };
}

/** In this order: the last one is carried out when the others have nothing left to do. */
const RULES: readonly Rule[] = [
  (engine, { delivered }, now) => bounded(removeLateBodies(engine, now - delivered)),
  (engine, { delivered }, now) =>
    sweep(engine, { name: 'bodies', decide: bodyDecision(now, delivered), remove: removeRetainedBodies }),
  (engine, { ids }, now) => sweepRecords(engine, now, ids),
  // Not before its identity may be forgotten, or a resend would be accepted as a new event.
  (engine, { dead, ids }, now) => bounded(removeDead(engine, now - Math.max(dead, ids))),
  (engine, { dead }, now) => bounded(removeMalformed(engine, now - dead)),
  (engine, { ids }, now) => bounded(removeRequests(engine, now - ids)),
  (engine, _, now) => bounded(deleteExpired(engine, now, MAX_REMOVED_PER_STEP)),
];

/** One step of what is due by its age. */
export function retain(engine: Engine, policy: RequestOf<'retain'>): AnswerOf<'retain'> {
  const now = engine.now();
  keepSpansShort(engine, now);
  let sum = 0;
  for (const rule of RULES) {
    const { removed, more } = rule(engine, policy, now);
    sum += removed;
    if (more || sum >= MAX_REMOVED_PER_STEP) return { removed: sum, more: true };
  }
  return { removed: sum, more: shrinkFile(engine) };
}

/** Stops copying into the file; see TableCommits. */
export function holdFile({ tables }: Engine): AnswerOf<'holdFile'> {
  return { handle: tables.hold() };
}

export function releaseFile({ tables }: Engine): void {
  tables.release();
}

/** Rewrites the format version with its current value, which writes the unchanged header page. */
export function probe(engine: Engine): void {
  engine.db.raw.exec(`PRAGMA user_version = ${readPragma(engine, 'user_version')}`);
}

/** Sizes: pages that are not free, and free ones. The logs, which are bounded, are gauges. */
export function status(engine: Engine): AnswerOf<'status'> {
  const wal = statSync(`${engine.db.raw.location()}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const free = readPragma(engine, 'freelist_count');
  const pageSize = readPragma(engine, 'page_size');
  return {
    usedBytes: (readPragma(engine, 'page_count') - free) * pageSize,
    freeInside: free * pageSize,
    owedBytes: engine.tables.owedBytes,
    ...(engine.failure === undefined ? {} : { failure: engine.failure }),
    overdue: overdue(engine),
    gauges: { walBytes: wal, intakeLogBytes: engine.log.bytes },
  };
}
