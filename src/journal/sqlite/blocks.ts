/*
 * Indexes for look-ups are ordered by block of 512 positions first, and within a block by what is looked up: `(seq >> 9, customer_id)`. So
 * an append writes to the few pages of the newest block, where an index of the values alone would write to one anywhere for each event. Who
 * looks something up does so once in each block, which takes some µs.
 */

/** Bits of a position that tell it from the others of its block. The indexes have it too (migrations.ts, BUFFERED_INDEXES). */
const BITS = 9;

/** SQL for the block of an event, as the indexes have it. */
export const BLOCK = `seq >> ${BITS}`;

/** SQL for the blocks from that of the first event at or after position ? to that of the last one at or before position ?. */
export const BLOCKS = `(
  WITH RECURSIVE ends (first, last) AS (
    SELECT (SELECT min(seq) FROM events WHERE seq >= ?) >> ${BITS}, (SELECT max(seq) FROM events WHERE seq <= ?) >> ${BITS}
  ), block (n) AS (
    SELECT first FROM ends UNION ALL SELECT n + 1 FROM block, ends WHERE n < last
  ) SELECT n FROM block
)`;

/** From the first position to the last one there can be: what BLOCKS is given to go through all of them. */
export const EVERYWHERE = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;

/** SQL for the events of a lane, by the beginning of it that its index holds. */
export function laneIs(lane: string): string {
  return `substr(lane, 1, 8) = substr(${lane}, 1, 8) AND lane = ${lane}`;
}

/** SQL for the events of an event id, which is given twice, by the end of it that its index holds. */
export const EVENT_ID_IS = 'substr(event_id, -12) = substr(?, -12) AND event_id = ?';
