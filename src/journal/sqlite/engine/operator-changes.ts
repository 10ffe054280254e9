import type { OperatorPause } from '../../journal.ts';
import { DISCARDED, MAX_CHANGES_PER_STEP, reroutedAction, withStates } from '../../operator-actions.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { addBacklog, addCounts, isPendingElsewhere } from './counts.ts';
import type { Engine } from './sqlite-engine.ts';
import { claimHead, enqueueExisting, leaveQueue, overtakeHead, ownLaneOf, placementFor } from './lanes.ts';
import { leaveSettled } from './landing-counts.ts';
import { deletePayloads } from './payloads.ts';
import { moveRefresh } from './refresh-table.ts';
import type { EventRow } from './rows.ts';
import { scanAscending } from './scan.ts';
import { SWEPT_BODIES } from './sweep-schema.ts';

/** Adds an operator's action to the timeline of an event. */
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

/** Deletes a malformed body together with its record. */
export function removeMalformed(engine: Engine, row: EventRow): void {
  engine.db.run('DELETE FROM events WHERE seq = ?', row.seq);
  addCounts(engine, row.source, { malformed: -1 });
}

function discardDead(engine: Engine, row: EventRow, request: RequestOf<'discard'>): void {
  leaveSettled(engine, row);
  deletePayloads(engine, row.seq);
  engine.db.run(
    `UPDATE events SET state = 'ignored', reason = '${DISCARDED}', settled_at = ?, late = seq <= ${SWEPT_BODIES}
     WHERE seq = ?`,
    engine.now(),
    row.seq,
  );
  addCounts(engine, row.source, { dead: -1, ignored: 1 });
  recordAction(engine, row.seq, { at: engine.now(), by: request.by, action: DISCARDED });
}

export function discard(engine: Engine, request: RequestOf<'discard'>): AnswerOf<'discard'> {
  const filter = withStates(request.filter, ['dead', 'malformed']);
  const { rows, ...stepped } = scanAscending(engine, filter, MAX_CHANGES_PER_STEP, request.step);
  for (const row of rows) {
    if (row.state === 'malformed') removeMalformed(engine, row);
    else discardDead(engine, row, request);
  }
  return { done: rows.length, ...stepped };
}

function moveTo(engine: Engine, { destination, by }: RequestOf<'reroute'>, seq: number): void {
  // Read again: moving the previous event of the lane may have made this one the head.
  const row = engine.db.one('SELECT * FROM events WHERE seq = ?', seq) as EventRow;
  // Aliases are specific to a destination.
  const { lane, own_lane } = placementFor(engine, destination, ownLaneOf(row));
  const queue = { destination, lane, replay: row.replay };
  const head = overtakeHead(engine, queue, seq) ? 1 : claimHead(engine, queue);
  engine.db.run(
    'UPDATE events SET destination = ?, lane = ?, own_lane = ?, head = ? WHERE seq = ?',
    destination,
    lane,
    own_lane,
    head,
    row.seq,
  );
  moveRefresh(engine, seq, { destination, lane });
  engine.claims.touch(row.seq);
  engine.frontiers.reset();
  enqueueExisting(engine, queue, row.seq);
  leaveQueue(engine, row);
  addBacklog(engine, row.destination, { pending: -1, replaying: -row.replay });
  addBacklog(engine, destination, { pending: 1, replaying: row.replay });
  const action = reroutedAction(row.destination, destination);
  recordAction(engine, seq, { at: engine.now(), by, action });
}

export function reroute(engine: Engine, request: RequestOf<'reroute'>): AnswerOf<'reroute'> {
  // Avoids scanning a long backlog for nothing.
  if (!isPendingElsewhere(engine, request.destination)) return { done: 0 };
  const { source, destination } = request;
  const filter = { states: ['pending'], source, notDestination: destination } as const;
  const { rows, ...stepped } = scanAscending(engine, filter, MAX_CHANGES_PER_STEP, request.step);
  for (const { seq } of rows) moveTo(engine, request, seq);
  return { done: rows.length, ...stepped };
}

export function pauses({ db }: Engine): readonly OperatorPause[] {
  return db.all('SELECT destination, by, at FROM pauses ORDER BY destination') as OperatorPause[];
}

export function pause({ db, now }: Engine, { destination, by }: RequestOf<'pause'>): OperatorPause {
  const at = now();
  db.run('INSERT OR REPLACE INTO pauses (destination, by, at) VALUES (?, ?, ?)', destination, by, at);
  return { destination, by, at };
}

export function resume({ db }: Engine, destination: RequestOf<'resume'>): void {
  db.run('DELETE FROM pauses WHERE destination = ?', destination);
}
