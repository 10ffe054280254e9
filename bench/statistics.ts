export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** All 0 if there are no values. */
export function percentiles(values: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The ratio of two things measured alternately, and of repeated measurements of the first one. */
export interface Comparison {
  /** Median of A/B over the rounds. */
  readonly ratio: number;
  /** Minimum and maximum A/A. */
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
 * Measures A, B, A, B, …, A and compares each B with the As before and after it, so that a machine
 * whose speed drifts favours neither. These two As are compared with each other as a control.
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
