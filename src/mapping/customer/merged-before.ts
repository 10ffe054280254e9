import { isNewer } from './attribute-version.ts';
import type { Fact, FactGroups, FactsByCustomer } from './facts.ts';
import { mergesInto } from './points-history.ts';

/**
 * The customers that were merged into one before a snapshot of it, directly or through others: what
 * the snapshot says, it says about them too.
 */
export function mergedBefore(
  survivor: FactGroups,
  snapshot: Pick<Fact, 'at' | 'by'>,
  customers: FactsByCustomer,
): ReadonlySet<FactGroups> {
  const found = new Set<FactGroups>();
  const search = [survivor];
  for (const customer of search) {
    for (const { victim, ...merge } of mergesInto(customer, customers)) {
      if (victim !== undefined && victim !== survivor && !found.has(victim) && isNewer(snapshot, merge)) {
        found.add(victim);
        search.push(victim);
      }
    }
  }
  return found;
}
