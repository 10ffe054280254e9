import { isNever } from '../../capillary/times.ts';
import { add, type Range, rounded, SMALLEST, take } from './points-range.ts';
import type { DatedPoints } from './points-log.ts';

/** The points that expire at one time. */
export interface Lot extends Range {
  /** Epoch ms at which the points expire. */
  readonly at: number;
  /** How many awards of points it consists of. */
  awards: number;
  /** True if the points can expire at any time of the day that ends at `at`. */
  readonly isDay?: true;
}

/** What is known of the points of one customer in one program. */
export interface PointsState {
  /** By second: the same time can be given with and without milliseconds. */
  readonly lots: Map<number, Lot>;
  /** Points of which no event said when they expire. */
  readonly other: Range;
  /** Points that are in no lot although all lots were listed: they never expire, or are due. */
  readonly undated: Range;
  /** The lots among `lots` that stand for a whole day; undefined if there are none. */
  days: readonly Lot[] | undefined;
  /** Undefined before an event states it. */
  balance: number | undefined;
  /** By how much reminders changed the lots, which no event about the balance explains yet. */
  unexplained: number;
  /** True while each change of the balance is explained by an event. */
  isWhole: boolean;
  /** True after a merge until an event states the balance of both. */
  isMerging: boolean;
  /** True if a snapshot is part of it, perhaps of both customers of a later merge. */
  isFetched: boolean;
}

const HOUR_MS = 3_600_000;
/** A date without a time is the end of its day; the other times of that day are earlier. */
const DAY_WINDOW_MS = 22 * HOUR_MS;
/** Less than from the end of a day to that of the next one. */
const NEAR_MS = 23 * HOUR_MS;
/** Expiry of points that never expire. */
export const NEVER_MS = Date.UTC(2200, 0, 1);
const DAY_MS = 24 * HOUR_MS;
const MAX_LISTED = 500;

/** @param isNew the customer had no points before the log begins */
export function emptyPoints(isNew: boolean): PointsState {
  return {
    lots: new Map(),
    other: { lo: 0, hi: isNew ? 0 : Number.POSITIVE_INFINITY },
    undated: { lo: 0, hi: 0 },
    days: undefined,
    balance: isNew ? 0 : undefined,
    unexplained: 0,
    isWhole: isNew,
    isMerging: false,
    isFetched: false,
  };
}

/** Adds the points of a customer that was merged into this one. */
export function absorbPoints(state: PointsState, victim: PointsState): void {
  for (const { at, lo, hi, awards, isDay } of victim.lots.values()) {
    add(isDay === true ? dayLotAt(state, at) : lotAt(state, at), { lo, hi }, awards);
  }
  add(state.other, victim.other);
  add(state.undated, victim.undated);
  state.balance =
    state.balance === undefined || victim.balance === undefined ? undefined : state.balance + victim.balance;
  state.unexplained += victim.unexplained;
  state.isWhole &&= victim.isWhole;
  state.isFetched ||= victim.isFetched;
  state.isMerging = true;
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
    .filter(({ at }) => !isNever(at, after))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, MAX_LISTED)
    .map(({ at, hi }) => [at, rounded(hi)]);
}

export function lotAt({ lots, days }: PointsState, at: number): Lot {
  const key = keyOf(at);
  const lot = lots.get(key) ?? days?.find((day) => isWithin(day, at)) ?? { at, lo: 0, hi: 0, awards: 0 };
  lots.set(keyOf(lot.at), lot);
  return lot;
}

/**
 * The lot of a day, with the points that were known to expire on it: the same points must not be
 * listed twice. How many awards of points a day has is not known, so it never counts as one.
 *
 * @param at epoch ms of the end of the day
 */
export function dayLotAt(state: PointsState, at: number): Lot {
  const known = state.lots.get(keyOf(at));
  if (known?.isDay === true) {
    return known;
  }
  const day: Lot = { at, lo: 0, hi: 0, awards: 2, isDay: true };
  const sameDay = [...state.lots.values()].filter((lot) => isWithin(day, lot.at));
  add(day, takeOut(state, sameDay));
  state.lots.set(keyOf(at), day);
  state.days = [...(state.days ?? []), day];
  return day;
}

/** True if a time is on the day of a lot. */
export function isWithin(day: Lot, at: number): boolean {
  return at <= day.at && at > day.at - DAY_MS;
}

function keyOf(at: number): number {
  return Math.floor(at / 1_000);
}

/** The lots of a time, or of its day if it is the end of a day. */
export function lotsOf(state: PointsState, at: number): readonly Lot[] {
  const exact = state.lots.get(keyOf(at)) ?? state.days?.find((day) => isWithin(day, at));
  return exact === undefined
    ? [...state.lots.values()].filter((lot) => lot.at <= at && lot.at > at - DAY_WINDOW_MS)
    : [exact];
}

/** All points, by when they expire as far as that is known. */
function rangesOf({ lots, other, undated }: PointsState): readonly Range[] {
  return [other, undated, ...lots.values()];
}

/** There are no points. */
export function clearLots(state: PointsState): void {
  state.lots.clear();
  state.days = undefined;
  Object.assign(state.other, { lo: 0, hi: 0 });
  Object.assign(state.undated, { lo: 0, hi: 0 });
}

/** True if there are no other points than those of the lots, and none of these is uncertain. */
export function isComplete({ lots, other, isMerging }: PointsState): boolean {
  return !isMerging && other.hi <= SMALLEST && [...lots.values()].every(({ lo, hi }) => hi - lo <= SMALLEST);
}

/** True if a lot expires at about that time: in another time zone it can be the same date. */
export function hasLotNear({ lots }: PointsState, at: number): boolean {
  return [...lots.values()].some((lot) => Math.abs(lot.at - at) < NEAR_MS && lot.hi > SMALLEST);
}

/** Takes lots out. @returns what they had */
export function takeOut(state: PointsState, taken: readonly Lot[]): Range {
  const sum = { lo: 0, hi: 0 };
  for (const lot of taken) {
    add(sum, lot);
    state.lots.delete(keyOf(lot.at));
  }
  if (state.days !== undefined) {
    state.days = state.days.filter((day) => !taken.includes(day));
  }
  return sum;
}

/** Points were taken, and it is not known of which lots. */
export function loosen(state: PointsState, points: number): void {
  for (const range of rangesOf(state)) {
    range.lo = Math.max(0, range.lo - points);
  }
}

/** Takes points that are in no lot: first those that are listed nowhere. */
export function takeUndated({ undated, other }: PointsState, { lo, hi }: Range): void {
  const before = { ...undated };
  take(undated, { lo, hi });
  take(other, { lo: lo - before.hi, hi: hi - before.lo });
}
