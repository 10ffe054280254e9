/*
 * Indexes for look-ups are ordered by block of 1,024 positions first, and within a block by what is looked up: `(seq >> 10, customer_id)`. So
 * an append writes to the few pages of the newest block, where an index of the values alone would write to one anywhere for each event. Who
 * looks something up does so once in each block, which takes a few µs.
 */

/** Bits of a position that tell it from the others of its block. The indexes have it too (migrations.ts, SMALL_BLOCKS). */
const BITS = 10;

/** SQL for the block of an event, as the indexes have it. */
export const BLOCK = `seq >> ${BITS}`;

/** SQL for the blocks that hold any event from position ? to position ?. */
export const BLOCKS = `(
  WITH RECURSIVE block (n) AS (
    SELECT min(seq) >> ${BITS} FROM events WHERE seq >= ?
    UNION ALL SELECT (SELECT min(seq) >> ${BITS} FROM events WHERE seq >= (n + 1) << ${BITS}) FROM block WHERE n < ? >> ${BITS}
  ) SELECT n FROM block
)`;

/** From the first position to the last one there can be: what BLOCKS is given to go through all of them. */
export const EVERYWHERE = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;
