import { ProblemError } from '../http/problems.ts';

/** Wrong tokens per address and window; above it, requests are refused without a token check. */
const MAX_FAILURES = 100;
const WINDOW_MS = 60_000;
/** Addresses in memory; a new one replaces the one with the oldest window. */
const MAX_ADDRESSES = 10_000;

/** Counts wrong tokens per address. */
export interface AuthThrottle {
  /** @throws ProblemError `rate-limited` after too many wrong tokens from the address */
  assertAllowed(address: string): void;
  recordFailure(address: string): void;
}

/**
 * Slows down attempts to guess the token. Requests with the correct token have no limit but that of
 * all requests.
 */
export function createAuthThrottle(now: () => number): AuthThrottle {
  const windows = new Map<string, { readonly until: number; count: number }>();
  const currentWindow = (address: string) => {
    const window = windows.get(address);
    if (window !== undefined && window.until > now()) return window;
    windows.delete(address);
    return undefined;
  };
  return {
    assertAllowed(address) {
      const window = currentWindow(address);
      if (window === undefined || window.count < MAX_FAILURES) return;
      throw new ProblemError(
        'rate-limited',
        `at most ${MAX_FAILURES} wrong tokens in a minute from one address`,
        (window.until - now()) / 1_000,
      );
    },
    recordFailure(address) {
      const window = currentWindow(address);
      if (window !== undefined) {
        window.count += 1;
        return;
      }
      const [oldest] = windows.keys();
      if (windows.size >= MAX_ADDRESSES && oldest !== undefined) windows.delete(oldest);
      windows.set(address, { until: now() + WINDOW_MS, count: 1 });
    },
  };
}
