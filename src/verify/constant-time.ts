import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** New in each process, so that nobody outside can know the digests that are compared. */
const KEY = randomBytes(32);

/** A hash that begins with the key rather than an HMAC: nobody sees a digest, and Node makes an HMAC of a key in bytes several times slower. */
const digest = (value: string | Uint8Array): Buffer =>
  createHash('sha256').update(KEY).update(value).digest();

/** Compares digests instead of the values: they are of one length, so the time taken tells neither content nor length. */
export const constantTimeEqual = (a: string | Uint8Array, b: string | Uint8Array): boolean =>
  matchesAny(a, [b]);

/** True when `given` equals one of `expected`; all are compared, so the time does not tell which one it was. */
export function matchesAny(given: string | Uint8Array, expected: readonly (string | Uint8Array)[]): boolean {
  const own = digest(given);
  let isMatch = false;
  for (const candidate of expected) {
    isMatch = timingSafeEqual(own, digest(candidate)) || isMatch;
  }
  return isMatch;
}
