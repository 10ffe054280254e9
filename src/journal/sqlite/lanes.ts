import type { BusyLane } from './claims.ts';
import type { Engine } from './engine.ts';
import type { QueueRow } from './rows.ts';

/*
 * Kept by these: a lane with something pending has exactly one head among its replays and one among its other events, if there are any of the
 * kind; an event without a lane is a head as long as it is pending. Of the two heads of a lane one at a time is handed out.
 */

/** One of the two queues of a lane. `replay` is 1 for that of the replays. */
interface Queue {
  readonly destination: string;
  readonly lane: string | null;
  readonly replay: number;
}

/** SQL for the rows of a lane, by the beginning of it that the indexes hold (migrations.ts, NARROW_INDEXES). */
export const laneIs = (lane: string): string =>
  `substr(lane, 1, 12) = substr(${lane}, 1, 12) AND lane = ${lane}`;

/** Whether anybody is pending in a queue. */
export const isWaiting = ({ db }: Engine, { destination, lane, replay }: Queue): boolean =>
  db.one(
    `SELECT 1 FROM events INDEXED BY events_lane
     WHERE ${laneIs('?1')} AND destination = ?2 AND state = 'pending' AND replay = ?3 LIMIT 1`,
    lane,
    destination,
    replay,
  ) !== undefined;

/** A head is told to the listeners of the destination, unless its lane is busy: then the end of that claim tells it. */
const tell = ({ claims, claimable }: Engine, { destination, lane }: Queue): void => {
  if (lane === null || !claims.isBusy(destination, lane)) claimable.add(destination);
};

/** Whether an event that becomes pending in a queue is its head: only if nobody waits there. Ask before the event is written. */
export const joinLane = (engine: Engine, queue: Queue): 0 | 1 => {
  if (queue.lane !== null && isWaiting(engine, queue)) return 0;
  tell(engine, queue);
  return 1;
};

/** Passes the place of a head that has left its queue to the event that waits longest there. Call after it was written. */
export const passHead = (engine: Engine, left: Queue & { readonly head: number }): void => {
  if (left.lane === null || left.head === 0) return;
  const passed = engine.db.run(
    `UPDATE events SET head = 1 WHERE seq = (
       SELECT seq FROM events INDEXED BY events_lane
       WHERE ${laneIs('?1')} AND destination = ?2 AND state = 'pending' AND replay = ?3
       ORDER BY seq LIMIT 1
     )`,
    left.lane,
    left.destination,
    left.replay,
  );
  if (passed > 0) tell(engine, left);
};

/**
 * Ends the claim of an event, if it has one. Who waits for its lane in another queue is claimable from then on.
 * @returns the lane that it kept busy
 */
export const endClaim = (engine: Engine, row: QueueRow): BusyLane | undefined => {
  const held = engine.claims.drop(row.seq);
  if (held === undefined) return undefined;
  const { destination, lane } = held;
  // Its own queue is left out: there it is still the head, or its place is passed on.
  const queues = [0, 1].filter(
    (replay) => destination !== row.destination || lane !== row.lane || replay !== row.replay,
  );
  if (queues.some((replay) => isWaiting(engine, { destination, lane, replay })))
    engine.claimable.add(destination);
  return held;
};
