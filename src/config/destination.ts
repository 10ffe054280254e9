import { z } from 'zod';
import { imsSchema } from './ims.ts';
import { batchSchema, limitsSchema, retrySchema } from './pace.ts';
import { httpUrl, optionalText, slug } from './text.ts';
import { flag } from './units.ts';

function flow(what: string) {
  return {
    schemaId: z
      .string()
      .min(1)
      .describe(`Id ($id) of the ${what} schema: https://ns.adobe.com/<tenant>/schemas/….`),
    datasetId: z.string().min(1).describe(`Id of the dataset that gets the ${what}s.`),
    flowId: z.string().min(1).describe(`Id of the dataflow into that dataset.`),
  };
}

const profile = z.strictObject({
  ...flow('profile record'),
  write: z
    .enum(['assemble', 'off'])
    .default('assemble')
    .describe(
      'assemble: known attributes are kept and the whole fragment is sent (format raw: the event is, as an upsert). off: none is sent.',
    ),
  identityDatasetId: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Format raw: dataset for the identities that upserts link: same schema, not enabled for Profile. Without it none are linked.',
    ),
});

function namespace(what: string) {
  return z.string().min(1).optional().describe(`Identity namespace (its symbol) of ${what}.`);
}

const namespaces = z.strictObject({
  customerId: namespace("Capillary's customer id"),
  email: namespace('e-mail addresses'),
  phone: namespace('phone numbers'),
  externalId: namespace('external ids'),
  cardNumber: namespace('loyalty card numbers'),
});

const identity = z.strictObject({
  primary: z
    .enum(['customerId', 'email', 'phone', 'externalId', 'cardNumber'])
    .default('customerId')
    .describe('The identity marked primary; it needs a namespace.'),
  namespaces: namespaces
    .default({ customerId: 'capillaryId', email: 'Email', phone: 'Phone', externalId: 'loyaltyId' })
    .describe(
      'Identities that are sent; one left out is not. A block of your own replaces the default whole.',
    ),
});

const schemaFeatures = z.strictObject({
  loyalty2026: flag()
    .prefault(false)
    .describe(
      'The profile schema has loyalty.lifetimePoints, tierUpgradeDate and tierExpiryDate, which Adobe added in 2026.',
    ),
  loyaltyEvents: flag()
    .prefault(true)
    .describe('The event schema has loyalty.pointsGained and loyalty.pointsRedemption.'),
  placeContext: flag()
    .prefault(false)
    .describe('The event schema has the placeContext field group, for stores.'),
  sourceAudit: flag()
    .prefault(false)
    .describe(
      'The profile schema has the extSourceSystemAudit field group, for customer timestamp ordering.',
    ),
  consents: flag()
    .prefault(true)
    .describe(
      'The profile schema has Consent and Preference Details, for opt-in and opt-out by channel; only customerSubscription events need it.',
    ),
});

const INLET = 'https://dcs.adobedc.net/collection/<inletId>';

/** The keys of one destination: an HTTP API connection of Adobe Experience Platform. */
export const destinationFields = z.strictObject({
  name: slug().describe('Name of the destination.'),
  imsOrgId: z
    .string()
    .regex(/^[^@\s]+@AdobeOrg$/, { error: 'must look like 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg' })
    .describe('Organisation id at Adobe.'),
  sandbox: z.string().min(1).describe('Name of the sandbox, such as prod.'),
  inletUrl: httpUrl(INLET)
    .refine((url) => /\/collection\/(batch\/)?[^/?]+/.test(url), { error: 'must hold /collection/<inletId>' })
    .describe('URL of the inlet, copied as AEP shows it for the HTTP API connection.'),
  authenticated: flag()
    .prefault(true)
    .describe('The connection was made with authentication, so each request needs a token.'),
  ims: imsSchema.optional().describe('Credential for the token; needed when authenticated.'),
  format: z
    .enum(['xdm', 'raw'])
    .default('xdm')
    .describe('xdm: the relay maps to XDM. raw: the payload is passed on and mapped in AEP by Data Prep.'),
  events: z.strictObject(flow('event')).describe('Where ExperienceEvents go.'),
  profile: profile.optional().describe('Where profile records go; without the block none are sent.'),
  identity: identity.prefault({}).describe('How customers are named at Adobe.'),
  tenant: optionalText(/_[A-Za-z0-9]+/, 'must be the tenant id with its underscore, such as _acme').describe(
    'Tenant id that custom fields go under; without one they are left out.',
  ),
  schemaFeatures: schemaFeatures
    .prefault({})
    .describe(
      'Field groups that the schemas have; fields of the others are not sent, as AEP refuses unknown ones.',
    ),
  batch: batchSchema.prefault({}).describe('How messages are put together into requests.'),
  limits: limitsSchema.prefault({}).describe('Most that the destination is sent.'),
  retry: retrySchema.prefault({}).describe("What happens after a failure that is not the message's fault."),
});

type Fields = z.output<typeof destinationFields>;

/** A batch larger than a second's worth of messages could never be let through by the pace, so it is cut to that. */
function withBatchInPace(fields: Fields): Fields {
  return {
    ...fields,
    batch: {
      ...fields.batch,
      maxMessages: Math.min(fields.batch.maxMessages, fields.limits.messagesPerSecond),
    },
  };
}

export const destinationSchema = destinationFields.transform(withBatchInPace);

export type DestinationConfig = z.output<typeof destinationSchema>;
