import { isIP } from 'node:net';
import { z } from 'zod';
import { DURATION_UNITS, parseQuantity, SIZE_UNITS } from './quantities.ts';

// A configuration is read once, and compiling its schemas takes longer than to interpret them.
z.config({ jitless: true });

/** A name that is valid in a URL, as a metric label and in a log line. */
export function slug() {
  return z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: 'must have 1 to 63 lower-case letters, digits, - or _, and start with a letter or digit',
  });
}

/** A string that counts as absent if it is empty, so that `${NAME:-}` can omit it. */
export function optionalText(pattern: RegExp, error: string) {
  return z
    .string()
    .regex(new RegExp(`^(?:${pattern.source})?$`), { error })
    .transform((text) => (text === '' ? undefined : text))
    .optional();
}

function isBareUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}

/**
 * An absolute http(s) URL. User name and password are refused, because they would appear in logs.
 */
export function httpUrl(example: string) {
  return z
    .string()
    .regex(/^https?:\/\//, { error: `must be an http(s) URL such as ${example}`, abort: true })
    .refine(isBareUrl, {
      error: `must be a valid URL without user name, password and fragment, such as ${example}`,
      // Checks that follow parse the URL.
      abort: true,
    });
}

/** The value of a header, where control characters are forbidden and others have no encoding. */
export function headerText(emptyError = 'must not be empty') {
  return z
    .string()
    .min(1, { error: emptyError })
    .regex(/^[\x20-\x7e]*$/, {
      error: 'must have printable ASCII characters only, without line breaks, because it is sent in a header',
    });
}

function isCidr(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

/** An IP address or an address range such as `10.0.0.0/8` or `::1`. */
export function cidr() {
  return z.string().refine(isCidr, {
    error: 'must be an IP address or an address range such as 10.0.0.0/8 or 2001:db8::/32',
  });
}

interface Bounds {
  /** With a unit, e.g. `10ms`. */
  readonly min?: string;
  readonly max?: string;
}

function quantity(units: Readonly<Record<string, number>>, example: string, { min, max }: Bounds) {
  const error = `must be a number with a unit, such as ${example}`;
  return z
    .string({ error })
    .regex(new RegExp(`^\\d+(\\.\\d+)?\\s*(${Object.keys(units).join('|')})$`), { error })
    .transform((text) => parseQuantity(text, units))
    .refine((value) => min === undefined || value >= parseQuantity(min, units), {
      error: `must be at least ${min}`,
    })
    .refine((value) => max === undefined || value <= parseQuantity(max, units), {
      error: `must be at most ${max}`,
    });
}

/** `250ms`, `5s`, `3d` → milliseconds. */
export function duration(bounds: Bounds = {}) {
  return quantity(DURATION_UNITS, '250ms, 5s, 10m or 3d', bounds);
}

/** `900KB`, `1MiB` → bytes; KB is 1000, KiB 1024. */
export function size(bounds: Bounds = {}) {
  return quantity(SIZE_UNITS, '900KB, 1MiB or 10GiB', bounds);
}

/** An integer. A string of digits is accepted too, because `${NAME}` always yields a string. */
export function integer(min: number, max: number) {
  const error =
    max === Number.MAX_SAFE_INTEGER
      ? `must be an integer of at least ${min}`
      : `must be an integer from ${min} to ${max}`;
  const number = z.int({ error }).min(min, { error }).max(max, { error });
  return z.union([number, z.string().regex(/^\d+$/, { error }).transform(Number).pipe(number)], { error });
}

/** true or false. The strings are accepted too, because `${NAME}` always yields a string. */
export function flag() {
  return z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
    error: 'must be true or false',
  });
}

function withoutEmpty(values: string[]): string[] {
  return values.filter((value) => value !== '');
}

const NO_SECRET_ERROR = 'needs at least one non-empty secret; is its environment variable set?';

/**
 * Secrets. Empty ones are ignored: an unset `${OLD_KEY:-}` is not a secret, and an empty secret
 * must never match.
 */
export function optionalSecretList() {
  return z.array(z.string()).transform(withoutEmpty);
}

/**
 * At least one secret, newest first. Any of them is accepted, so that a secret can be rotated
 * without downtime.
 */
export function secretList() {
  return z
    .array(z.string())
    .min(1, { error: NO_SECRET_ERROR })
    .transform(withoutEmpty)
    .refine((values) => values.length > 0, { error: NO_SECRET_ERROR });
}

/** One secret. */
export function secretText() {
  return z.string().min(1, { error: 'must not be empty; is its environment variable set?' });
}

/**
 * Keys whose values are secrets, anywhere in the configuration. A test compares them with the
 * schema.
 */
const SECRET_KEYS: ReadonlySet<PropertyKey> = new Set([
  'token',
  'key',
  'value',
  'encryptionKeys',
  'values',
  'passwords',
  'tokens',
  'secrets',
  'apiKey',
  'secret',
  'clientSecrets',
]);

/** True if the value of this key has e-mail addresses and phone numbers of people. */
export function isPersonalKey(key: PropertyKey): boolean {
  return key === 'ignore';
}

/** Keys of durations in ms, and of sizes in bytes. A test compares them with the schema. */
const DURATION_KEYS: ReadonlySet<PropertyKey> = new Set(
  'window delivered ids dead maxAge tolerance maxWait minDelay maxDelay timeout coalesce every delay profileDelay lakeDelay'.split(
    ' ',
  ),
);
const SIZE_KEYS: ReadonlySet<PropertyKey> = new Set(['bodyLimit', 'maxBytes', 'minFree']);

/** Units of the values of this key; undefined if they are plain numbers. */
export function unitsOf(key: PropertyKey): Readonly<Record<string, number>> | undefined {
  if (DURATION_KEYS.has(key)) return DURATION_UNITS;
  return SIZE_KEYS.has(key) ? SIZE_UNITS : undefined;
}

/** True if the value of this key must not be shown. */
export function isSecretKey(key: PropertyKey): boolean {
  return SECRET_KEYS.has(key);
}
