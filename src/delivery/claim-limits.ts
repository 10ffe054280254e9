/*
 * How much of the journal a destination has in hand at once.
 */

/** Bodies held in memory at once, per destination. */
export const IN_FLIGHT_BYTES = 64 * 1_048_576;
/** Events in flight at once, per destination: each takes about 10 KB beside its body. */
export const MAX_IN_FLIGHT = 4_096;
/** Events of one claim: the storage thread serves whoever waits between two. */
export const CLAIM = 256;
/** ms between two claims that did not find so many: events that come one by one are claimed a few at a time. */
export const CLAIM_PAUSE = 10;
/** Events that are mapped before webhooks have their turn. */
export const MAPPED_AT_ONCE = 16;
/** Events that may still wait to be mapped when the next are claimed: what the storage thread needs its time for meanwhile. */
export const CLAIMED_AHEAD = 128;
