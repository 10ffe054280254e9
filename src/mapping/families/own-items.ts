import type { FamilyInput } from './family.ts';
import type { Reader } from '../reader.ts';

/**
 * The items of a list that are the event's customer's: one that names another customer is left out with a
 * note, one that names nobody is taken for the customer's.
 */
export function ownItems(
  { event, notes }: FamilyInput,
  items: readonly Reader[],
  customerIdIn: (item: Reader) => string | undefined,
): readonly Reader[] {
  return items.filter((item) => {
    const customerId = customerIdIn(item);
    const isOwn = customerId === undefined || customerId === event.customerId;
    if (!isOwn) {
      notes.add(item.path, 'other-customer');
    }
    return isOwn;
  });
}
