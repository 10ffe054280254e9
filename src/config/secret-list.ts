import { z } from 'zod';

function notEmpty(values: string[]): string[] {
  return values.filter((value) => value !== '');
}
const error = 'needs at least one secret that is not empty; is its environment variable set?';

/** Texts of which empty ones are dropped: an unset `${OLD_KEY:-}` is no secret, and an empty secret must never match. */
export function optionalSecretList() {
  return z.array(z.string()).transform(notEmpty);
}

/** The same with one left at least: newest first, any of them is taken, so that a secret can be changed without a gap. */
export function secretList() {
  return z
    .array(z.string())
    .min(1, { error })
    .transform(notEmpty)
    .refine((values) => values.length > 0, { error });
}

/** One secret. */
export function secretText() {
  return z.string().min(1, { error: 'must not be empty; is its environment variable set?' });
}

/** Keys of the configuration whose values are secrets, wherever they stand. A test holds it against the schema. */
const SECRET_KEYS: ReadonlySet<PropertyKey> = new Set([
  'token',
  'encryptionKeys',
  'values',
  'passwords',
  'tokens',
  'secrets',
  'apiKey',
  'secret',
  'clientSecrets',
]);

/** True when the value under this key must not be shown. */
export function isSecretKey(key: PropertyKey): boolean {
  return SECRET_KEYS.has(key);
}
