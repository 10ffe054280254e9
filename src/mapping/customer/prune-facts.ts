import type { JsonValue } from '../../capillary/json.ts';
import { pruneSurplusFacts } from './bounded-facts.ts';
import { CHALLENGES } from './challenges.ts';
import { CONSENT_FACTS, outdatedConsentFacts } from './consents.ts';
import type { CustomerFragment, CustomerState } from './customer-state.ts';
import { type FactGroups, factsIn } from './facts.ts';
import { type IdentityNamespaces, removeGoneIdentities } from './gone-identities.ts';
import { removeOutdatedIdentities } from './identity-facts.ts';
import { pruneJoinDates } from './loyalty-membership.ts';
import { outdatedItemFacts, type Reductions } from './kept-items.ts';
import { prunePointsLogs } from './prune-points-log.ts';
import { BADGES, COUPONS, GIFTS } from './rewards.ts';
import { clockOf } from './state-clock.ts';

const ITEM_GROUPS = [COUPONS, GIFTS, BADGES, CHALLENGES];

/** Facts whose number grows with the number of events. */
const BOUNDED_FACT = new RegExp(
  `^@(?:${[CONSENT_FACTS, ...ITEM_GROUPS.map(({ group }) => group)].join('|')})\\[`,
);

/** What the pruning of facts depends on besides the state. */
export interface PruneContext {
  readonly destination: { readonly identity: { readonly namespaces: IdentityNamespaces } };
}

/**
 * Removes facts that can no longer change the record. Each rule judges by the state itself and
 * never takes back what it once removed, so the order in which events arrive does not matter.
 */
export function pruneFacts(state: CustomerState, lane: string, { destination }: PruneContext): void {
  const fragments = [state.own, ...state.merged.values()];
  for (const { attributes } of fragments) {
    removeOutdatedIdentities(attributes);
  }
  removeGoneIdentities(state, lane, destination.identity.namespaces);
  for (const { attributes } of fragments) {
    pruneJoinDates(attributes);
    prunePointsLogs(attributes);
    pruneSurplusFacts(attributes);
  }
  if (!fragments.some(hasBoundedFacts)) {
    return;
  }
  const customers = fragments.map(({ attributes }) =>
    factsIn(new Map([...attributes].filter(([path]) => BOUNDED_FACT.test(path)))),
  );
  for (const reductions of reductionsOf(customers, clockOf(state))) {
    for (const [path, value] of reductions) {
      for (const { attributes } of fragments) {
        reduceFact(attributes, path, value);
      }
    }
  }
}

function reduceFact(
  attributes: CustomerFragment['attributes'],
  path: string,
  value: JsonValue | undefined,
): void {
  const version = attributes.get(path);
  if (version !== undefined && value === undefined) {
    attributes.delete(path);
  } else if (version !== undefined && value !== undefined) {
    attributes.set(path, { ...version, value });
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

function reductionsOf(customers: readonly FactGroups[], clock: number): readonly Reductions[] {
  return [
    ...ITEM_GROUPS.map((group) => outdatedItemFacts(customers, group, clock)),
    new Map(outdatedConsentFacts(customers).map((path) => [path, undefined])),
  ];
}
