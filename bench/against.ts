import type { Row } from './part.ts';
import { alternately, comparisonOf, median } from './statistics.ts';

function valuesOf(runs: readonly (readonly Row[])[], { part, what }: Row): readonly number[] {
  return runs.flatMap((rows) =>
    rows.filter((row) => row.part === part && row.what === what).map(({ value }) => value),
  );
}

/**
 * Measures this build and another alternately, beginning and ending with this one. Each row has the
 * medians of both, their ratio, and as a control the ratio of repeated measurements of this build.
 */
export async function measureAgainst(
  rounds: number,
  measureThis: () => Promise<readonly Row[]>,
  measureOther: () => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const { a, b } = await alternately(rounds, measureThis, measureOther);
  return (a[0] ?? []).map((row) => {
    const others = valuesOf(b, row);
    // The other build may lack what is measured.
    if (others.length === 0) return { ...row, value: median(valuesOf(a, row)) };
    const { ratio, control, ...medians } = comparisonOf(valuesOf(a, row), others);
    // A figure that counts faults is 0 in both builds.
    const compared = Number.isFinite(ratio) ? { ratio, control } : {};
    return { ...row, value: medians.a, before: medians.b, ...compared };
  });
}
