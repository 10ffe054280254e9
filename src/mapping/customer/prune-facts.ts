import type { CustomerState } from './customer-state.ts';
import { prunePointsLogs } from './prune-points-log.ts';

/**
 * Removes facts that can no longer matter. Each rule is judged from the state alone and stays true
 * once it is true, so the result does not depend on the order in which facts arrived.
 */
export function pruneFacts(state: CustomerState): void {
  for (const { attributes } of [state.own, ...state.merged.values()]) {
    prunePointsLogs(attributes);
  }
}
