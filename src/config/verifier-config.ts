import { z } from 'zod';
import { duration, secretList, secretText } from './field-types.ts';

const TYPES = 'header, basic, bearer, hmac, standard-webhooks, neo, none';

function headerName() {
  return z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'must be a header name such as X-Relay-Key' });
}

function tolerance() {
  return duration({ min: '1s' })
    .prefault('5m')
    .describe("Maximum difference between the signed time and the relay's clock, in either direction.");
}

function algorithm() {
  return z.enum(['sha256', 'sha512', 'sha1']).default('sha256').describe('Hash function of the HMAC.');
}

const header = z.strictObject({
  type: z.literal('header').describe('A static secret in a header.'),
  name: headerName().describe('Name of the header that contains the secret.'),
  values: secretList().describe('Accepted secrets; empty ones are ignored.'),
});

const basic = z.strictObject({
  type: z.literal('basic').describe('HTTP Basic authentication.'),
  username: z
    .string()
    .min(1)
    .refine((name) => !name.includes(':'), { error: 'must not contain a colon' })
    .describe('User name.'),
  passwords: secretList().describe('Accepted passwords; empty ones are ignored.'),
});

const bearer = z.strictObject({
  type: z.literal('bearer').describe('A static token in the header Authorization: Bearer.'),
  tokens: secretList().describe('Accepted tokens; empty ones are ignored.'),
});

const timestamp = z.strictObject({
  header: headerName().describe('Name of the header that contains the signed time.'),
  unit: z
    .enum(['s', 'ms'])
    .default('s')
    .describe('Unit of the signed time: seconds or milliseconds since 1970.'),
  tolerance: tolerance(),
});

const hmac = z.strictObject({
  type: z.literal('hmac').describe('An HMAC of the raw body, such as one that a gateway adds.'),
  header: headerName().describe('Name of the header that contains the signature.'),
  secrets: secretList().describe('Accepted signing secrets; empty ones are ignored.'),
  algorithm: algorithm(),
  encoding: z.enum(['hex', 'base64']).default('hex').describe('Encoding of the signature.'),
  prefix: z.string().default('').describe('Text before the signature in the header, such as `sha256=`.'),
  payload: z
    .string()
    .default('{body}')
    .refine((template) => template.includes('{body}') || template.includes('{bodyHash}'), {
      error: 'must contain {body} or {bodyHash}, or the signature would not cover the body',
    })
    .describe('Template of the signed text, with the placeholders {body}, {bodyHash}, {timestamp} and {id}.'),
  timestamp: timestamp.optional().describe('Where the signed time is; required by {timestamp}.'),
  id: z
    .strictObject({ header: headerName().describe('Name of the header that contains the message id.') })
    .optional()
    .describe('Where the message id is; required by {id}.'),
});

const standardWebhooks = z.strictObject({
  type: z.literal('standard-webhooks').describe('A signature as specified at standardwebhooks.com.'),
  secrets: secretList().describe(
    'Accepted secrets: whsec_ followed by base64, or plain text; empty ones are ignored.',
  ),
  tolerance: tolerance(),
});

const neo = z.strictObject({
  type: z.literal('neo').describe('The signature that can be configured in a Capillary Neo dataflow.'),
  apiKey: secretText().describe('API key that identifies the sender.'),
  secret: secretText().describe('Signing secret.'),
  signatureHeader: headerName().describe('Name of the header that contains the signature.'),
  timestampHeader: headerName().describe('Name of the header that contains the signed time.'),
  algorithm: algorithm(),
  tolerance: tolerance(),
});

const none = z.strictObject({
  type: z
    .literal('none')
    .describe('Accepts every request. Use it only if no other sender can reach the relay.'),
});

/** One method to verify the sender of a webhook. */
export const verifierSchema = z.discriminatedUnion(
  'type',
  [header, basic, bearer, hmac, standardWebhooks, neo, none],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? `must be one of ${TYPES}` : 'must be an object such as { type: none }',
  },
);

export type VerifierConfig = z.output<typeof verifierSchema>;
