import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** New in each process, so that nobody outside can know the digests that are compared. */
const KEY = randomBytes(32);

const digest = (value: string | Uint8Array): Buffer => createHmac('sha256', KEY).update(value).digest();

/** Compares digests instead of the values: they are of one length, so the time taken tells neither content nor length. */
export const constantTimeEqual = (a: string | Uint8Array, b: string | Uint8Array): boolean =>
  timingSafeEqual(digest(a), digest(b));

/** True when `given` equals one of `expected`; all are compared, so the time does not tell which one it was. */
export function matchesAny(given: string | Uint8Array, expected: readonly (string | Uint8Array)[]): boolean {
  let isMatch = false;
  for (const candidate of expected) {
    isMatch = constantTimeEqual(given, candidate) || isMatch;
  }
  return isMatch;
}
