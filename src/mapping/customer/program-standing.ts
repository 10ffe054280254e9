import { isNewer } from './customer-state.ts';
import type { Dated } from './dated.ts';
import { type Fact, factNamed, type FactGroups } from './facts.ts';
import { lifetimeOf, purchasesOf } from './lifetime-values.ts';
import { newestSnapshotIn } from './logged-snapshots.ts';
import { PROGRAM_FACTS, programLog } from './points-history.ts';
import { changeOf, type LoggedEntry, MAX_LOG_ENTRIES } from './points-log.ts';
import { rounded } from './points-range.ts';
import { type TierStanding, tierStandingOf } from './tier-facts.ts';

export type { Dated } from './dated.ts';

/** A customer's standing in one program, as far as it is known. */
export interface ProgramStanding extends TierStanding {
  readonly points: Dated<number | null> | undefined;
  readonly lifetime: Dated<number | null> | undefined;
  /** Net amount of all purchases, as Capillary's API says it: no event does. */
  readonly purchases: Dated<number | null> | undefined;
}

/**
 * The standing of one customer in one program, from these facts:
 * - `points`, `lifetime`, `promised`: as an event stated them
 * - `snap`, `snapBalance`: what Capillary's API said about points (`logged-snapshots.ts`)
 * - `log[<event>]`: what each event said about points (`points-log.ts`)
 * - `tier`, `tierExpiry`: number and expiry date of the tier
 * - `upgraded`, `downgraded`: date of the last change of the tier
 * - `risk`: the date of a coming downgrade
 * - `standing`: what Capillary's API says about the tier (`tier-snapshot.ts`)
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
  const lifetime = lifetimeOf(customer, programId);
  return { points, lifetime, purchases: purchasesOf(customer, programId), ...tierStandingOf(facts) };
}

/**
 * The stated balance, of an event or of a snapshot, and the changes after it that no event stated.
 * Without a stated balance, or if the changes lead below zero, the balance is not known: null.
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
  const snapshotAt = newestSnapshotIn(log);
  const snapshot = log[snapshotAt];
  const isSnapshot = snapshot !== undefined && (fact === undefined || isNewer(snapshot, fact));
  const last = isSnapshot ? snapshotAt : log.findLastIndex(({ b }) => b !== undefined);
  const logged = log[last];
  // Of several balances of the same time the log knows which one is the last.
  const isLogged = logged?.b !== undefined && (isSnapshot || logged.at === fact?.at);
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

/** True if `a` is newer than `b` and not of the same event. */
export function isAfter(a: Pick<Fact, 'at' | 'by'>, b: Pick<Fact, 'at' | 'by'>): boolean {
  return isNewer(a, b) && !(a.at === b.at && a.by === b.by);
}
