import { IDENTITY_FACTS } from './contacts.ts';
import type { FactGroups, FactsByCustomer } from './facts.ts';
import { inOrderWithSnapshots, isDuring } from './logged-snapshots.ts';
import { applyEntry } from './points-lots.ts';
import { absorbPoints, emptyPoints, type PointsState } from './points-state.ts';
import { byTime, logIn, type LoggedEntry, MAX_LOG_ENTRIES, UNKNOWN_PROGRAM } from './points-log.ts';

/** The group of the facts of one loyalty program; the key is the id of the program. */
export const PROGRAM_FACTS = 'p';
/** `@joined[<epoch ms>]`: the customer registered. */
export const JOINED_FACTS = 'joined';
/** `@merged[<customerId>]`: that customer was merged into this one. */
export const MERGED_FACTS = 'merged';

/** Points of a registration can be issued a moment before it is recorded. */
const REGISTRATION_MS = 86_400_000;

/** The points of a customer in a program, with those of the customers that were merged into it. */
export function pointsOf(
  customer: FactGroups,
  customers: FactsByCustomer,
  programId: string,
  seen: ReadonlySet<FactGroups> = new Set(),
): PointsState {
  const log = programLog(customer, programId);
  const merged = mergesInto(customer, customers);
  const [first] = log;
  // A snapshot with lots has what the merges before it added.
  const isSnapshot = first?.s?.lots !== undefined;
  const merges = isSnapshot ? merged.filter(({ at }) => at > first.at) : merged;
  const state = emptyPoints(isNewCustomer(customer, log));
  if (merges.length === 0) {
    for (const entry of log) {
      applyEntry(state, entry);
    }
    return state;
  }
  const steps = [
    ...merges.map(({ at, by, victim }) => ({ at, by, victim, entry: undefined })),
    ...log.map((entry) => ({ at: entry.at, by: entry.by, victim: undefined, entry })),
  ];
  const snapshots = log.filter(({ s }) => s !== undefined);
  const visited = new Set([...seen, customer]);
  for (const { at, entry, victim } of steps.toSorted(inOrder)) {
    if (entry !== undefined) {
      applyEntry(state, entry);
      continue;
    }
    const isKnown =
      victim !== undefined &&
      !visited.has(victim) &&
      !snapshots.some((snapshot) => isDuring({ at }, snapshot));
    absorbPoints(state, isKnown ? pointsOf(victim, customers, programId, visited) : emptyPoints(false));
  }
  return state;
}

interface Step {
  readonly at: number;
  readonly by: string;
  readonly entry: LoggedEntry | undefined;
}

/** A merge comes before what its own event says; the log has its own order. */
function inOrder(a: Step, b: Step): number {
  const order = a.at - b.at || Number(a.entry !== undefined) - Number(b.entry !== undefined);
  return order !== 0 || a.entry !== undefined ? order : byTime(a, b);
}

/** A record needs the log of a program several times. */
const logs = new WeakMap<FactGroups, Map<string, readonly LoggedEntry[]>>();

/** The log of a program with the events that say none, if the customer has no other program. */
export function programLog(customer: FactGroups, programId: string): readonly LoggedEntry[] {
  const byProgram = logs.get(customer);
  const known = byProgram?.get(programId);
  if (known !== undefined) {
    return known;
  }
  const log = readLog(customer, programId);
  if (byProgram === undefined) {
    logs.set(customer, new Map([[programId, log]]));
  } else {
    byProgram.set(programId, log);
  }
  return log;
}

function readLog(customer: FactGroups, programId: string): readonly LoggedEntry[] {
  const programs = customer.get(PROGRAM_FACTS);
  const facts = programs?.get(programId);
  const own = logIn(facts);
  const unknown = programId === UNKNOWN_PROGRAM ? undefined : programs?.get(UNKNOWN_PROGRAM);
  const shared = logIn(unknown);
  if (shared.length === 0) {
    return inOrderWithSnapshots(own, facts);
  }
  const isOnly = [...(programs?.keys() ?? [])].every((id) => id === programId || id === UNKNOWN_PROGRAM);
  const events = isOnly ? shared : shared.map(({ at, by }) => ({ at, by, u: 1 }) satisfies LoggedEntry);
  return inOrderWithSnapshots([...own, ...events], facts);
}

/**
 * A customer whose registration was seen had no points before it. One that is reported long after
 * it happened proves nothing: the points since then were not seen.
 */
export function isNewCustomer(customer: FactGroups, log: readonly LoggedEntry[]): boolean {
  const first = log[0]?.at ?? Number.POSITIVE_INFINITY;
  if (log.length >= MAX_LOG_ENTRIES) {
    return false;
  }
  for (const [epochMs, [joined]] of customer.get(JOINED_FACTS) ?? []) {
    const last = Math.min(first, Number(epochMs)) + REGISTRATION_MS;
    if (joined !== undefined && joined.at <= last) {
      return true;
    }
  }
  return false;
}

const NO_MERGES: readonly Merge[] = [];

export interface Merge {
  readonly at: number;
  readonly by: string;
  /** Undefined if nothing of the merged customer is known. */
  readonly victim: FactGroups | undefined;
}

export function mergesInto(customer: FactGroups, customers: FactsByCustomer): readonly Merge[] {
  const merged = customer.get(MERGED_FACTS);
  if (merged === undefined) {
    return NO_MERGES;
  }
  return [...merged].flatMap(([victimId, [merge]]) =>
    merge === undefined
      ? []
      : [{ at: merge.at, by: merge.by, victim: customers.find((other) => hasId(other, victimId)) }],
  );
}

function hasId(customer: FactGroups, customerId: string): boolean {
  return (
    customer
      .get(IDENTITY_FACTS)
      ?.get('customerId')
      ?.some(({ value }) => value === customerId) === true
  );
}

/** Epoch ms of the newest fact. */
export function newestIn(customers: FactsByCustomer): number {
  let newest = 0;
  for (const groups of customers) {
    for (const keys of groups.values()) {
      for (const facts of keys.values()) {
        for (const { at } of facts) {
          newest = Math.max(newest, at);
        }
      }
    }
  }
  return newest;
}
