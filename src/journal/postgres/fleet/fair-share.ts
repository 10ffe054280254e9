import { SLOTS } from '../../fleet.ts';
import { keyOfText } from '../engine/lane-keys.ts';

/**
 * How many slots of a destination a replica should own. All replicas compute the same from the same
 * list, and the shares of a list sum up to `SLOTS`. What does not divide evenly goes to the next
 * replicas from a place that depends on the destination, so that no replica has more of everything.
 * @param replicas ids of those that are alive and deliver to the destination
 */
export function fairShare(destination: string, replica: string, replicas: readonly string[]): number {
  const rank = replicas.toSorted().indexOf(replica);
  if (rank < 0) return 0;
  const count = replicas.length;
  const place = (rank + (keyOfText(destination) >>> 0)) % count;
  return Math.floor(SLOTS / count) + (place < SLOTS % count ? 1 : 0);
}
