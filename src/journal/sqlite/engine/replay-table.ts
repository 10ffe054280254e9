import type { EventFilter, ReplayJob, ReplayRequest } from '../../journal.ts';
import {
  MAX_CHANGES_PER_STEP,
  replayedAction,
  suffixAfterReplay,
  withStates,
} from '../../operator-actions.ts';
import {
  type JobScope,
  MAX_FINISHED_JOBS,
  REPLAYED_STATES,
  type ReplayJobColumns,
  scopeOf,
  scopeToStore,
  toReplayJob,
  withoutHiddenFields,
} from '../../replay-scope.ts';
import { type AnswerOf, FIRST_STEP, type RequestOf, type Step } from './calls.ts';
import type { Engine } from './sqlite-engine.ts';
import { recordAction } from './operator-changes.ts';
import { isReadable } from '../../payload-cipher.ts';
import { endRefresh } from './refresh-table.ts';
import { requeue } from './requeue.ts';
import type { EventRow } from './rows.ts';
import { scanAscending, seqBounds } from './scan.ts';
import { hasBody } from './sweeps.ts';

/** A row of `replay_jobs`. */
interface JobRow extends ReplayJobColumns {
  readonly as_new: number;
  /** The complete filter, encrypted; deleted when the job has finished. */
  readonly filter: Uint8Array | null;
  readonly next_seq: number;
  readonly until_seq: number;
  readonly span: number;
}

/** Positions that a job covers: up to the newest event now, or only around the given receipts. */
function boundsOf(engine: Engine, { receipts }: EventFilter): { min: number; max: number } {
  if (receipts === undefined) return seqBounds(engine);
  return engine.db.one(
    `SELECT coalesce(min(seq), 1) AS min, coalesce(max(seq), 0) AS max FROM events INDEXED BY events_receipt
     WHERE receipt IN (SELECT value FROM json_each(?))`,
    JSON.stringify(receipts),
  ) as { min: number; max: number };
}

function jobById({ db }: Engine, id: number | bigint): JobRow | undefined {
  return db.one('SELECT * FROM replay_jobs WHERE id = ?', id) as JobRow | undefined;
}

function createJob(engine: Engine, request: ReplayRequest): JobRow {
  const { filter } = request;
  const { min, max } = boundsOf(engine, filter);
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO replay_jobs (at, by, as_new, shown, filter, next_seq, until_seq, span)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      engine.now(),
      request.by,
      request.asNew ? 1 : 0,
      JSON.stringify(withoutHiddenFields(filter)),
      engine.cipher.encrypt(scopeToStore(request)),
      min,
      max,
      FIRST_STEP.span,
    );
  return jobById(engine, lastInsertRowid) as JobRow;
}

function finish({ db, now }: Engine, id: number): void {
  db.run('UPDATE replay_jobs SET finished_at = ?, filter = NULL WHERE id = ?', now(), id);
  db.run('DELETE FROM replay_jobs WHERE id <= ? AND finished_at IS NOT NULL', id - MAX_FINISHED_JOBS);
}

/**
 * Undefined if the job has finished, or if its filter cannot be read: without its key the job waits
 * for the next start, and with a damaged filter it ends.
 */
function scopeOfJob(engine: Engine, { id, filter }: JobRow): JobScope | undefined {
  if (filter === null) return undefined;
  const plain = engine.cipher.decrypt(filter);
  if (isReadable(plain)) return scopeOf(plain);
  engine.reportUnreadable(`the filter of replay ${id}`, plain);
  if (plain === 'damaged') finish(engine, id);
  return undefined;
}

/**
 * Records the result of a step and the start of the next one; without `next` the job is finished.
 */
function advanceJob(
  engine: Engine,
  { id }: JobRow,
  result: {
    readonly matched: number;
    readonly replayed: number;
    readonly next: Step | undefined;
  },
): void {
  engine.db.run(
    `UPDATE replay_jobs SET matched = matched + ?, replayed = replayed + ?,
       next_seq = coalesce(?, next_seq), span = coalesce(?, span) WHERE id = ?`,
    result.matched,
    result.replayed,
    result.next?.at ?? null,
    result.next?.span ?? null,
    id,
  );
  if (result.next === undefined) finish(engine, id);
}

/** All unfinished jobs and the most recently finished ones, newest first. */
export function replays({ db }: Engine): readonly ReplayJob[] {
  const rows = db.all('SELECT * FROM replay_jobs ORDER BY id DESC') as JobRow[];
  return rows.map((row) => toReplayJob(row, row.as_new === 1));
}

function replayOne(engine: Engine, row: EventRow, job: JobRow, { routes, refetch }: JobScope): void {
  const asNew = job.as_new === 1;
  endRefresh(engine, row.seq);
  requeue(engine, row, {
    dueAt: job.at,
    destination: routes[row.source] ?? row.destination,
    idSuffix: suffixAfterReplay(row.id_suffix, asNew),
    replays: row.replays + 1,
  });
  const action = replayedAction(asNew, refetch);
  recordAction(engine, row.seq, { at: job.at, by: job.by, action });
}

/**
 * One step of a job. The job advances in the same transaction as the events, so that it processes
 * each event once, even after a crash.
 */
function runStep(engine: Engine, job: JobRow): AnswerOf<'replayStep'> {
  const { id, replayed } = job;
  const scope = scopeOfJob(engine, job);
  if (job.finished_at !== null || scope === undefined) return { id, replayed, more: false };
  // Ascending, so that the oldest event of a lane becomes its head.
  const settled = withStates(scope.filter, REPLAYED_STATES);
  const step = { at: job.next_seq, span: job.span, until: job.until_seq };
  const { rows, next } = scanAscending(engine, settled, MAX_CHANGES_PER_STEP, step);
  const replayable = rows.filter((row) => hasBody(engine, row));
  engine.frontiers.reset();
  for (const row of replayable) replayOne(engine, row, job, scope);
  advanceJob(engine, job, { matched: rows.length, replayed: replayable.length, next });
  return { id, replayed: replayed + replayable.length, more: next !== undefined };
}

/** Starts a replay and runs its first step. */
export function replay(engine: Engine, request: RequestOf<'replay'>): AnswerOf<'replay'> {
  return runStep(engine, createJob(engine, request));
}

/** Continues a replay. */
export function replayStep(engine: Engine, id: RequestOf<'replayStep'>): AnswerOf<'replayStep'> {
  const job = jobById(engine, id);
  return job === undefined ? { id, replayed: 0, more: false } : runStep(engine, job);
}
