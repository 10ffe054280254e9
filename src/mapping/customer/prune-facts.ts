import { CHALLENGES } from './challenges.ts';
import { CONSENT_FACTS, outdatedConsentFacts } from './consents.ts';
import type { CustomerFragment, CustomerState } from './customer-state.ts';
import { type FactGroups, factsIn } from './facts.ts';
import { outdatedItemFacts } from './kept-items.ts';
import { BADGES, COUPONS, GIFTS } from './rewards.ts';
import { clockOf } from './state-clock.ts';

const ITEM_GROUPS = [COUPONS, GIFTS, BADGES, CHALLENGES];

/** Facts whose number grows with the number of events. */
const BOUNDED_FACT = new RegExp(
  `^@(?:${[CONSENT_FACTS, ...ITEM_GROUPS.map(({ group }) => group)].join('|')})\\[`,
);

/**
 * Removes facts that can no longer change the record. Each rule judges by the state itself and
 * never takes back what it once removed, so the order in which events arrive does not matter.
 */
export function pruneFacts(state: CustomerState): void {
  const fragments = [state.own, ...state.merged.values()];
  if (!fragments.some(hasBoundedFacts)) {
    return;
  }
  const customers = fragments.map(({ attributes }) =>
    factsIn(new Map([...attributes].filter(([path]) => BOUNDED_FACT.test(path)))),
  );
  for (const path of outdatedFacts(customers, clockOf(state))) {
    for (const { attributes } of fragments) {
      attributes.delete(path);
    }
  }
}

function hasBoundedFacts({ attributes }: CustomerFragment): boolean {
  for (const path of attributes.keys()) {
    if (BOUNDED_FACT.test(path)) {
      return true;
    }
  }
  return false;
}

function outdatedFacts(customers: readonly FactGroups[], clock: number): readonly string[] {
  return [
    ...ITEM_GROUPS.flatMap((group) => outdatedItemFacts(customers, group, clock)),
    ...outdatedConsentFacts(customers),
  ];
}
