import type { CustomerState } from './customer-state.ts';

/**
 * The clock of a state: epoch ms of the newest event in it. It never goes back, deletions included,
 * and does not depend on when an event is processed. So what is over by this clock stays over, in
 * whatever order events arrive.
 */
export function clockOf({ own, merged }: CustomerState): number {
  let clock = 0;
  for (const { attributes, deletedAt = 0 } of [own, ...merged.values()]) {
    clock = Math.max(clock, deletedAt);
    for (const { at } of attributes.values()) {
      clock = Math.max(clock, at);
    }
  }
  return clock;
}
