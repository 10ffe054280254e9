import { type Range, SMALLEST, take } from './points-range.ts';
import { isWithin, type Lot, loosen, type PointsState, takeOut, takeUndated } from './points-state.ts';

/**
 * All lots whose time has come expire, and points of which no event said when they expire. If more
 * points than those expired, they belong to the next lots: clocks differ, and points expire in the
 * order of their dates.
 */
export function expire(state: PointsState, points: number, at: number): void {
  const byDate = [...state.lots.values()].toSorted((a, b) => a.at - b.at);
  const due = takeOut(
    state,
    byDate.filter((lot) => lot.at <= at),
  );
  const left = { lo: points - due.hi, hi: points - due.lo };
  if (state.undated.hi > SMALLEST && state.days?.some((day) => isWithin(day, at)) === true) {
    // They can be those of today, or others that were due already.
    loosen(state, Math.max(0, left.hi));
  } else {
    takeNext(
      state,
      left,
      byDate.filter((lot) => lot.at > at),
    );
  }
  if (state.balance !== undefined) {
    state.balance -= points;
  }
}

/** @param later the lots that are not due, by date */
function takeNext(state: PointsState, left: Range, later: readonly Lot[]): void {
  for (const lot of later) {
    const missing = left.lo - state.other.hi - state.undated.hi;
    if (missing <= SMALLEST) {
      continue;
    }
    // A day can have points that expire later on it.
    const isPart = lot.isDay === true && lot.hi > missing;
    const taken = isPart ? { lo: missing, hi: missing } : takeOut(state, [lot]);
    if (isPart) {
      take(lot, taken);
    }
    left.lo -= taken.hi;
    left.hi -= taken.lo;
  }
  takeUndated(state, left);
}
