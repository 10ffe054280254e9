/** Tells when answers have become slow compared with how the destination answers when it is well. */
export interface Latency {
  /** @returns true when the destination is slowing down */
  add(ms: number): boolean;
}

/** Weight of the newest answer in the running mean. */
const NEWEST = 0.2;
/** The best mean seen is forgotten by this share with each answer, so that a change for good becomes the new normal. */
const FORGET = 0.002;
/** Slow means: over twice the best, and by more than this, ms. Less is noise. */
const NOISE = 250;

export function createLatency(): Latency {
  let mean: number | undefined;
  let best = Number.POSITIVE_INFINITY;
  return {
    add(ms) {
      mean = mean === undefined ? ms : mean + NEWEST * (ms - mean);
      best = Math.min(mean, best === Number.POSITIVE_INFINITY ? mean : best * (1 + FORGET));
      return mean > 2 * best && mean > best + NOISE;
    },
  };
}
