const FIRST_AGAIN_MS = 60_000;
const LONGEST_MS = 6 * 3_600_000;

/**
 * Refreshes of an event that may end with something missing: with the delays below, about a day.
 * Each of them keeps the payload of its event for another period of retention.
 */
export const MAX_REFRESHES = 12;

/**
 * @param retryIn ms until a refresh can help, after what failed last
 * @param refreshes how many of the event have ended with something missing
 * @returns ms until the next one; undefined if the relay gives up
 */
export function refreshDelay(retryIn: number, refreshes: number): number | undefined {
  if (refreshes >= MAX_REFRESHES) return undefined;
  if (refreshes === 0) return retryIn;
  return Math.max(retryIn, Math.min(LONGEST_MS, FIRST_AGAIN_MS * 2 ** (refreshes - 1)));
}
