import type { Engine } from './engine.ts';

/*
 * Kept by these two: a lane with something pending has exactly one head, and an event without a lane is a head as long as it is pending.
 */

/**
 * Whether an event that becomes pending in a lane is its head: only if nobody waits there. Ask before the event is written. A head is told to
 * the listeners of the destination.
 */
export const joinLane = ({ db, claimable }: Engine, destination: string, lane: string | null): 0 | 1 => {
  const waiting =
    lane !== null &&
    db.one(
      `SELECT 1 FROM events INDEXED BY events_lane WHERE lane = ? AND destination = ? AND state = 'pending' LIMIT 1`,
      lane,
      destination,
    ) !== undefined;
  if (waiting) return 0;
  claimable.add(destination);
  return 1;
};

/** Passes the place of a head that has left its lane to the event that waits longest there. Call after it was written. */
export const passHead = (
  { db, claimable }: Engine,
  left: { readonly destination: string; readonly lane: string | null; readonly head: number },
): void => {
  if (left.lane === null || left.head === 0) return;
  const passed = db.run(
    `UPDATE events SET head = 1 WHERE seq = (
       SELECT seq FROM events INDEXED BY events_lane WHERE lane = ? AND destination = ? AND state = 'pending' ORDER BY seq LIMIT 1
     )`,
    left.lane,
    left.destination,
  );
  if (passed > 0) claimable.add(left.destination);
};
