const MINUTE_MS = 60_000;

/** Counts the calls of each key. */
export interface CallLimit {
  /** Counts a call and returns true, or false if the key has none left in the last minute. */
  take(key: string): boolean;
}

/**
 * A limit of calls per minute and API key (docs/platforms/capillary.md#api-access). A call that is
 * refused does not count.
 *
 * @param callsPerMinute 0 for no limit
 */
export function createCallLimit(callsPerMinute: number, now: () => number): CallLimit {
  const calls = new Map<string, number[]>();
  return {
    take: (key) => {
      if (callsPerMinute === 0) return true;
      const recent = (calls.get(key) ?? []).filter((at) => at > now() - MINUTE_MS);
      calls.set(key, recent);
      if (recent.length >= callsPerMinute) return false;
      recent.push(now());
      return true;
    },
  };
}
