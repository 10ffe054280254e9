import type { CustomerState } from './customer-state.ts';
import { type IdentityNamespaces, removeGoneIdentities } from './gone-identities.ts';
import { pruneJoinDates } from './loyalty-membership.ts';

/** What the pruning of facts depends on besides the state. */
export interface PruneContext {
  readonly destination: { readonly identity: { readonly namespaces: IdentityNamespaces } };
}

/**
 * Removes facts that can no longer matter. Each rule is judged from the state alone and stays true
 * once it is true, so the result does not depend on the order in which facts arrived.
 */
export function pruneFacts(state: CustomerState, lane: string, { destination }: PruneContext): void {
  removeGoneIdentities(state, lane, destination.identity.namespaces);
  for (const { attributes } of [state.own, ...state.merged.values()]) {
    pruneJoinDates(attributes);
  }
}
