import type { AnswerOf, RequestOf } from './protocol.ts';
import { ownLaneOf, placeAt } from './aliases.ts';
import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { within } from './filter.ts';
import { joinLane, queueUpAgain } from './lanes.ts';
import { dropNotes } from './notes.ts';
import { advanceJob, beginJob, filterOfJob, type JobRow, rowOfJob } from './replay-jobs.ts';
import type { EventRow } from './rows.ts';
import { rise } from './stretch.ts';

/** Records a step over many changes: a few hundred take some ms, which an append can wait. */
export const CHANGES_PER_STEP = 250;

/** Writes into the timeline of an event what somebody did to it. */
export function recordAction(
  { db }: Engine,
  seq: number,
  action: { readonly at: number; readonly by: string; readonly action: string },
): void {
  db.run(
    'INSERT INTO actions (seq, at, by, action) VALUES (?, ?, ?, ?)',
    seq,
    action.at,
    action.by,
    action.action,
  );
}

/** The how-manieth replay as new it is tells the ids apart; any other replay goes under the id under which the event went last. */
function suffixOf({ id_suffix: suffix }: EventRow, asNew: boolean): string {
  return asNew ? `-r${Number(suffix.slice('-r'.length)) + 1}` : suffix;
}

function replayOne(engine: Engine, row: EventRow, job: JobRow): void {
  const { destination } = row;
  // Its customer can have been merged since.
  const { lane, own_lane } = placeAt(engine, destination, ownLaneOf(row));
  const queue = { destination, lane, replay: 1 };
  engine.db.run(
    `UPDATE events SET state = 'pending', reason = NULL, detail = NULL, settled_at = NULL, due_at = ?, failures = 0, charged = 0,
       replay = 1, lane = ?, own_lane = ?, head = ?, delivered = ?, id_suffix = ?, replays = replays + 1 WHERE seq = ?`,
    job.at,
    lane,
    own_lane,
    joinLane(engine, queue),
    row.state === 'delivered' ? 0 : row.delivered,
    suffixOf(row, job.as_new === 1),
    row.seq,
  );
  queueUpAgain(engine, queue, row.seq);
  engine.db.run('DELETE FROM sent WHERE seq = ?', row.seq);
  dropNotes(engine, row.seq);
  addCounts(engine, row.source, { [row.state]: -1, pending: 1 });
  addBacklog(engine, destination, { pending: 1, replaying: 1 });
  const action = job.as_new === 1 ? 'replayed as new' : 'replayed';
  recordAction(engine, row.seq, { at: job.at, by: job.by, action });
}

/** One step of a job. It moves on in the same transaction as the events, so that it meets each of them once, whatever dies in between. */
function takeStep(engine: Engine, job: JobRow, now: number): AnswerOf<'replayStep'> {
  const { id, replayed } = job;
  const filter = filterOfJob(engine, job);
  if (job.finished_at !== null || filter === undefined) return { id, replayed, more: false };
  // From the oldest on: so the oldest of a lane becomes its head.
  const settled = within(filter, ['dead', 'ignored', 'delivered']);
  const step = { at: job.next_seq, span: job.span, until: job.until_seq };
  const { rows, next } = rise(engine, settled, CHANGES_PER_STEP, step);
  const replayable = rows.filter((row) => row.kept === 1);
  for (const row of replayable) replayOne(engine, row, job);
  advanceJob(engine, job, { matched: rows.length, replayed: replayable.length, next, now });
  return { id, replayed: replayed + replayable.length, more: next !== undefined };
}

/** Begins a replay, with its first step. */
export function replay(engine: Engine, request: RequestOf<'replay'>): AnswerOf<'replay'> {
  return takeStep(engine, beginJob(engine, request), request.now);
}

/** Goes on with a replay. */
export function replayStep(engine: Engine, { id, now }: RequestOf<'replayStep'>): AnswerOf<'replayStep'> {
  const job = rowOfJob(engine, id);
  return job === undefined ? { id, replayed: 0, more: false } : takeStep(engine, job, now);
}
