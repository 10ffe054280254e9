import { byTime, changeOf, type LoggedEntry } from './points-log.ts';

/*
 * Several events can have the same time: a bill can issue points of several rules at once. The
 * balances that they state tell their order: each begins with the balance that another one left.
 */

const SAME_BALANCE = 1e-6;

/**
 * The entries in the order in which they happened. It depends on nothing but the entries, so the
 * order of arrival does not matter.
 *
 * @param before the balance before the first one, if it is known
 */
export function inOrderOfEvents(entries: readonly LoggedEntry[], before?: number): readonly LoggedEntry[] {
  const sorted = entries.toSorted(byTime);
  if (!sorted.some(({ at }, index) => at === sorted[index - 1]?.at)) {
    return sorted;
  }
  const ordered: LoggedEntry[] = [];
  let balance = before;
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (sorted[end]?.at === sorted[start]?.at) {
      end += 1;
    }
    for (const entry of end - start > 1 ? chained(sorted.slice(start, end), balance) : [sorted[start]]) {
      if (entry !== undefined) {
        ordered.push(entry);
        balance = balanceAfter(balance, entry);
      }
    }
    start = end;
  }
  return ordered;
}

/** Entries of the same time. */
function chained(entries: readonly LoggedEntry[], before: number | undefined): readonly LoggedEntry[] {
  const left = entries.toSorted((a, b) => rank(a) - rank(b));
  const ordered: LoggedEntry[] = [];
  let balance = before;
  while (left.length > 0) {
    const next = nextOf(left, balance);
    const [entry] = left.splice(next, 1);
    if (entry !== undefined) {
      ordered.push(entry);
      balance = balanceAfter(balance, entry);
    }
  }
  return ordered;
}

/** The position of the entry that comes next after a balance. */
function nextOf(left: readonly LoggedEntry[], balance: number | undefined): number {
  const begins = (at: number | undefined) => left.findIndex((entry) => isSame(balanceBefore(entry), at));
  const follows = begins(balance);
  if (follows !== -1) {
    return follows;
  }
  const leads = left.findIndex(
    (entry) => entry.b === undefined && begins(balanceAfter(balance, entry)) !== -1,
  );
  if (leads !== -1) {
    return leads;
  }
  // The first of a chain: no other balance leads to it.
  const first = left.findIndex(
    (entry) =>
      entry.b !== undefined &&
      !left.some((other) => other !== entry && isSame(other.b, balanceBefore(entry))),
  );
  return Math.max(0, first);
}

/** Of events that state no balance: points are issued before they can be moved, taken or expire. */
function rank({ b, i, r, m, d, e }: LoggedEntry): number {
  if (b !== undefined) {
    return 0;
  }
  if (i !== undefined) {
    return 1;
  }
  if (r !== undefined) {
    return 3;
  }
  if (m !== undefined) {
    return 4;
  }
  if (e !== undefined) {
    return 6;
  }
  return d !== undefined && d < 0 ? 5 : 2;
}

function balanceBefore(entry: LoggedEntry): number | undefined {
  const change = changeOf(entry);
  return entry.b === undefined || change === undefined ? undefined : entry.b - change;
}

function balanceAfter(balance: number | undefined, entry: LoggedEntry): number | undefined {
  if (entry.b !== undefined) {
    return entry.b;
  }
  return balance === undefined || entry.u === 1 ? undefined : balance + (changeOf(entry) ?? 0);
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && Math.abs(a - b) < SAME_BALANCE;
}
