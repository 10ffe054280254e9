/** Hex digits of the identity in an `_id`: 160 bits, far from any collision. */
const DIGITS = 40;

/**
 * The `_id` of every message of an event: a pure function of the event's identity, so that Profile recognises a resend (adobe.md §4.1).
 * @param identity 64 hex, see CapillaryEvent
 * @param suffix of a replay as new; empty otherwise
 */
export function xdmId(identity: string, suffix = ''): string {
  return `cap-${identity.slice(0, DIGITS)}${suffix}`;
}
