import { z } from 'zod';
import { secretList, secretText } from './secret-list.ts';
import { duration } from './units.ts';

const TYPES = 'header, basic, bearer, hmac, standard-webhooks, neo, none';

function headerName() {
  return z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'must be a header name such as X-Relay-Key' });
}

function tolerance() {
  return duration({ min: '1s' })
    .prefault('5m')
    .describe('How far the signed time may be from ours, either way.');
}

function algorithm() {
  return z.enum(['sha256', 'sha512', 'sha1']).default('sha256').describe('Hash of the HMAC.');
}

const header = z.strictObject({
  type: z.literal('header').describe('A fixed secret in a header of your choice.'),
  name: headerName().describe('Header that carries the secret.'),
  values: secretList().describe('Secrets of which any one is taken; empty ones are dropped.'),
});

const basic = z.strictObject({
  type: z.literal('basic').describe('HTTP Basic authentication.'),
  username: z
    .string()
    .min(1)
    .refine((name) => !name.includes(':'), { error: 'must not hold a colon' })
    .describe('User name.'),
  passwords: secretList().describe('Passwords of which any one is taken; empty ones are dropped.'),
});

const bearer = z.strictObject({
  type: z.literal('bearer').describe('Authorization: Bearer with a fixed token.'),
  tokens: secretList().describe('Tokens of which any one is taken; empty ones are dropped.'),
});

const timestamp = z.strictObject({
  header: headerName().describe('Header that carries the signed time.'),
  unit: z.enum(['s', 'ms']).default('s').describe('Unit of the time: seconds or milliseconds since 1970.'),
  tolerance: tolerance(),
});

const hmac = z.strictObject({
  type: z.literal('hmac').describe('An HMAC over the raw body, as a gateway in front may add it.'),
  header: headerName().describe('Header that carries the signature.'),
  secrets: secretList().describe('Signing secrets of which any one is taken; empty ones are dropped.'),
  algorithm: algorithm(),
  encoding: z.enum(['hex', 'base64']).default('hex').describe('How the signature is written.'),
  prefix: z.string().default('').describe('Text before the signature in the header, such as `sha256=`.'),
  payload: z
    .string()
    .default('{body}')
    .refine((template) => template.includes('{body}') || template.includes('{bodyHash}'), {
      error: 'must hold {body} or {bodyHash}, or the signature would not cover the body',
    })
    .describe('What is signed, made of {body}, {timestamp}, {id} and {bodyHash}.'),
  timestamp: timestamp.optional().describe('Where the signed time is; needed by {timestamp}.'),
  id: z
    .strictObject({ header: headerName().describe('Header that carries the message id.') })
    .optional()
    .describe('Where the message id is; needed by {id}.'),
});

const standardWebhooks = z.strictObject({
  type: z.literal('standard-webhooks').describe('The scheme of standardwebhooks.com.'),
  secrets: secretList().describe('Secrets of the form whsec_ and base64, of which any one is taken.'),
  tolerance: tolerance(),
});

const neo = z.strictObject({
  type: z.literal('neo').describe('The signature that a Capillary Neo dataflow can be given.'),
  apiKey: secretText().describe('Key that names the sender.'),
  secret: secretText().describe('Signing secret.'),
  signatureHeader: headerName().describe('Header that carries the signature.'),
  timestampHeader: headerName().describe('Header that carries the signed time.'),
  algorithm: algorithm(),
  tolerance: tolerance(),
});

const none = z.strictObject({
  type: z.literal('none').describe('Anybody is taken. Only behind a network that lets nobody else in.'),
});

/** One way of proving who sent a webhook. */
export const verifierSchema = z.discriminatedUnion(
  'type',
  [header, basic, bearer, hmac, standardWebhooks, neo, none],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? `must be one of ${TYPES}` : 'must be a block such as { type: none }',
  },
);

export type VerifierConfig = z.output<typeof verifierSchema>;
