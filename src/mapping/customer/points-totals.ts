import { isNewer } from './customer-state.ts';
import { numberFact } from './dated.ts';
import type { FactGroups, FactsByCustomer } from './facts.ts';
import { newestSnapshotIn } from './logged-snapshots.ts';
import { mergedBefore } from './merged-before.ts';
import { mergesInto, pointsOf, PROGRAM_FACTS, programLog } from './points-history.ts';
import { byTime, type DatedPoints, type LoggedEntry } from './points-log.ts';
import { rounded } from './points-range.ts';
import { knownLots } from './points-state.ts';
import { isAfter, newestOf } from './program-standing.ts';

type PointsTotal = 'redeemed' | 'expired' | 'adjusted' | 'returned';

/** Totals since the registration, and the lots that are going to expire. */
export interface PointsTotals {
  /** The newest event that they are based on. */
  readonly at: number;
  readonly by: string;
  /** Undefined if not all lots are known. */
  readonly lots: readonly DatedPoints[] | undefined;
  /** True if an event said when points expire. */
  readonly hasLots: boolean;
  /** Undefined if not all events since the registration are known. */
  readonly sums: { readonly [total in PointsTotal]: number | undefined } | undefined;
  readonly promised: number | undefined;
}

/**
 * The totals of a lane's own customer, with those of the customers that were merged into it.
 *
 * @param now epoch ms: lots that expire earlier are left out
 * @returns undefined if no event said anything about the points
 */
export function totalsOf(
  customers: FactsByCustomer,
  programId: string,
  now: number,
): PointsTotals | undefined {
  const [customer] = customers;
  if (customer === undefined) {
    return undefined;
  }
  const log = programLog(customer, programId);
  const merges = mergesInto(customer, customers);
  // By time: the last entry of a log can have another place for its balance.
  const newest = newestOf<Pick<LoggedEntry, 'at' | 'by'>>([...log, ...merges], byTime);
  if (newest === undefined) {
    return undefined;
  }
  const state = pointsOf(customer, customers, programId);
  const isClear = !hasLateEntries(customer, customers, programId);
  const isWhole = state.isWhole && isClear && !(state.isMerging && state.isFetched);
  const logs = isWhole ? logsOf(customer, customers, programId) : [];
  const sum = (name: 'o' | 'e' | 'a' | 't'): number | undefined => {
    const total = totalIn(logs, name);
    return total === undefined ? undefined : rounded(total);
  };
  return {
    at: newest.at,
    by: newest.by,
    lots: isClear ? knownLots(state, now) : undefined,
    hasLots: state.lots.size > 0,
    sums: isWhole
      ? { redeemed: sum('o'), expired: sum('e'), adjusted: sum('a'), returned: sum('t') }
      : undefined,
    promised: promisedOf(customer, programId, log, isWhole ? logs : undefined),
  };
}

/**
 * True if a merged customer has events after a snapshot of the customer that covers both. They
 * should be the survivor's, so what they do to the survivor's points is not known.
 */
function hasLateEntries(customer: FactGroups, customers: FactsByCustomer, programId: string): boolean {
  const log = programLog(customer, programId);
  const snapshot = log[newestSnapshotIn(log)];
  return (
    snapshot !== undefined &&
    [...mergedBefore(customer, snapshot, customers)].some((victim) =>
      programLog(victim, programId).some((entry) => entry.s === undefined && byTime(entry, snapshot) > 0),
    )
  );
}

/** The log of a customer and of all that were merged into it, each from its newest snapshot on. */
function logsOf(
  customer: FactGroups,
  customers: FactsByCustomer,
  programId: string,
  seen = new Set<FactGroups>(),
): readonly LoggedEntry[] {
  seen.add(customer);
  const log = programLog(customer, programId);
  const snapshotAt = newestSnapshotIn(log);
  const from = log[snapshotAt]?.at ?? Number.NEGATIVE_INFINITY;
  const merged = mergesInto(customer, customers).flatMap(({ at, victim }) =>
    victim === undefined || seen.has(victim) || at <= from ? [] : logsOf(victim, customers, programId, seen),
  );
  const counted = snapshotAt > 0 ? log.slice(snapshotAt) : log;
  return merged.length === 0 ? counted : [...counted, ...merged];
}

/** Promised points: as an event or a snapshot stated them, or all since the registration. */
function promisedOf(
  customer: FactGroups,
  programId: string,
  log: readonly LoggedEntry[],
  all: readonly LoggedEntry[] | undefined,
): number | undefined {
  const fact = numberFact(customer.get(PROGRAM_FACTS)?.get(programId), 'promised');
  const snapshot = log[newestSnapshotIn(log)];
  const stated = fact !== undefined && snapshot !== undefined && isNewer(snapshot, fact) ? undefined : fact;
  const changes = stated === undefined ? all : log.filter((entry) => isAfter(entry, stated));
  const sum = changes === undefined ? undefined : totalIn(changes, 'p');
  const promised = sum === undefined ? undefined : sum + (stated?.value ?? 0);
  return promised === undefined || promised < 0 ? undefined : rounded(promised);
}

/** Undefined if a snapshot among the entries does not say it. */
function totalIn(entries: readonly LoggedEntry[], name: 'o' | 'e' | 'a' | 't' | 'p'): number | undefined {
  let total = 0;
  for (const entry of entries) {
    if (entry.s !== undefined && entry[name] === undefined) {
      return undefined;
    }
    total += entry[name] ?? 0;
  }
  return total;
}
