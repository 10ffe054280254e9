import { add, narrowTo, type Range, rounded, SMALLEST, take } from './points-range.ts';
import { changeOf, type DatedPoints, type LoggedEntry, UNKNOWN_MS } from './points-log.ts';

interface Lot extends Range {
  /** Epoch ms at which the points expire. */
  readonly at: number;
  /** How many awards of points it consists of. */
  awards: number;
}

/** What is known of the points of one customer in one program. */
export interface PointsState {
  /** By second: the same time can be given with and without milliseconds. */
  readonly lots: Map<number, Lot>;
  /** Points of which no event said when they expire. */
  readonly other: Range;
  /** Undefined before an event states it. */
  balance: number | undefined;
  /** True while each change of the balance is explained by an event. */
  isWhole: boolean;
  /** True after a merge until an event states the balance of both. */
  isMerging: boolean;
}

const HOUR_MS = 3_600_000;
/** A date without a time is the end of its day; the other times of that day are earlier. */
const DAY_WINDOW_MS = 22 * HOUR_MS;
/** Expiry of points that never expire. */
export const NEVER_MS = Date.UTC(2200, 0, 1);
const MAX_LISTED = 500;

/** @param isNew the customer had no points before the log begins */
export function emptyPoints(isNew: boolean): PointsState {
  return {
    lots: new Map(),
    other: { lo: 0, hi: isNew ? 0 : Number.POSITIVE_INFINITY },
    balance: isNew ? 0 : undefined,
    isWhole: isNew,
    isMerging: false,
  };
}

/** Adds the points of a customer that was merged into this one. */
export function absorbPoints(state: PointsState, victim: PointsState): void {
  for (const { at, lo, hi, awards } of victim.lots.values()) {
    add(lotAt(state, at), { lo, hi }, awards);
  }
  add(state.other, victim.other);
  state.balance =
    state.balance === undefined || victim.balance === undefined ? undefined : state.balance + victim.balance;
  state.isWhole &&= victim.isWhole;
  state.isMerging = true;
}

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
    narrowTo(Math.max(0, state.balance), state.other, [...state.lots.values()]);
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
  if (i === undefined || state.balance === undefined || state.balance < 0) {
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
 * The lots that are going to expire after a time, the first ones first; undefined if not all of
 * them are known.
 */
export function knownLots(
  { lots, other, isMerging }: PointsState,
  after: number,
): readonly DatedPoints[] | undefined {
  if (isMerging || other.hi > SMALLEST) {
    return undefined;
  }
  const open = [...lots.values()].filter(({ at, hi }) => at >= after && hi > SMALLEST);
  if (open.some(({ lo, hi }) => hi - lo > SMALLEST)) {
    return undefined;
  }
  return open
    .filter(({ at }) => at < NEVER_MS)
    .toSorted((a, b) => a.at - b.at)
    .slice(0, MAX_LISTED)
    .map(({ at, hi }) => [at, rounded(hi)]);
}

function lotAt({ lots }: PointsState, at: number): Lot {
  const key = Math.floor(at / 1_000);
  const lot = lots.get(key) ?? { at, lo: 0, hi: 0, awards: 0 };
  lots.set(key, lot);
  return lot;
}

/** The lots of a time, or of its day if it is the end of a day. */
function lotsOf(state: PointsState, at: number): readonly Lot[] {
  const exact = state.lots.get(Math.floor(at / 1_000));
  return exact === undefined
    ? [...state.lots.values()].filter((lot) => lot.at <= at && lot.at > at - DAY_WINDOW_MS)
    : [exact];
}

/** Takes lots out. @returns what they had */
function takeOut({ lots }: PointsState, taken: readonly Lot[]): Range {
  const sum = { lo: 0, hi: 0 };
  for (const lot of taken) {
    add(sum, lot);
    lots.delete(Math.floor(lot.at / 1_000));
  }
  return sum;
}

function remind(state: PointsState, [at, points]: DatedPoints): void {
  const before = takeOut(state, lotsOf(state, at));
  take(state.other, { lo: points - before.hi, hi: points - before.lo });
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
 * All lots whose time has come expire, and points of which no event said when they expire. More
 * points than those are of the lots that are next: clocks differ, and points expire in the order of
 * their dates.
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
  state.isWhole = false;
}

/** @param isExplained the event also says by how much it changed the balance */
function stateBalance(state: PointsState, stated: number, isExplained: boolean): void {
  const difference = state.balance === undefined ? 0 : stated - state.balance;
  state.balance = stated;
  state.isMerging = false;
  if (difference > SMALLEST) {
    add(state.other, { lo: difference, hi: difference });
  } else if (difference < -SMALLEST) {
    loosen(state, -difference);
  }
  state.isWhole &&= Math.abs(difference) <= SMALLEST || (!isExplained && difference < 0);
  if (stated <= SMALLEST) {
    state.lots.clear();
    Object.assign(state.other, { lo: 0, hi: 0 });
  }
}
