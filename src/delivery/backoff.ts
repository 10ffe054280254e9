/**
 * Exponential backoff with full jitter: a random wait between 0 and the doubled-and-capped delay, so that many waiting senders
 * do not come back at once.
 * @param failures failures so far, 0 for the first wait
 * @param random a number in [0, 1)
 * @returns ms
 */
export function fullJitter(
  failures: number,
  limits: { readonly minDelay: number; readonly maxDelay: number },
  random: () => number = Math.random,
): number {
  return Math.round(random() * ceiling(failures, limits));
}

/** The same without jitter: for one prober that nobody competes with. ms. */
export function ceiling(
  failures: number,
  limits: { readonly minDelay: number; readonly maxDelay: number },
): number {
  return Math.min(limits.maxDelay, limits.minDelay * 2 ** Math.min(failures, 30));
}
