import { isJsonObject, type JsonValue } from '../../capillary/json.ts';
import type { Fact } from './facts.ts';

/*
 * What each event says about the points of a customer in one program is kept as one fact,
 * `@p[<program>].log[<event>]`. From these facts the lots that are going to expire and the totals
 * are computed, in the order of their times (`points-lots.ts`, `program-standing.ts`).
 */
export const POINTS_LOG = 'log';

/** The key of events that say no program: they belong to the customer's program if it has one. */
export const UNKNOWN_PROGRAM = '_';

/**
 * At most this many events of a program are kept, the newest ones. With fewer, the log is complete
 * since the relay knows the customer.
 */
export const MAX_LOG_ENTRIES = 200;

/** Points with the time in epoch ms at which they expire. */
export type DatedPoints = readonly [expiresAt: number, points: number];

/** A time that an event did not say. */
export const UNKNOWN_MS = 0;

/** The names are short because the log is stored with every customer. */
export interface PointsEntry {
  /** The balance after the event, as the event states it. */
  readonly b?: number | undefined;
  /** All points ever, stated with the balance. */
  readonly l?: number | undefined;
  /**
   * By how much the event changed the balance, if that is certain; absent if it is the sum of `i`.
   */
  readonly d?: number | undefined;
  /** Issued points that expire. */
  readonly i?: readonly DatedPoints[] | undefined;
  /** Points that expire at a time, as a reminder says. */
  readonly r?: DatedPoints | undefined;
  /** Points whose expiry changed: from, to, points; without points it is the whole lot. */
  readonly m?: readonly (readonly [from: number, to: number, points: number | null])[] | undefined;
  /** Expired points. */
  readonly e?: number | undefined;
  /** Redeemed points; negative if a redemption was reversed. */
  readonly o?: number | undefined;
  /** Points deducted by hand. */
  readonly a?: number | undefined;
  /** Issued points that were taken back after a return. */
  readonly t?: number | undefined;
  /** Promised points that were added, or taken away. */
  readonly p?: number | undefined;
  /** 1: the event changed the points in a way that it does not say. */
  readonly u?: 1 | undefined;
}

export interface LoggedEntry extends PointsEntry {
  readonly at: number;
  readonly by: string;
  /**
   * Set if it is what Capillary's API said (`logged-snapshots.ts`): its sums are totals since the
   * registration.
   */
  readonly s?: PointsSnapshot | undefined;
}

/** What an event does not say, but a snapshot does. */
export interface PointsSnapshot {
  /** All points that are going to expire, by the end of their days; undefined if not read. */
  readonly lots: readonly DatedPoints[] | undefined;
  readonly purchases: number | undefined;
}

/** An event with more expiry dates than that tells nothing about single lots. */
const MAX_DATES = 100;

/** The entry as it is stored; undefined if it says nothing. */
export function storedEntry(entry: PointsEntry): JsonValue | undefined {
  const bounded = withBoundedDates(entry);
  const isSum = entry.d !== undefined && bounded.d === changeOf({ i: bounded.i });
  const known = Object.entries(isSum ? { ...bounded, d: undefined } : bounded).filter(
    ([, value]: [string, unknown]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

function withBoundedDates(entry: PointsEntry): PointsEntry {
  const issued = withoutRepetitions(entry.i ?? []);
  const isTooLong = issued.length > 2 * MAX_DATES;
  return {
    ...entry,
    ...(isTooLong ? { d: entry.d ?? changeOf(entry), i: [] } : { i: issued }),
    ...((entry.m?.length ?? 0) > MAX_DATES ? { m: [[UNKNOWN_MS, UNKNOWN_MS, null]] } : {}),
  };
}

/**
 * The lines of a bill usually expire at the same time. Two awards stand for all of one time: only
 * whether a lot consists of one award or of several matters.
 */
function withoutRepetitions(issued: readonly DatedPoints[]): readonly DatedPoints[] {
  if (issued.length <= 2) {
    return issued;
  }
  const awards = new Map<number, [first: number, others: number | undefined]>();
  for (const [at, points] of issued) {
    const known = awards.get(at);
    awards.set(at, known === undefined ? [points, undefined] : [known[0], (known[1] ?? 0) + points]);
  }
  return [...awards].flatMap(([at, [first, others]]): readonly DatedPoints[] =>
    others === undefined
      ? [[at, first]]
      : [
          [at, first],
          [at, others],
        ],
  );
}

/** By how much the event changed the balance; undefined if that is not certain. */
export function changeOf({ d, i }: PointsEntry): number | undefined {
  return d ?? i?.reduce((sum, [, points]) => sum + points, 0);
}

/** The log among the facts of a program, in no order. */
export function logIn(facts: readonly Fact[] | undefined): readonly LoggedEntry[] {
  const entries: LoggedEntry[] = [];
  for (const { name, value, at, by } of facts ?? []) {
    if (name === POINTS_LOG && isJsonObject(value)) {
      // Field by field, so that all entries have one form: this runs for each event of a customer.
      const { b, l, d, i, r, m, e, o, a, t, p, u } = value as PointsEntry;
      entries.push({ at, by, b, l, d, i, r, m, e, o, a, t, p, u, s: undefined });
    }
  }
  return entries;
}

export function byTime(
  a: { readonly at: number; readonly by: string },
  b: { readonly at: number; readonly by: string },
): number {
  return a.at - b.at || (a.by < b.by ? -1 : 1);
}
