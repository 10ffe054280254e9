import type { EventFilter, HiddenPart, ReplayJob, ReplayRequest } from '../journal.ts';
import type { Engine } from './engine.ts';
import { FIRST_STEP, type Step } from './protocol.ts';
import { edges } from './stretch.ts';

/** Finished jobs that are kept for operators to see. */
const KEPT_JOBS = 100;

/** A row of `replay_jobs`. */
export interface JobRow {
  readonly id: number;
  readonly at: number;
  readonly by: string;
  readonly as_new: number;
  /** JSON of what may be shown of the filter. */
  readonly shown: string;
  /** The whole filter, sealed; gone when the job has finished. */
  readonly filter: Uint8Array | null;
  readonly next_seq: number;
  readonly until_seq: number;
  readonly span: number;
  readonly matched: number;
  readonly replayed: number;
  readonly finished_at: number | null;
}

type Shown = Pick<ReplayJob, 'filter' | 'narrowedBy'>;

const HIDDEN: readonly HiddenPart[] = ['receipts', 'eventId', 'customerId'];

function shownOf(whole: EventFilter): Shown {
  const { receipts: _receipts, eventId: _eventId, customerId: _customerId, ...filter } = whole;
  return { filter, narrowedBy: HIDDEN.filter((part) => whole[part] !== undefined) };
}

/** The positions that a job looks at: up to the newest event there is now, or just where the named receipts are. */
function boundsOf(engine: Engine, { receipts }: EventFilter): { min: number; max: number } {
  if (receipts === undefined) return edges(engine);
  return engine.db.one(
    `SELECT coalesce(min(seq), 1) AS min, coalesce(max(seq), 0) AS max FROM events INDEXED BY events_receipt
     WHERE receipt IN (SELECT value FROM json_each(?))`,
    JSON.stringify(receipts),
  ) as { min: number; max: number };
}

export function rowOfJob({ db }: Engine, id: number | bigint): JobRow | undefined {
  return db.one('SELECT * FROM replay_jobs WHERE id = ?', id) as JobRow | undefined;
}

export function beginJob(engine: Engine, request: ReplayRequest): JobRow {
  const { filter } = request;
  const { min, max } = boundsOf(engine, filter);
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO replay_jobs (at, by, as_new, shown, filter, next_seq, until_seq, span) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      request.now,
      request.by,
      request.asNew ? 1 : 0,
      JSON.stringify(shownOf(filter)),
      engine.seal.close(Buffer.from(JSON.stringify(filter), 'utf8')),
      min,
      max,
      FIRST_STEP.span,
    );
  return rowOfJob(engine, lastInsertRowid) as JobRow;
}

/** Undefined when the job has finished, or when its filter cannot be opened: then it rests until the next start. */
export function filterOfJob(engine: Engine, { id, filter }: JobRow): EventFilter | undefined {
  if (filter === null) return undefined;
  const plain = engine.seal.open(filter);
  if (plain === undefined) engine.reportUnreadable(`the filter of replay ${id}`);
  return plain && (JSON.parse(plain.toString('utf8')) as EventFilter);
}

function finish({ db }: Engine, id: number, now: number): void {
  db.run('UPDATE replay_jobs SET finished_at = ?, filter = NULL WHERE id = ?', now, id);
  db.run('DELETE FROM replay_jobs WHERE id <= ? AND finished_at IS NOT NULL', id - KEPT_JOBS);
}

/** Records what a step of the job did, and where the next one begins; without a next one it has finished. */
export function advanceJob(
  engine: Engine,
  { id }: JobRow,
  did: {
    readonly matched: number;
    readonly replayed: number;
    readonly next: Step | undefined;
    readonly now: number;
  },
): void {
  engine.db.run(
    `UPDATE replay_jobs SET matched = matched + ?, replayed = replayed + ?,
       next_seq = coalesce(?, next_seq), span = coalesce(?, span) WHERE id = ?`,
    did.matched,
    did.replayed,
    did.next?.at ?? null,
    did.next?.span ?? null,
    id,
  );
  if (did.next === undefined) finish(engine, id, did.now);
}

/** The unfinished ones and those that finished last, newest first. */
export function replays({ db }: Engine): readonly ReplayJob[] {
  return (db.all('SELECT * FROM replay_jobs ORDER BY id DESC') as JobRow[]).map((row) => ({
    id: row.id,
    by: row.by,
    at: row.at,
    asNew: row.as_new === 1,
    ...(JSON.parse(row.shown) as Shown),
    matched: row.matched,
    replayed: row.replayed,
    done: row.finished_at !== null,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
  }));
}
