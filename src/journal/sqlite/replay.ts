import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { within } from './filter.ts';
import { joinLane } from './lanes.ts';
import type { AnswerOf, RequestOf } from './protocol.ts';
import type { EventRow } from './rows.ts';
import { rise } from './stretch.ts';

/** Records a step over many changes: a few hundred take some ms, which an append can wait. */
export const CHANGES_PER_STEP = 250;

/** Writes into the timeline of an event what somebody did to it. */
export const recordAction = (
  { db }: Engine,
  seq: number,
  action: { readonly at: number; readonly by: string; readonly action: string },
): void => {
  db.run(
    'INSERT INTO actions (seq, at, by, action) VALUES (?, ?, ?, ?)',
    seq,
    action.at,
    action.by,
    action.action,
  );
};

/** A replay as new has an id of its own each time; any other goes under the id under which the event went last. */
const suffixOf = (row: EventRow, asNew: boolean): string => (asNew ? `-r${row.replays + 1}` : row.id_suffix);

const replayOne = (engine: Engine, row: EventRow, request: RequestOf<'replay'>): void => {
  engine.db.run(
    `UPDATE events SET state = 'pending', reason = NULL, detail = NULL, settled_at = NULL, due_at = ?, failures = 0, charged = 0,
       head = ?, delivered = ?, id_suffix = ?, replays = replays + 1 WHERE seq = ?`,
    request.now,
    joinLane(engine, row.destination, row.lane),
    row.state === 'delivered' ? 0 : row.delivered,
    suffixOf(row, request.asNew),
    row.seq,
  );
  engine.db.run('DELETE FROM sent WHERE seq = ?', row.seq);
  addCounts(engine, row.source, { [row.state]: -1, pending: 1 });
  addBacklog(engine, row.destination, 1);
  const action = request.asNew ? 'replayed as new' : 'replayed';
  recordAction(engine, row.seq, { at: request.now, by: request.by, action });
};

export const replay = (engine: Engine, request: RequestOf<'replay'>): AnswerOf<'replay'> => {
  // From the oldest on: so the oldest of a lane becomes its head.
  const settled = within(request.filter, ['dead', 'ignored', 'delivered']);
  const { rows, ...stepped } = rise(engine, settled, CHANGES_PER_STEP, request.step);
  const replayable = rows.filter((row) => row.kept === 1);
  for (const row of replayable) replayOne(engine, row, request);
  return { done: replayable.length, ...stepped };
};
