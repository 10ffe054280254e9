/**
 * Sizes beyond which AEP drops a record without a word (reference: adobe.md §3). KB is read as 1000 bytes,
 * the smaller meaning. All sizes are bytes of the UTF-8 JSON of one `xdmEntity`.
 */
export const EVENT_MAX_BYTES = 10_000;
/** From here on the mapping says that an event comes near the limit. */
export const EVENT_WARN_BYTES = 8_000;
export const PROFILE_MAX_BYTES = 100_000;

/** More identities than this make the record unusable for the identity graph. */
export const MAX_IDENTITIES = 20;
/** A longer identity value gets its record skipped. */
export const MAX_IDENTITY_CHARS = 1_024;

/** Entries of one array in a profile fragment (soft limit of AEP). */
export const PROFILE_ARRAY_MAX = 500;

/** Ours: the text of an unmapped event's `data` that is carried along. */
export const PAYLOAD_MAX_BYTES = 6_000;
/** Ours: a single text of Capillary; no name, code or id comes near it. */
export const MAX_TEXT_CHARS = 1_024;

/** Bytes of a value as it goes over the wire. */
export function sizeOf(value: unknown): number {
  return bytesOf(JSON.stringify(value));
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
