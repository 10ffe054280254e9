/**
 * How long a test waits for something to happen, such as a process becoming ready or a message
 * landing. The wait ends when it happens, so a generous limit costs nothing; a short one fails on a
 * busy machine.
 */
export const WAIT_LIMIT_MS = 60_000;

/**
 * Limit of one test or hook: it must fit several waits, and a failed wait must report before it
 * expires.
 */
export const TEST_LIMIT_MS = 3 * WAIT_LIMIT_MS;
