import { isNewer } from './customer-state.ts';
import { type Dated, numberFact } from './dated.ts';
import type { FactGroups } from './facts.ts';
import { newestSnapshotIn } from './logged-snapshots.ts';
import { mergesInto, PROGRAM_FACTS, programLog } from './points-history.ts';
import { changeOf, type LoggedEntry } from './points-log.ts';
import { rounded } from './points-range.ts';

/*
 * What a customer has ever earned and paid in a program. A snapshot says it of this customer alone:
 * after a later merge it is known of neither customer, until an event or a snapshot states it.
 */

/**
 * All points ever, as the newest event or snapshot states them, and what was issued after a
 * snapshot by events that do not state them.
 */
export function lifetimeOf(customer: FactGroups, programId: string): Dated<number | null> | undefined {
  const stated = statedLifetimeOf(customer, programId);
  const log = programLog(customer, programId);
  if (newestSnapshotIn(log) === -1) {
    return stated;
  }
  const lastAt = log.findLastIndex(({ s, l }) => s !== undefined && l !== undefined);
  const last = log[lastAt];
  if (last?.l === undefined || (stated !== undefined && !isNewer(last, stated))) {
    return stated;
  }
  const issued = log.slice(lastAt + 1).filter(({ i }) => i !== undefined);
  const value = issued.reduce((sum, entry) => sum + (changeOf(entry) ?? 0), last.l);
  const { at, by } = issued.at(-1) ?? last;
  return unlessMerged(customer, last, { value: rounded(value), at, by });
}

/** As the newest event states it. */
export function statedLifetimeOf(customer: FactGroups, programId: string): Dated<number> | undefined {
  const stated = numberFact(customer.get(PROGRAM_FACTS)?.get(programId), 'lifetime');
  // Of several events of the same time the log knows which one is the last.
  const last = programLog(customer, programId).findLast(({ s, l }) => s === undefined && l !== undefined);
  return last?.l !== undefined && last.at === stated?.at
    ? { value: last.l, at: last.at, by: last.by }
    : stated;
}

/** Net amount of all purchases. */
export function purchasesOf(customer: FactGroups, programId: string): Dated<number | null> | undefined {
  const log = programLog(customer, programId);
  const said = newestSnapshotIn(log) === -1 ? undefined : log.findLast(({ s }) => s?.purchases !== undefined);
  return said?.s?.purchases === undefined
    ? undefined
    : unlessMerged(customer, said, { value: said.s.purchases, at: said.at, by: said.by });
}

function unlessMerged(
  customer: FactGroups,
  snapshot: LoggedEntry,
  known: Dated<number>,
): Dated<number | null> {
  const later = mergesInto(customer, []).find(({ at }) => at > snapshot.at);
  return later === undefined ? known : { value: null, at: later.at, by: later.by };
}
