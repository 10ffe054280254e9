import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** New in each process, so that nobody outside can know the digests that are compared. In hex, so that it is the same as text and as bytes. */
const KEY = randomBytes(32).toString('hex');
const KEY_BYTES = Buffer.from(KEY);

/**
 * A hash that begins with the key rather than an HMAC: nobody sees a digest, and Node makes an HMAC of a key in bytes several times slower. By
 * way of its hex digits, because Node gives out a digest in bytes several times slower than one in text.
 */
function digest(value: string | Uint8Array): Buffer {
  return Buffer.from(
    hash('sha256', typeof value === 'string' ? KEY + value : Buffer.concat([KEY_BYTES, value])),
    'latin1',
  );
}

/**
 * Tells of a value whether it is one of `expected`, whose digests are made once. Digests are compared instead of the values: they are of one
 * length, so the time taken tells neither content nor length; and always all of them, so it does not tell which one it was.
 */
export function createMatcher(
  expected: readonly (string | Uint8Array)[],
): (given: string | Uint8Array) => boolean {
  const digests = expected.map(digest);
  return (given) => {
    const own = digest(given);
    let isMatch = false;
    for (const candidate of digests) {
      isMatch = timingSafeEqual(own, candidate) || isMatch;
    }
    return isMatch;
  };
}

/** As `createMatcher`, for what is expected of one request only. */
export function matchesAny(given: string | Uint8Array, expected: readonly (string | Uint8Array)[]): boolean {
  return createMatcher(expected)(given);
}

/** True when both are the same bytes; a text is its UTF-8. */
export function constantTimeEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return matchesAny(a, [b]);
}
