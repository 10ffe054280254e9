export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** All 0 if there are no values. */
export function percentiles(values: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(values).toSorted();
  const percentile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    count: sorted.length,
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
    max: percentile(1),
  };
}

/**
 * The ratio of two things measured alternately, and as a control that of repeated measurements of
 * the first.
 */
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

/** Measures A, B, A, B, …, A. */
export async function alternately<T>(
  rounds: number,
  measureA: () => Promise<T>,
  measureB: () => Promise<T>,
): Promise<{ readonly a: readonly T[]; readonly b: readonly T[] }> {
  const a = [await measureA()];
  const b: T[] = [];
  for (let round = 0; round < rounds; round += 1) {
    b.push(await measureB());
    a.push(await measureA());
  }
  return { a, b };
}

/**
 * Compares each B with the As before and after it, so that a machine whose speed drifts favours
 * neither. These two As are compared with each other as a control.
 * @param valuesA one more than of B, in the order of measurement
 */
export function comparisonOf(valuesA: readonly number[], valuesB: readonly number[]): Comparison {
  const pairs = valuesB.map((b, round) => ({
    b,
    before: valuesA[round] ?? 0,
    after: valuesA[round + 1] ?? 0,
  }));
  const controls = pairs.map(({ before, after }) => after / before);
  return {
    ratio: median(pairs.map(({ b, before, after }) => (before + after) / 2 / b)),
    control: [Math.min(...controls), Math.max(...controls)],
    a: median(valuesA),
    b: median(valuesB),
  };
}

/** Measures two things alternately and compares them. */
export async function compare(
  rounds: number,
  measureA: () => Promise<number>,
  measureB: () => Promise<number>,
): Promise<Comparison> {
  const { a, b } = await alternately(rounds, measureA, measureB);
  return comparisonOf(a, b);
}
