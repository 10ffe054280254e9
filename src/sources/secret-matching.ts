import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The secrets that can match: an empty one never does, even if a sender omits its credential. */
export function usableSecrets(secrets: readonly string[]): readonly string[] {
  return secrets.filter((secret) => secret.trim() !== '');
}

/**
 * The forms in which a secret can arrive in a header. Node decodes header bytes as Latin-1, so a
 * non-ASCII secret looks different if the sender encoded it as UTF-8. Trimmed, as header values
 * are.
 */
function headerForms(secret: string): readonly string[] {
  return [...new Set([secret.trim(), Buffer.from(secret).toString('latin1').trim()])];
}

/** Returns a function that says which of the secrets a value of a header is, or undefined. */
export function createHeaderMatcher(secrets: readonly string[]): (given: string) => string | undefined {
  const forms = usableSecrets(secrets).flatMap((secret) =>
    headerForms(secret).map((form) => ({ form, secret: secret.trim() })),
  );
  const indexOf = createIndexMatcher(forms.map(({ form }) => form));
  return (given) => forms[indexOf(given)]?.secret;
}

/**
 * Random per process, so that an outsider cannot compute the digests that are compared. In hex, so
 * that string and bytes are the same.
 */
const KEY = randomBytes(32).toString('hex');
const KEY_BYTES = Buffer.from(KEY);

/**
 * A hash with the key as prefix is enough, because the digest is never disclosed. Two alternatives
 * are several times slower in Node: an HMAC with a binary key, and a digest returned as bytes.
 */
function digest(value: string | Uint8Array): Buffer {
  return Buffer.from(
    hash('sha256', typeof value === 'string' ? KEY + value : Buffer.concat([KEY_BYTES, value])),
    'latin1',
  );
}

/**
 * Returns a function that says which of `expected` a value is: its index, or -1. It compares
 * digests, which have equal lengths, so the time it takes depends neither on content nor on length;
 * it always compares all of them, so the time does not show which one matched.
 */
export function createIndexMatcher(
  expected: readonly (string | Uint8Array)[],
): (given: string | Uint8Array) => number {
  const digests = expected.map(digest);
  return (given) => {
    const own = digest(given);
    let matched = -1;
    for (const [index, candidate] of digests.entries()) {
      matched = timingSafeEqual(own, candidate) ? index : matched;
    }
    return matched;
  };
}

/** Whether a value is one of `expected`; compares like `createIndexMatcher`. */
export function createMatcher(
  expected: readonly (string | Uint8Array)[],
): (given: string | Uint8Array) => boolean {
  const indexOf = createIndexMatcher(expected);
  return (given) => indexOf(given) >= 0;
}

/** Like `createMatcher`, for expected values that differ for each request. */
export function matchesAny(given: string | Uint8Array, expected: readonly (string | Uint8Array)[]): boolean {
  return createMatcher(expected)(given);
}

/** Compares bytes in constant time; a string counts as its UTF-8 bytes. */
export function constantTimeEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return matchesAny(a, [b]);
}
