import { isJsonObject } from '../../capillary/json.ts';
import { type Fact, factNamed } from './facts.ts';
import { byTime, changeOf, type DatedPoints, type LoggedEntry, MAX_LOG_ENTRIES } from './points-log.ts';
import { inOrderOfEvents } from './points-order.ts';

/*
 * What Capillary's API said about the points of a customer in one program is one fact, which the
 * log takes in at the time of the fetch:
 * - `@p[<program>].snap`: balance, totals and all lots. Nothing before it has any influence.
 * - `@p[<program>].snapBalance`: the same without lots. The lots are those of before, as far as
 *   they agree with the balance. It has a name of its own, because it must not replace known lots.
 */
export const SNAPSHOT = 'snap';
export const BALANCE_SNAPSHOT = 'snapBalance';

/**
 * The version of a snapshot is when the request was sent, by the clock that is behind; what was
 * answered can be newer by that much.
 */
const READING_MS = 2_000;
const SAME_BALANCE = 1e-6;

/**
 * The names of the values are those of the log (`PointsEntry`), but `o`, `e`, `a`, `t` and `p` are
 * totals since the registration.
 */
export interface StoredSnapshot {
  /** Points that can be redeemed. */
  readonly b: number;
  readonly l?: number | undefined;
  readonly o?: number | undefined;
  readonly e?: number | undefined;
  readonly a?: number | undefined;
  readonly t?: number | undefined;
  readonly p?: number | undefined;
  /** Net amount of all purchases. */
  readonly c?: number | undefined;
  /** All points that are going to expire, by the end of the day on which they expire. */
  readonly i?: readonly DatedPoints[] | undefined;
}

/** The entries of a program's log in their order, with the snapshots that count. */
export function inOrderWithSnapshots(
  entries: readonly LoggedEntry[],
  facts: readonly Fact[] | undefined,
): readonly LoggedEntry[] {
  const snapshots = snapshotsIn(facts);
  if (snapshots.length === 0) {
    return inOrderOfEvents(entries);
  }
  const log: LoggedEntry[] = [];
  let last: LoggedEntry | undefined;
  let left = entries;
  for (const snapshot of snapshots) {
    if (snapshot.s?.lots === undefined) {
      const earlier = left.filter((entry) => byTime(entry, snapshot) < 0);
      log.push(...entriesAfter(last, inOrderOfEvents(earlier, last?.b)));
    }
    left = left.filter((entry) => byTime(entry, snapshot) > 0);
    log.push(snapshot);
    if (left.length >= MAX_LOG_ENTRIES) {
      // What came directly after the snapshot can have been removed from the log.
      log.push({ at: snapshot.at, by: snapshot.by, u: 1 });
    }
    last = snapshot;
  }
  log.push(...entriesAfter(last, inOrderOfEvents(left, last?.b)));
  logsWithSnapshots.add(log);
  return log;
}

/** True if a snapshot can contain what happened at a later time. */
export function isDuring({ at }: { readonly at: number }, snapshot: { readonly at: number }): boolean {
  return at > snapshot.at && at <= snapshot.at + READING_MS;
}

/**
 * The entries after a snapshot. Whether it contains those that came while the answer was read, only
 * a balance that they state can tell.
 */
function entriesAfter(
  snapshot: LoggedEntry | undefined,
  entries: readonly LoggedEntry[],
): readonly LoggedEntry[] {
  if (snapshot === undefined || entries[0] === undefined || !isDuring(entries[0], snapshot)) {
    return entries;
  }
  let balance = snapshot.b;
  return entries.map((entry) => {
    const { at, by, b, l, r } = entry;
    if (!isDuring(entry, snapshot) || r !== undefined) {
      return entry;
    }
    const isContained = isSame(b, balance);
    const isNext = isSame(b, (balance ?? Number.NaN) + (changeOf(entry) ?? Number.NaN));
    balance = b;
    return isNext && !isContained ? entry : { at, by, b, l, ...(isContained ? {} : { u: 1 as const }) };
  });
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && Math.abs(a - b) < SAME_BALANCE;
}

/** At most two: the newest one with lots, and a newer one without. */
function snapshotsIn(facts: readonly Fact[] | undefined): readonly LoggedEntry[] {
  const full = factNamed(facts, SNAPSHOT);
  const balance = factNamed(facts, BALANCE_SNAPSHOT);
  if (full === undefined && balance === undefined) {
    return [];
  }
  const isNewer = balance !== undefined && (full === undefined || byTime(balance, full) > 0);
  return [full, isNewer ? balance : undefined].flatMap((fact) => (fact === undefined ? [] : entryOf(fact)));
}

function entryOf({ value, at, by, name }: Fact): readonly LoggedEntry[] {
  if (!isJsonObject(value)) {
    return [];
  }
  const { b, l, o, e, a, t, p, c, i = [] } = value as unknown as StoredSnapshot;
  const lots = name === SNAPSHOT ? i : undefined;
  return [{ at, by, b, l, o, e, a, t, p, s: { lots, purchases: c } }];
}

/** Most customers have none, and a record asks for them several times. */
const logsWithSnapshots = new WeakSet<readonly LoggedEntry[]>();

/** The position of the newest snapshot in a log; -1 if there is none. */
export function newestSnapshotIn(log: readonly LoggedEntry[]): number {
  return logsWithSnapshots.has(log) ? log.findLastIndex(({ s }) => s !== undefined) : -1;
}
