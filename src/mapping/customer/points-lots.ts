import { add, narrowTo, type Range, SMALLEST, take } from './points-range.ts';
import { changeOf, type DatedPoints, type LoggedEntry, UNKNOWN_MS } from './points-log.ts';
import { hasLotNear, isComplete, lotAt, lotsOf, type PointsState, takeOut } from './points-state.ts';

/** Applies the next event of the log. */
export function applyEntry(state: PointsState, entry: LoggedEntry): void {
  const { i = [], m = [], r, e, b, u } = entry;
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
  if (state.balance !== undefined) {
    const points = Math.max(0, state.balance + state.unexplained);
    narrowTo(points, state.other, [...state.lots.values()]);
  }
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
  if (points !== null) {
    takeOut(state, lots);
    take(state.other, { lo: points - whole.hi, hi: points - whole.lo });
    const left = { ...whole };
    take(left, { lo: points, hi: points });
    if (left.hi > SMALLEST) {
      add(lotAt(state, from), left, Math.max(1, lots[0]?.awards ?? 1));
    }
    add(targetOf(state, to), { lo: points, hi: points }, 1);
  } else if (lots.length === 1 && lots[0]?.awards === 1) {
    takeOut(state, lots);
    add(targetOf(state, to), whole, 1);
  } else {
    // One award of several, or one of which no event said the points.
    const source = lots.length === 0 ? state.other : whole;
    add(targetOf(state, to), { lo: 0, hi: source.hi }, 1);
    for (const range of lots.length === 0 ? [state.other] : lots) {
      range.lo = 0;
    }
  }
}

function targetOf(state: PointsState, at: number): Range {
  return at === UNKNOWN_MS ? state.other : lotAt(state, at);
}

/**
 * All lots whose time has come expire, and points of which no event said when they expire. If more
 * points than those expired, they belong to the next lots: clocks differ, and points expire in the
 * order of their dates.
 */
function expire(state: PointsState, points: number, at: number): void {
  const byDate = [...state.lots.values()].toSorted((a, b) => a.at - b.at);
  const due = takeOut(
    state,
    byDate.filter((lot) => lot.at <= at),
  );
  for (const lot of byDate.filter((later) => later.at > at)) {
    if (points - due.hi - state.other.hi > SMALLEST) {
      add(due, takeOut(state, [lot]));
    }
  }
  take(state.other, { lo: points - due.hi, hi: points - due.lo });
  if (state.balance !== undefined) {
    state.balance -= points;
  }
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

/** Points were taken, and it is not known of which lots. */
function loosen({ lots, other }: PointsState, points: number): void {
  for (const range of [other, ...lots.values()]) {
    range.lo = Math.max(0, range.lo - points);
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
  state.balance = stated;
  state.unexplained = 0;
  state.isMerging = false;
  if (missing > SMALLEST) {
    add(state.other, { lo: missing, hi: missing });
  } else if (missing < -SMALLEST) {
    loosen(state, -missing);
  }
  state.isWhole &&= Math.abs(difference) <= SMALLEST || (!isExplained && difference < 0);
  if (stated <= SMALLEST) {
    state.lots.clear();
    Object.assign(state.other, { lo: 0, hi: 0 });
  }
}
