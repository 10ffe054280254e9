export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Of no values all are 0. */
export function percentiles(values: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** A ratio of two things measured in turn, and what the same thing measured twice gave meanwhile. */
export interface Comparison {
  /** Median of A/B over the rounds. */
  readonly ratio: number;
  /** Least and greatest A/A. */
  readonly control: readonly [number, number];
  /** Medians. */
  readonly a: number;
  readonly b: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/**
 * Measures A, B, A, B, … with an A at both ends, so that a machine that becomes slower or faster meanwhile favours neither: each B is held
 * against the As before and after it, and these two against each other.
 */
export async function compare(
  rounds: number,
  measureA: () => Promise<number>,
  measureB: () => Promise<number>,
): Promise<Comparison> {
  const as = [await measureA()];
  const bs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bs.push(await measureB());
    as.push(await measureA());
  }
  const pairs = bs.map((b, round) => ({ b, before: as[round] ?? 0, after: as[round + 1] ?? 0 }));
  const controls = pairs.map(({ before, after }) => after / before);
  return {
    ratio: median(pairs.map(({ b, before, after }) => (before + after) / 2 / b)),
    control: [Math.min(...controls), Math.max(...controls)],
    a: median(as),
    b: median(bs),
  };
}
