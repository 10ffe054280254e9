import { z } from 'zod';
import { duration, flag, integer, size } from './units.ts';

const httpUrl = (example: string) =>
  z.url({ protocol: /^https?$/, error: `must be an http(s) URL such as ${example}` });

const flow = {
  schemaId: z.string().min(1),
  datasetId: z.string().min(1),
  flowId: z.string().min(1),
};

const batch = z.strictObject({
  /** Adobe refuses 1 MB and more (reference: adobe.md §3). */
  maxBytes: size()
    .default(900_000)
    .refine((bytes) => bytes >= 20_000 && bytes < 1_000_000, {
      error: 'must be at least 20KB and below 1MB, the inlet’s limit',
    }),
  maxMessages: integer(1, 10_000).default(200),
  maxWait: duration().default(200),
});

export const destinationSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: 'must be lower-case letters, digits, - or _, 63 at most',
  }),
  imsOrgId: z
    .string()
    .regex(/^[^@\s]+@AdobeOrg$/, { error: 'must look like 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg' }),
  sandbox: z.string().min(1),
  inletUrl: httpUrl('https://dcs.adobedc.net/collection/<inletId>').refine(
    (url) => /\/collection\/(batch\/)?[^/?]+/.test(url),
    {
      error: 'must hold /collection/<inletId>: copy the inlet URL that AEP shows for the connection',
    },
  ),
  authenticated: flag().default(true),
  ims: z
    .strictObject({
      url: httpUrl('https://ims-na1.adobelogin.com/ims/token/v3').default(
        'https://ims-na1.adobelogin.com/ims/token/v3',
      ),
      clientId: z.string().min(1, { error: 'must not be empty; is its environment variable set?' }),
      clientSecrets: z
        .array(z.string())
        .transform((values) => values.filter((value) => value !== ''))
        .refine((values) => values.length > 0, { error: 'needs at least one secret that is not empty' }),
      scopes: z
        .union([z.array(z.string()), z.string().transform((text) => text.split(/[\s,]+/))])
        .transform((scopes) =>
          scopes.flatMap((scope) => scope.split(/[\s,]+/)).filter((scope) => scope !== ''),
        )
        .default([
          'openid',
          'AdobeID',
          'read_organizations',
          'additional_info.projectedProductContext',
          'session',
        ]),
    })
    .optional(),
  format: z.enum(['xdm', 'raw']).default('xdm'),
  events: z.strictObject(flow),
  profile: z.strictObject({ ...flow, write: z.enum(['assemble', 'off']).default('assemble') }).optional(),
  identity: z
    .strictObject({
      primary: z.enum(['customerId', 'email', 'phone', 'externalId', 'cardNumber']).default('customerId'),
      namespaces: z
        .strictObject({
          customerId: z.string().min(1).optional(),
          email: z.string().min(1).optional(),
          phone: z.string().min(1).optional(),
          externalId: z.string().min(1).optional(),
          cardNumber: z.string().min(1).optional(),
        })
        .default({ customerId: 'capillaryId', email: 'Email', phone: 'Phone', externalId: 'loyaltyId' }),
    })
    .prefault({}),
  tenant: z
    .string()
    .regex(/^_[A-Za-z0-9]+$/, { error: 'must be the tenant id with its underscore, such as _acme' })
    .optional(),
  schemaFeatures: z
    .strictObject({
      loyalty2026: flag().default(false),
      loyaltyEvents: flag().default(true),
      placeContext: flag().default(false),
      sourceAudit: flag().default(false),
    })
    .prefault({}),
  batch: batch.prefault({}),
  limits: z
    .strictObject({
      requestsPerSecond: integer(1, 1_000).default(500),
      messagesPerSecond: integer(1, 10_000).default(5_000),
      concurrency: integer(1, 64).default(8),
    })
    .prefault({}),
  retry: z
    .strictObject({
      minDelay: duration().default(1_000),
      maxDelay: duration().default(300_000),
      maxAge: duration().default(604_800_000),
      poisonAttempts: integer(1, 100).default(8),
    })
    .prefault({}),
});

export type DestinationConfig = z.output<typeof destinationSchema>;
