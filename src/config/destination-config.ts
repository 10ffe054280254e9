import { z } from 'zod';
import {
  duration,
  flag,
  headerText,
  httpUrl,
  integer,
  optionalText,
  secretList,
  size,
  slug,
} from './field-types.ts';
import { destinationReconcileSchema } from './reconcile-config.ts';

const TOKEN_URL = 'https://ims-na1.adobelogin.com/ims/token/v3';

/** The scopes that the Developer Console shows for a project with the AEP API. */
const AEP_SCOPES = [
  'openid',
  'AdobeID',
  'read_organizations',
  'additional_info.projectedProductContext',
  'session',
];

function splitScopes(text: string): string[] {
  return text.split(/[\s,]+/).filter((scope) => scope !== '');
}

/** The OAuth server-to-server credential of the Adobe Developer Console. */
const imsSchema = z.strictObject({
  url: httpUrl(TOKEN_URL)
    .default(TOKEN_URL)
    .describe('Token endpoint of Adobe IMS. Adobe documents v3; the unversioned /ims/token works too.'),
  clientId: headerText('must not be empty; is its environment variable set?').describe(
    'Client id of the OAuth server-to-server credential.',
  ),
  clientSecrets: secretList().describe(
    'Client secrets, tried in order; a credential can have two at a time, so that they can be rotated without downtime.',
  ),
  scopes: z
    .union([z.array(z.string()), z.string().transform(splitScopes)], {
      error: 'must be a list of scopes, or one string with commas',
    })
    .transform((scopes) => scopes.flatMap(splitScopes))
    .prefault(AEP_SCOPES)
    .describe(
      'Scopes of the credential as the Developer Console shows them: a list, or one string with commas or spaces.',
    ),
});

/** How messages are combined into requests. */
const batchSchema = z.strictObject({
  maxBytes: size({ min: '20KB', max: '990KB' })
    .prefault('900KB')
    .describe('Maximum size of a request body; Adobe refuses 1 MB and more with 413.'),
  maxMessages: integer(1, 10_000)
    .prefault(200)
    .describe(
      'Maximum number of messages per request, reduced to limits.messagesPerSecond if that is lower.',
    ),
  maxWait: duration({ max: '1m' })
    .prefault('200ms')
    .describe('How long after the receipt of its event a message waits for others.'),
});

/** The maximum load of a destination. */
const limitsSchema = z.strictObject({
  requestsPerSecond: integer(1, 1_000).prefault(500).describe('Requests per second; Adobe allows 1000.'),
  messagesPerSecond: integer(1, 10_000)
    .prefault(5_000)
    .describe(
      'Messages per second; Adobe allows 10000 in batches. Above about 1500 per second, Profile lags behind.',
    ),
  concurrency: integer(1, 64).prefault(8).describe('Maximum number of concurrent requests.'),
});

/** What happens after a failure that the message did not cause. */
const retrySchema = z.strictObject({
  minDelay: duration({ min: '1ms', max: '1d' })
    .prefault('1s')
    .describe(
      'First delay; it doubles with each attempt, with jitter. An outage is probed at half of it for 30 s.',
    ),
  maxDelay: duration({ min: '1ms', max: '1d' })
    .prefault('5m')
    .describe('Longest delay between two attempts.'),
  maxAge: duration({ min: '1ms' })
    .prefault('7d')
    .describe(
      "Age at which an event that keeps failing on its own becomes a dead letter; Adobe's outages do not count.",
    ),
  poisonAttempts: integer(1, 100)
    .prefault(8)
    .describe('Attempts after which an event that fails while others succeed becomes a dead letter.'),
});

const INLET = 'https://dcs.adobedc.net/collection/<inletId>';

/** With an id of its own; `<inletId>` is what the documentation has in its place. */
function isInletUrl(text: string): boolean {
  const [, id = ''] = /\/collection\/(?:batch\/)?([^/]+)\/?$/.exec(new URL(text).pathname) ?? [];
  return /^[\w.~-]+$/.test(id) && id !== 'batch';
}

/** Adobe's `$id` of a schema of one's own; `meta:altId` and classes are no such ids. */
const SCHEMA_ID = /^https:\/\/ns\.adobe\.com\/[\w-]+\/schemas\/[\w.~-]+$/;

function dataflow(recordName: string) {
  return {
    schemaId: z
      .string()
      .regex(SCHEMA_ID, {
        error: 'must be the $id of the schema, such as https://ns.adobe.com/acme/schemas/0f1e2d3c',
      })
      .describe(`Id ($id) of the ${recordName} schema: https://ns.adobe.com/<tenant>/schemas/….`),
    datasetId: headerText().describe(`Id of the dataset for the ${recordName}s.`),
    flowId: headerText().describe(`Id of the dataflow into that dataset.`),
  };
}

const profile = z.strictObject({
  ...dataflow('profile record'),
  write: z
    .enum(['assemble', 'off'])
    .default('assemble')
    .describe(
      'assemble: attributes are accumulated and the whole fragment is sent (format raw: the event as an upsert). off: none is sent.',
    ),
  identityDatasetId: headerText()
    .optional()
    .describe(
      'Format raw: dataset for linked identities, with the same schema and not enabled for Profile. Absent: none are linked.',
    ),
});

function namespace(identifiers: string) {
  return z.string().min(1).optional().describe(`Symbol of the identity namespace for ${identifiers}.`);
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
    .describe('The primary identity; it must have a namespace.'),
  namespaces: namespaces
    .default({ customerId: 'capillaryId', email: 'Email', phone: 'Phone', externalId: 'loyaltyId' })
    .describe('Namespaces of the identities that are sent. Your own object replaces the whole default.'),
  linkMerged: flag()
    .prefault(true)
    .describe(
      'The event of a merge has the ids of both customers. Set false if their namespace is unique in AEP, which then refuses it.',
    ),
});

const schemaFeatures = z.strictObject({
  loyalty2026: flag()
    .prefault(false)
    .describe(
      'The profile schema has the loyalty fields that Adobe added in 2026, such as lifetimePoints, tierExpiryDate, rewards and challenges.',
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
      'The profile schema has Consent and Preference Details, for opt-in and opt-out by channel; customerSubscription events need it.',
    ),
});

const consents = z.strictObject({
  combine: z
    .enum(['any-out', 'last'])
    .default('any-out')
    .describe(
      'How the answers of several accounts become that of the channel. any-out: an opt-out of any of them counts. last: the newest answer counts.',
    ),
});

/** The keys of one destination, an HTTP API connection of Adobe Experience Platform. */
export const destinationFields = z.strictObject({
  name: slug().describe('Name of the destination.'),
  imsOrgId: z
    .string()
    .regex(/^[\w.-]+@AdobeOrg$/, { error: 'must look like 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg' })
    .describe('Id of the organisation at Adobe.'),
  sandbox: headerText().describe('Name of the sandbox, such as prod.'),
  inletUrl: httpUrl(INLET)
    .refine(isInletUrl, { error: 'must end with /collection/<inletId>' })
    .describe('URL of the inlet, copied from the HTTP API connection in AEP.'),
  authenticated: flag()
    .prefault(true)
    .describe('Whether the connection requires authentication, so that each request needs a token.'),
  ims: imsSchema.optional().describe('Credential for the token; required if authenticated.'),
  platform: z
    .strictObject({
      url: httpUrl('https://platform.adobe.io')
        .default('https://platform.adobe.io')
        .describe('URL of the API gateway of AEP.'),
    })
    .prefault({})
    .describe('The platform API of AEP, for provision and verification.'),
  format: z
    .enum(['xdm', 'raw'])
    .default('xdm')
    .describe(
      'xdm: the relay maps events to XDM. raw: it forwards the payload, and Data Prep maps it in AEP.',
    ),
  events: z.strictObject(dataflow('event')).describe('Dataflow for ExperienceEvents.'),
  profile: profile.optional().describe('Dataflow for profile records; if absent, none are sent.'),
  identity: identity.prefault({}).describe('How customers are identified at Adobe.'),
  tenant: optionalText(/_[A-Za-z0-9]+/, 'must be the tenant id with its underscore, such as _acme').describe(
    'Tenant id for the paths of custom fields; if absent, custom fields are not sent.',
  ),
  schemaFeatures: schemaFeatures
    .prefault({})
    .describe(
      'Field groups that the schemas have; fields of others are not sent, because AEP refuses unknown fields.',
    ),
  consents: consents
    .prefault({})
    .describe('How the answers of customerSubscription events become consents of the profile.'),
  batch: batchSchema.prefault({}).describe('How messages are combined into requests.'),
  limits: limitsSchema
    .prefault({})
    .describe('Maximum load of the destination, which several replicas share.'),
  retry: retrySchema.prefault({}).describe('What happens after a failure that the message did not cause.'),
  reconcile: destinationReconcileSchema
    .optional()
    .describe('Compares what was delivered with what is in AEP; absent: never.'),
});

type Fields = z.output<typeof destinationFields>;

/**
 * Reduces the batch to the messages of one second: the rate limit could never admit a larger one.
 */
function limitBatch(fields: Fields): Fields {
  return {
    ...fields,
    batch: {
      ...fields.batch,
      maxMessages: Math.min(fields.batch.maxMessages, fields.limits.messagesPerSecond),
    },
  };
}

export const destinationSchema = destinationFields.transform(limitBatch);

export type DestinationConfig = z.output<typeof destinationSchema>;
