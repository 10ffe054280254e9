/*
 * Indexes for look-ups are ordered by block of 1,024 positions first, and within a block by what is looked up: `(seq >> 10, customer_id)`. So
 * an append writes to the few pages of the newest block, where an index of the values alone would write to one anywhere for each event. Who
 * looks something up does so once in each block, which takes a few µs.
 */

/** SQL for the block of an event, as the indexes have it (migrations.ts, SMALL_BLOCKS). */
export const BLOCK = 'seq >> 10';

/** SQL for the blocks that hold any event from position ? to position ?. */
export const BLOCKS = `(
  WITH RECURSIVE block (n) AS (
    SELECT min(seq) >> 10 FROM events WHERE seq >= ?
    UNION ALL SELECT (SELECT min(seq) >> 10 FROM events WHERE seq >= (n + 1) << 10) FROM block WHERE n < ? >> 10
  ) SELECT n FROM block
)`;

/** From the first position to the last one there can be: what BLOCKS is given to go through all of them. */
export const EVERYWHERE = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;
