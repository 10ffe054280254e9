/**
 * How long a test waits for an event, such as a process that becomes ready or a message that lands.
 * The wait ends with the event, so a generous limit costs nothing; a short one fails on a busy
 * machine.
 */
export const WAIT_LIMIT_MS = 60_000;

/**
 * Limit of one test or hook: several waits must fit in, and the failed wait must report before it.
 */
export const TEST_LIMIT_MS = 3 * WAIT_LIMIT_MS;
