import { expire } from './lot-expiry.ts';
import { add, narrowTo, type Range, SMALLEST, take } from './points-range.ts';
import { changeOf, type DatedPoints, type LoggedEntry, UNKNOWN_MS } from './points-log.ts';
import {
  clearLots,
  dayLotAt,
  hasLotNear,
  isComplete,
  type Lot,
  loosen,
  lotAt,
  lotsOf,
  type PointsState,
  takeOut,
  takeUndated,
} from './points-state.ts';

/** Applies the next event of the log, or the next snapshot. */
export function applyEntry(state: PointsState, entry: LoggedEntry): void {
  const { i = [], m = [], r, e, b, u } = entry;
  if (entry.s !== undefined) {
    takeSnapshot(state, b ?? 0, entry.s.lots);
    return;
  }
  if (addIssued(state, entry)) {
    return;
  }
  for (const [from, to, points] of m) {
    move(state, from, to, points);
  }
  for (const [at, points] of i) {
    add(lotAt(state, at), { lo: points, hi: points }, 1);
  }
  if (e !== undefined && e > 0) {
    expire(state, e, entry.at);
  }
  const dated = i.reduce((sum, [, points]) => sum + points, 0);
  change(state, { dated, total: e === undefined ? (entry.d ?? dated) : 0 });
  if (r !== undefined) {
    remind(state, r);
  }
  if (u === 1) {
    forget(state);
  }
  if (b !== undefined) {
    stateBalance(state, b, changeOf(entry) !== undefined);
  }
  narrowToBalance(state);
}

function narrowToBalance(state: PointsState): void {
  if (state.balance !== undefined) {
    const points = Math.max(0, state.balance + state.unexplained);
    const { undated, lots } = state;
    narrowTo(points, state.other, undated.hi > 0 ? [undated, ...lots.values()] : [...lots.values()]);
  }
}

/**
 * All lots are those of the snapshot, and the rest of the balance is in none. Without lots, those
 * that were known stay, as far as they agree with the balance.
 */
function takeSnapshot(state: PointsState, balance: number, lots: readonly DatedPoints[] | undefined): void {
  if (lots === undefined) {
    stateBalance(state, balance, false);
  } else {
    clearLots(state);
    for (const [at, points] of lots) {
      add(dayLotAt(state, at), { lo: points, hi: points });
    }
    const rest = Math.max(0, balance - lots.reduce((sum, [, points]) => sum + points, 0));
    Object.assign(state.undated, { lo: rest, hi: rest });
    Object.assign(state, { balance, unexplained: 0, isMerging: false });
  }
  // The totals of the snapshot have everything before it.
  state.isWhole = true;
  state.isFetched = true;
  narrowToBalance(state);
}

/**
 * The usual case: dated points are added to a known balance. The limits of the other lots are not
 * affected by that.
 *
 * @returns false if the entry says anything else; nothing is changed then
 */
function addIssued(state: PointsState, entry: LoggedEntry): boolean {
  const { i, m, r, e, b, u } = entry;
  if (i === undefined || state.balance === undefined || state.balance < 0 || state.unexplained !== 0) {
    return false;
  }
  const dated = changeOf({ i }) ?? 0;
  const isMore = m !== undefined || r !== undefined || e !== undefined || u !== undefined;
  const balance = state.balance + dated;
  if (isMore || (entry.d ?? dated) !== dated || Math.abs((b ?? balance) - balance) > SMALLEST) {
    return false;
  }
  for (const [at, points] of i) {
    add(lotAt(state, at), { lo: points, hi: points }, 1);
  }
  state.balance = balance;
  state.isMerging &&= b === undefined;
  return true;
}

/**
 * Where all lots are known, a reminder is the newer word about its date only: the other lots stay.
 * Points that its date has more or less were changed by an event that was not seen.
 */
function remind(state: PointsState, [at, points]: DatedPoints): void {
  const lots = lotsOf(state, at);
  const isKnown = isComplete(state) && (lots.length > 0 || !hasLotNear(state, at));
  const before = takeOut(state, lots);
  if (!isKnown) {
    take(state.other, { lo: points - before.hi, hi: points - before.lo });
  } else {
    state.unexplained += points - before.hi;
  }
  add(lotAt(state, at), { lo: points, hi: points }, 1);
}

function move(state: PointsState, from: number, to: number, points: number | null): void {
  if (from === UNKNOWN_MS) {
    loosen(state, points ?? Number.POSITIVE_INFINITY);
    add(targetOf(state, to), { lo: points ?? 0, hi: points ?? Number.POSITIVE_INFINITY }, 1);
    return;
  }
  const lots = lotsOf(state, from);
  const whole = { lo: 0, hi: 0 };
  for (const lot of lots) {
    add(whole, lot);
  }
  const [first] = lots;
  if (points !== null && first?.isDay === true) {
    takePoints(state, first, { lo: points, hi: points });
    add(targetOf(state, to), { lo: points, hi: points }, 1);
  } else if (points !== null) {
    takeOut(state, lots);
    takeUndated(state, { lo: points - whole.hi, hi: points - whole.lo });
    const left = { ...whole };
    take(left, { lo: points, hi: points });
    if (left.hi > SMALLEST) {
      add(lotAt(state, from), left, Math.max(1, first?.awards ?? 1));
    }
    add(targetOf(state, to), { lo: points, hi: points }, 1);
  } else if (lots.length === 1 && first?.awards === 1) {
    takeOut(state, lots);
    add(targetOf(state, to), whole, 1);
  } else {
    // One award of several, or one of which no event said the points.
    const source = lots.length === 0 ? state.other.hi + state.undated.hi : whole.hi;
    add(targetOf(state, to), { lo: 0, hi: source }, 1);
    for (const range of lots.length === 0 ? [state.other, state.undated] : lots) {
      range.lo = 0;
    }
  }
}

/** Takes points out of one lot; what it lacks was in none. */
function takePoints(state: PointsState, lot: Lot, { lo, hi }: Range): void {
  const missing = { lo: lo - lot.hi, hi: hi - lot.lo };
  take(lot, { lo, hi });
  if (lot.hi <= SMALLEST) {
    takeOut(state, [lot]);
  }
  takeUndated(state, missing);
}

function targetOf(state: PointsState, at: number): Range {
  return at === UNKNOWN_MS ? state.other : lotAt(state, at);
}

/** A change of the balance; what it adds besides dated points expires at an unknown time. */
function change(state: PointsState, { dated, total }: { dated: number; total: number }): void {
  if (total > dated) {
    add(state.other, { lo: total - dated, hi: total - dated });
  }
  if (state.balance !== undefined) {
    state.balance += Math.max(total, dated === 0 ? total : dated);
  }
  if (total < 0) {
    loosen(state, -total);
  }
}

/** An event changed the points in a way that it does not say. */
function forget(state: PointsState): void {
  loosen(state, Number.POSITIVE_INFINITY);
  state.other.hi = Number.POSITIVE_INFINITY;
  state.balance = undefined;
  state.unexplained = 0;
  state.isWhole = false;
}

/** @param isExplained the event also says by how much it changed the balance */
function stateBalance(state: PointsState, stated: number, isExplained: boolean): void {
  const difference = state.balance === undefined ? 0 : stated - state.balance;
  const missing = difference - (state.balance === undefined ? 0 : state.unexplained);
  // Less than the sum of both: one snapshot can have been of both already.
  const isTwice = state.isMerging && state.isFetched;
  state.balance = stated;
  state.unexplained = 0;
  state.isMerging = false;
  if (missing > SMALLEST) {
    add(state.other, { lo: missing, hi: missing });
  } else if (missing < -SMALLEST) {
    loosen(state, -missing);
  }
  state.isWhole &&= Math.abs(difference) <= SMALLEST || (!isExplained && !isTwice && difference < 0);
  if (stated <= SMALLEST) {
    clearLots(state);
  }
}
