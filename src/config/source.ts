import { z } from 'zod';
import { cidr } from './cidr.ts';
import { duration, integer, size } from './units.ts';

/** Texts of which empty ones are dropped: an unset `${OLD_KEY:-}` is no secret, and an empty secret must never match. */
const secrets = () =>
  z
    .array(z.string())
    .transform((values) => values.filter((value) => value !== ''))
    .refine((values) => values.length > 0, {
      error: 'needs at least one secret that is not empty; is its environment variable set?',
    });

const headerName = () =>
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'must be a header name such as X-Relay-Key' });

const timestamp = z.strictObject({
  header: headerName(),
  unit: z.enum(['s', 'ms']).default('s'),
  tolerance: duration().default(300_000),
});

export const verifierSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('header'), name: headerName(), values: secrets() }),
    z.strictObject({
      type: z.literal('basic'),
      username: z
        .string()
        .min(1)
        .refine((name) => !name.includes(':'), { error: 'must not hold a colon' }),
      passwords: secrets(),
    }),
    z.strictObject({ type: z.literal('bearer'), tokens: secrets() }),
    z.strictObject({
      type: z.literal('hmac'),
      header: headerName(),
      secrets: secrets(),
      algorithm: z.enum(['sha256', 'sha512', 'sha1']).default('sha256'),
      encoding: z.enum(['hex', 'base64']).default('hex'),
      prefix: z.string().default(''),
      payload: z
        .string()
        .default('{body}')
        .refine((template) => template.includes('{body}') || template.includes('{bodyHash}'), {
          error: 'must hold {body} or {bodyHash}, or the signature would not cover the body',
        }),
      timestamp: timestamp.optional(),
      id: z.strictObject({ header: headerName() }).optional(),
    }),
    z.strictObject({
      type: z.literal('standard-webhooks'),
      secrets: secrets(),
      tolerance: duration().default(300_000),
    }),
    z.strictObject({
      type: z.literal('neo'),
      apiKey: z.string().min(1),
      secret: z.string().min(1, { error: 'must not be empty; is its environment variable set?' }),
      signatureHeader: headerName(),
      timestampHeader: headerName(),
      algorithm: z.enum(['sha256', 'sha512', 'sha1']).default('sha256'),
      tolerance: duration().default(300_000),
    }),
    z.strictObject({ type: z.literal('none') }),
  ],
  { error: 'type must be one of header, basic, bearer, hmac, standard-webhooks, neo, none' },
);

/** Custom or extended field of Capillary → XDM path. */
const fieldPaths = () => z.record(z.string(), z.string().min(1)).default({});

export const sourceSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: 'must be lower-case letters, digits, - or _, 63 at most: it is part of the webhook URL',
  }),
  destination: z.string().min(1),
  orgIds: z.array(integer(0, Number.MAX_SAFE_INTEGER)).optional(),
  timezone: z.string().default('UTC').refine(isTimeZone, {
    error: 'must be an IANA time zone such as Asia/Kolkata',
  }),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'must be a two-letter country code such as IN' })
    .optional(),
  testEvents: z.enum(['ignore', 'deliver']).default('ignore'),
  unmapped: z.enum(['generic', 'ignore']).default('generic'),
  unverified: z
    .strictObject({
      keep: z.enum(['quarantine', 'nothing']).default('quarantine'),
      maxCount: integer(1, 1_000_000).default(1_000),
      maxBytes: size().default(16_777_216),
      maxAge: duration().default(259_200_000),
    })
    .prefault({}),
  verify: z.array(verifierSchema).min(1, {
    error: 'needs at least one verifier; to accept anybody on purpose write [{ type: none }]',
  }),
  allowFrom: z.array(cidr()).default([]),
  program: integer(0, Number.MAX_SAFE_INTEGER).optional(),
  fields: z.strictObject({ customFields: fieldPaths(), extendedFields: fieldPaths() }).prefault({}),
  overrides: z
    .record(
      z.string(),
      z.strictObject({ event: z.string().min(1).optional(), profile: z.string().min(1).optional() }),
    )
    .default({}),
});

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export type SourceConfig = z.output<typeof sourceSchema>;
export type VerifierConfig = z.output<typeof verifierSchema>;
