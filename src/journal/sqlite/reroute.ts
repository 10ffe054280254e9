import { ownLaneOf, placeAt } from './aliases.ts';
import { addBacklog, isAnyElsewhere } from './counts.ts';
import type { Engine } from './engine.ts';
import { joinLane, leaveQueue, queueUpAgain } from './lanes.ts';
import type { AnswerOf, RequestOf } from './protocol.ts';
import { CHANGES_PER_STEP } from './replay.ts';
import type { EventRow } from './rows.ts';
import { rise } from './stretch.ts';

function move(engine: Engine, seen: EventRow, destination: string): void {
  // Read again: moving the event before it in the lane can have made this one a head.
  const row = engine.db.one('SELECT * FROM events WHERE seq = ?', seen.seq) as EventRow;
  // Each destination has aliases of its own.
  const { lane, own_lane } = placeAt(engine, destination, ownLaneOf(row));
  const head = joinLane(engine, { destination, lane, replay: row.replay });
  engine.db.run(
    'UPDATE events SET destination = ?, lane = ?, own_lane = ?, head = ? WHERE seq = ?',
    destination,
    lane,
    own_lane,
    head,
    row.seq,
  );
  queueUpAgain(engine, { destination, lane, replay: row.replay }, row.seq);
  leaveQueue(engine, row);
  addBacklog(engine, row.destination, { pending: -1, replaying: -row.replay });
  addBacklog(engine, destination, { pending: 1, replaying: row.replay });
}

export function reroute(engine: Engine, request: RequestOf<'reroute'>): AnswerOf<'reroute'> {
  // Else there is nothing to look for, however long the backlog.
  if (!isAnyElsewhere(engine, request.destination)) return { done: 0 };
  const { source, destination } = request;
  const filter = { states: ['pending'], source, notDestination: destination } as const;
  const { rows, ...stepped } = rise(engine, filter, CHANGES_PER_STEP, request.step);
  for (const row of rows) move(engine, row, destination);
  return { done: rows.length, ...stepped };
}
