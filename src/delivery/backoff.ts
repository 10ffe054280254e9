interface DelayLimits {
  /** ms */
  readonly minDelay: number;
  /** ms */
  readonly maxDelay: number;
}

/**
 * Exponential backoff with full jitter: a random delay between 0 and the capped delay, so that many
 * senders do not retry at the same time.
 * @param failures failures so far, 0 for the first delay
 * @param random a number in [0, 1)
 * @returns ms
 */
export function jitteredDelay(
  failures: number,
  limits: DelayLimits,
  random: () => number = Math.random,
): number {
  return Math.round(random() * cappedDelay(failures, limits));
}

/** The same without jitter, for a single prober. @returns ms */
export function cappedDelay(failures: number, limits: DelayLimits): number {
  return Math.min(limits.maxDelay, limits.minDelay * 2 ** Math.min(failures, 30));
}
