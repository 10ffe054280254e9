import { type Journal, SLOTS } from '../journal/journal.ts';
import type { DestinationState } from './destination-state.ts';

/** A wait that ends at most so much later is not published again. */
const MIN_NEWS_MS = 250;

/**
 * The share of a destination's limits that this replica may use now: never 0, because what it has
 * claimed must still be sent when its slots are given back.
 */
export function shareOfLimits(journal: Pick<Journal, 'shareOf'>, destination: string): () => number {
  return () => Math.max(journal.shareOf(destination), 1 / SLOTS);
}

/**
 * Returns what tells the other replicas that Adobe throttles, after the state was set. It is the
 * wait of the destination that is published, once for all requests that were in flight.
 * @param now epoch ms
 */
export function createThrottleNews(
  destination: string,
  parts: {
    readonly journal: Pick<Journal, 'publish'>;
    readonly state: Pick<DestinationState, 'status'>;
    readonly now: () => number;
  },
): () => void {
  const { journal, state, now } = parts;
  let toldUntil = 0;
  return () => {
    const until = state.status().nextTryAt;
    if (until === undefined || until < toldUntil + MIN_NEWS_MS) return;
    toldUntil = until;
    journal.publish({ kind: 'throttled', destination, forMs: until - now() });
  };
}
