import type { CapillaryEvent } from '../capillary/event.ts';
import { laneKeyOf } from '../capillary/event-identity.ts';
import { customerIdOf } from '../capillary/person.ts';
import type { Identity } from './identities.ts';

/** Digits at the end that a phone number has in every spelling. */
const SPELLED_ALIKE = 7;

/**
 * True if the lane of an event is that of its person alone, so that attributes can be stored in it.
 * Without a customerId the lane is that of an identifier. If this one is no identity of the person,
 * because it is invalid, listed as nobody's own or shared, the lane is that of many strangers.
 *
 * @param identify returns the identities of the person; called for such an event only
 */
export function hasOwnLane(event: CapillaryEvent, identify: () => readonly Identity[]): boolean {
  if ((event.customerId ?? customerIdOf(event.data)) !== undefined) {
    return true;
  }
  const key = laneKeyOf(event.data) ?? '';
  return identify().some(({ kind, id }) => {
    const prefix = `${kind}:`;
    if (!key.startsWith(prefix)) {
      return false;
    }
    const value = key.slice(prefix.length);
    return kind === 'phone' ? id.endsWith(value.slice(-SPELLED_ALIKE)) : id === value;
  });
}
