import type { JsonValue } from '../../capillary/json.ts';
import { isNewer } from './customer-state.ts';
import { type Fact, factNamed, type FactGroups, type FactsByCustomer } from './facts.ts';
import { mergesInto, pointsOf, PROGRAM_FACTS, programLog } from './points-history.ts';
import { byTime, changeOf, type DatedPoints, type LoggedEntry, MAX_LOG_ENTRIES } from './points-log.ts';
import { knownLots } from './points-state.ts';
import { rounded } from './points-range.ts';

/** A value with the time of the newest event that it is based on; null: no longer known. */
export interface Dated<Value extends JsonValue = JsonValue> {
  readonly value: Value;
  readonly at: number;
  readonly by: string;
}

/** A customer's standing in one program, as far as it is known. */
export interface ProgramStanding {
  readonly points: Dated<number | null> | undefined;
  readonly lifetime: Dated<number> | undefined;
  /** The tier's name is not stored: it can become known later. */
  readonly tier: Dated<number> | undefined;
  readonly tierExpiry: Dated<string> | undefined;
  /** When the customer reached the tier; undefined after a downgrade. */
  readonly upgraded: Dated<string> | undefined;
  /** Set while the customer is about to lose the tier: when, or true if that is not known. */
  readonly risk: Dated<string | true> | undefined;
}

/**
 * The standing of one customer in one program, from these facts:
 * - `points`, `lifetime`, `promised`: as an event stated them
 * - `log[<event>]`: what each event said about points (`points-log.ts`)
 * - `tier`, `tierExpiry`: number and expiry date of the tier
 * - `upgraded`, `downgraded`: date of the last change of the tier
 * - `risk`: the date of a coming downgrade
 *
 * @param earlier a balance that an older relay stored
 */
export function standingOf(
  customer: FactGroups,
  programId: string,
  earlier?: Dated<number>,
): ProgramStanding {
  const facts = customer.get(PROGRAM_FACTS)?.get(programId);
  const points = balanceOf(customer, programId, earlier);
  const upgraded = textFact(facts, 'upgraded');
  const downgraded = factNamed(facts, 'downgraded');
  const isUpgradeValid =
    upgraded !== undefined && (downgraded === undefined || !isNewer(downgraded, upgraded));
  const [lifetime, tier] = [lifetimeOf(customer, programId), numberFact(facts, 'tier')];
  const tierExpiry = textFact(facts, 'tierExpiry');
  const risk = riskIn(facts, tier);
  return { points, lifetime, tier, tierExpiry, upgraded: isUpgradeValid ? upgraded : undefined, risk };
}

/** A newer event about the tier ends the risk. */
function riskIn(
  facts: readonly Fact[] | undefined,
  tier: Dated | undefined,
): Dated<string | true> | undefined {
  const risk = factNamed(facts, 'risk');
  const { value, at, by } = risk ?? { value: null, at: 0, by: '' };
  const isOver = tier !== undefined && !isNewer({ at, by }, tier);
  return !isOver && (typeof value === 'string' || value === true) ? { value, at, by } : undefined;
}

/**
 * The stated balance and the changes after it that no event stated. Without a stated balance, or if
 * the changes lead below zero, the balance is not known: null.
 */
function balanceOf(
  customer: FactGroups,
  programId: string,
  earlier?: Dated<number>,
): Dated<number | null> | undefined {
  const points = factNamed(customer.get(PROGRAM_FACTS)?.get(programId), 'points');
  const fact =
    points !== undefined && (earlier === undefined || isNewer(points, earlier))
      ? { value: typeof points.value === 'number' ? points.value : null, at: points.at, by: points.by }
      : earlier;
  const log = programLog(customer, programId);
  const last = log.findLastIndex(({ b }) => b !== undefined);
  const logged = log[last];
  // Of several balances of the same time the log knows which one is the last.
  const isLogged = logged?.b !== undefined && logged.at === fact?.at;
  const stated = isLogged ? { value: logged.b, at: logged.at, by: logged.by } : fact;
  const later = isLogged
    ? changesIn(log, last + 1)
    : changesIn(log, 0).filter((change) => stated === undefined || isAfter(change, stated));
  const newest = later.at(-1);
  if (newest === undefined) {
    return stated;
  }
  const isComplete =
    log.length < MAX_LOG_ENTRIES ||
    isLogged ||
    log.some((entry) => stated !== undefined && !isAfter(entry, stated));
  const sum = later.reduce<number | null>(
    (total, { value }) => (total === null || value === null ? null : total + value),
    isComplete ? (stated?.value ?? null) : null,
  );
  const value = sum === null || sum < 0 ? null : rounded(sum);
  return { value, at: newest.at, by: newest.by };
}

/** All points ever, as the newest event states them. */
function lifetimeOf(customer: FactGroups, programId: string): Dated<number> | undefined {
  const stated = numberFact(customer.get(PROGRAM_FACTS)?.get(programId), 'lifetime');
  const last = programLog(customer, programId).findLast(({ l }) => l !== undefined);
  return last?.l !== undefined && last.at === stated?.at
    ? { value: last.l, at: last.at, by: last.by }
    : stated;
}

interface Change {
  /** null: not known. */
  readonly value: number | null;
  readonly at: number;
  readonly by: string;
}

/** The changes of a balance that no event stated, from an index of the log on. */
function changesIn(log: readonly LoggedEntry[], from: number): readonly Change[] {
  const changes: Change[] = [];
  for (let index = from; index < log.length; index += 1) {
    const entry = log[index];
    const value = entry?.u === 1 ? null : entry && changeOf(entry);
    if (entry !== undefined && entry.b === undefined && value !== undefined) {
      changes.push({ value, at: entry.at, by: entry.by });
    }
  }
  return changes;
}

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
  readonly sums: { readonly [total in 'redeemed' | 'expired' | 'adjusted' | 'returned']: number } | undefined;
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
  const logs = state.isWhole ? logsOf(customer, customers, programId) : [];
  const sum = (name: 'o' | 'e' | 'a' | 't'): number =>
    rounded(logs.reduce((total, entry) => total + (entry[name] ?? 0), 0));
  return {
    at: newest.at,
    by: newest.by,
    lots: knownLots(state, now),
    hasLots: state.lots.size > 0,
    sums: state.isWhole
      ? { redeemed: sum('o'), expired: sum('e'), adjusted: sum('a'), returned: sum('t') }
      : undefined,
    promised: promisedOf(customer, programId, log, state.isWhole ? logs : undefined),
  };
}

/** The first of those that no other one is newer than. */
export function newestOf<Value>(
  candidates: readonly (Value | undefined)[],
  compare: (a: Value, b: Value) => number,
): Value | undefined {
  let newest: Value | undefined;
  for (const candidate of candidates) {
    if (candidate !== undefined && (newest === undefined || compare(newest, candidate) < 0)) {
      newest = candidate;
    }
  }
  return newest;
}

/** The log of a customer and of all that were merged into it. */
function logsOf(
  customer: FactGroups,
  customers: FactsByCustomer,
  programId: string,
  seen = new Set<FactGroups>(),
): readonly LoggedEntry[] {
  seen.add(customer);
  const merged = mergesInto(customer, customers).flatMap(({ victim }) =>
    victim === undefined || seen.has(victim) ? [] : logsOf(victim, customers, programId, seen),
  );
  const log = programLog(customer, programId);
  return merged.length === 0 ? log : [...log, ...merged];
}

/** Promised points: as an event stated them, or all since the registration. */
function promisedOf(
  customer: FactGroups,
  programId: string,
  log: readonly LoggedEntry[],
  all: readonly LoggedEntry[] | undefined,
): number | undefined {
  const stated = numberFact(customer.get(PROGRAM_FACTS)?.get(programId), 'promised');
  const changes = stated === undefined ? all : log.filter((entry) => isAfter(entry, stated));
  const sum = changes?.reduce((total, { p = 0 }) => total + p, stated?.value ?? 0);
  return sum === undefined || sum < 0 ? undefined : rounded(sum);
}

/** True if `a` is newer than `b` and not of the same event. */
export function isAfter(a: Pick<Fact, 'at' | 'by'>, b: Pick<Fact, 'at' | 'by'>): boolean {
  return isNewer(a, b) && !(a.at === b.at && a.by === b.by);
}

function numberFact(facts: readonly Fact[] | undefined, name: string): Dated<number> | undefined {
  const fact = factNamed(facts, name);
  return fact !== undefined && typeof fact.value === 'number'
    ? { value: fact.value, at: fact.at, by: fact.by }
    : undefined;
}

function textFact(facts: readonly Fact[] | undefined, name: string): Dated<string> | undefined {
  const fact = factNamed(facts, name);
  return fact !== undefined && typeof fact.value === 'string'
    ? { value: fact.value, at: fact.at, by: fact.by }
    : undefined;
}
