/**
 * AEP drops larger records without notifying the sender (docs/platforms/adobe.md#record-limits). KB
 * is read as 1000 bytes, the stricter interpretation. All sizes are bytes of the UTF-8 JSON of one
 * `xdmEntity`.
 */
export const MAX_EVENT_BYTES = 10_000;
/** From this size on, the mapping notes that an event is close to the limit. */
export const LARGE_EVENT_BYTES = 8_000;
export const MAX_PROFILE_BYTES = 100_000;

/** A record with more identities is unusable for the identity graph. */
export const MAX_IDENTITIES = 20;
/** A record with a longer identity is skipped. */
export const MAX_IDENTITY_CHARS = 1_024;

/** Items of one array in a profile fragment (a soft limit of AEP). */
export const MAX_PROFILE_ARRAY_ITEMS = 500;

/** Our own limit for the copied `data` of an event that has no mapping. */
export const MAX_PAYLOAD_BYTES = 6_000;
/** Our own limit for one string from Capillary; no name, code or id is nearly that long. */
export const MAX_TEXT_CHARS = 1_024;

/** Size of a value as JSON, as it is sent. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}

/** Hex digits of the event's identity in an `_id`: 160 bits, which rules out collisions. */
const ID_HEX_DIGITS = 40;

/**
 * The `_id` of every message of an event. A pure function of the event's identity, so that Profile
 * recognises a resend (docs/platforms/adobe.md#event-ids).
 *
 * @param identity 64 hex digits, see CapillaryEvent
 * @param suffix set by a replay as new; empty otherwise
 */
export function xdmId(identity: string, suffix = ''): string {
  return `cap-${identity.slice(0, ID_HEX_DIGITS)}${suffix}`;
}

const XDM_ID = new RegExp(`^cap-([0-9a-f]{${ID_HEX_DIGITS}})(-r\\d+)?(?:-lines)?$`);

/** The parts of an `_id` that `xdmId` made; undefined if another system made it. */
export function partsOfXdmId(
  id: string,
): { readonly identityPrefix: string; readonly suffix: string } | undefined {
  const [, identityPrefix, suffix = ''] = XDM_ID.exec(id) ?? [];
  return identityPrefix === undefined ? undefined : { identityPrefix, suffix };
}
