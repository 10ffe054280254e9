import type { CapillaryEvent } from '../capillary/event.ts';

/** Hex digits of an event's identity that tell its facts apart from those of other events. */
const KEY_HEX_DIGITS = 12;

/**
 * Identifies an event within the stored state of its customer: the first digits of its identity, as
 * in its `_id`.
 */
export function eventKeyOf({ identity }: Pick<CapillaryEvent, 'identity'>): string {
  return identity.slice(0, KEY_HEX_DIGITS);
}
