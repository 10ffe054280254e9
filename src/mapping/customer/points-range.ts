/*
 * Capillary does not say which points a redemption takes (docs/platforms/capillary.md#points).
 * So each lot is a range: at least `lo`, at most `hi` points. The balance narrows the ranges: if it
 * equals the sum of all lots, each of them is complete.
 */
export interface Range {
  lo: number;
  hi: number;
}

/** Points are decimals; smaller differences come from their binary form. */
export const SMALLEST = 1e-6;

/** Passes of `narrowTo`: each range depends on all others. */
const MAX_PASSES = 2;

/** Without the noise of binary fractions. */
export function rounded(points: number): number {
  return Math.round(points * 1e4) / 1e4;
}

export function add(range: Range & { awards?: number }, { lo, hi }: Range, awards = 0): void {
  range.lo += lo;
  range.hi += hi;
  if (range.awards !== undefined) {
    range.awards += awards;
  }
}

/** Takes at least `lo`, at most `hi` points out of a range. */
export function take(range: Range, { lo, hi }: Range): void {
  range.lo = Math.max(0, range.lo - Math.max(0, hi));
  range.hi = Math.max(0, range.hi - Math.max(0, lo));
}

/**
 * Makes the ranges as narrow as the balance allows: all of them together are the balance.
 *
 * @param other gets the points that the lots cannot have
 */
export function narrowTo(points: number, other: Range, lots: readonly Range[]): void {
  const ranges = [other, ...lots];
  const before = sumOf(ranges);
  const missing = points - before.hi;
  if (missing > SMALLEST) {
    add(other, { lo: missing, hi: missing });
  }
  const excess = before.lo + Math.max(0, missing) - points;
  if (excess > SMALLEST) {
    for (const range of ranges) {
      range.lo = Math.max(0, range.lo - excess);
    }
  }
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const low = sumOf(ranges).lo;
    for (const range of ranges) {
      range.hi = Math.min(range.hi, Math.max(range.lo, points - (low - range.lo)));
    }
    const high = sumOf(ranges).hi;
    for (const range of ranges) {
      range.lo = Math.max(range.lo, Math.min(range.hi, points - (high - range.hi)));
    }
  }
}

function sumOf(ranges: readonly Range[]): Range {
  const sum = { lo: 0, hi: 0 };
  for (const { lo, hi } of ranges) {
    sum.lo += lo;
    sum.hi += hi;
  }
  return sum;
}
