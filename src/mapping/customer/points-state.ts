import { add, type Range, rounded, SMALLEST } from './points-range.ts';
import type { DatedPoints } from './points-log.ts';

/** The points that expire at one time. */
export interface Lot extends Range {
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
  /** By how much reminders changed the lots, which no event about the balance explains yet. */
  unexplained: number;
  /** True while each change of the balance is explained by an event. */
  isWhole: boolean;
  /** True after a merge until an event states the balance of both. */
  isMerging: boolean;
}

const HOUR_MS = 3_600_000;
/** A date without a time is the end of its day; the other times of that day are earlier. */
const DAY_WINDOW_MS = 22 * HOUR_MS;
/** Less than from the end of a day to that of the next one. */
const NEAR_MS = 23 * HOUR_MS;
/** Expiry of points that never expire. */
export const NEVER_MS = Date.UTC(2200, 0, 1);
const MAX_LISTED = 500;

/** @param isNew the customer had no points before the log begins */
export function emptyPoints(isNew: boolean): PointsState {
  return {
    lots: new Map(),
    other: { lo: 0, hi: isNew ? 0 : Number.POSITIVE_INFINITY },
    balance: isNew ? 0 : undefined,
    unexplained: 0,
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
  state.unexplained += victim.unexplained;
  state.isWhole &&= victim.isWhole;
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
    .filter(({ at }) => at < NEVER_MS)
    .toSorted((a, b) => a.at - b.at)
    .slice(0, MAX_LISTED)
    .map(({ at, hi }) => [at, rounded(hi)]);
}

export function lotAt({ lots }: PointsState, at: number): Lot {
  const key = Math.floor(at / 1_000);
  const lot = lots.get(key) ?? { at, lo: 0, hi: 0, awards: 0 };
  lots.set(key, lot);
  return lot;
}

/** The lots of a time, or of its day if it is the end of a day. */
export function lotsOf(state: PointsState, at: number): readonly Lot[] {
  const exact = state.lots.get(Math.floor(at / 1_000));
  return exact === undefined
    ? [...state.lots.values()].filter((lot) => lot.at <= at && lot.at > at - DAY_WINDOW_MS)
    : [exact];
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
export function takeOut({ lots }: PointsState, taken: readonly Lot[]): Range {
  const sum = { lo: 0, hi: 0 };
  for (const lot of taken) {
    add(sum, lot);
    lots.delete(Math.floor(lot.at / 1_000));
  }
  return sum;
}
