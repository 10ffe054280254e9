/**
 * `by` of everything that a snapshot of Capillary's API sets: it sorts after the hex digits of
 * events, because an event of the same millisecond is part of what the answer says.
 */
export const SNAPSHOT_BY = 's';
