/** How a signature is written. */
export type SignatureEncoding = 'hex' | 'base64';

/**
 * Base64 with its padding and nothing else. Node's decoder skips what it does not know and takes the URL alphabet too, so that many
 * texts would pass for one signature.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Hex digits in pairs, in either case. */
export function decodeHex(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'hex');
  return bytes.toString('hex') === text.toLowerCase() ? bytes : undefined;
}

/** The bytes of a signature of exactly `length` bytes; undefined for any other text. */
export function decodeSignature(
  text: string,
  encoding: SignatureEncoding,
  length: number,
): Buffer | undefined {
  const bytes = encoding === 'hex' ? decodeHex(text) : decodeBase64(text);
  return bytes?.length === length ? bytes : undefined;
}
