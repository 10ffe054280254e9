import { z } from 'zod';
import { apiSchema, webhookSchema } from './capillary-config.ts';
import { enrichSchema } from './enrich-config.ts';
import { cidr, duration, integer, optionalText, size, slug } from './field-types.ts';
import { sourceReconcileSchema } from './reconcile-config.ts';
import { verifierSchema } from './verifier-config.ts';

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const unverified = z.strictObject({
  keep: z
    .enum(['quarantine', 'nothing'])
    .default('quarantine')
    .describe(
      'Whether copies of these requests are kept, so that they can be released after a secret is fixed.',
    ),
  maxCount: integer(1, 1_000_000)
    .prefault(1_000)
    .describe('Maximum number of copies; the oldest are deleted first.'),
  maxBytes: size()
    .prefault('16MiB')
    .describe('Maximum total size of the copies; the oldest are deleted first.'),
  maxAge: duration().prefault('3d').describe('How long a copy is kept.'),
});

/** How the text of a custom or extended field is read. */
export const FIELD_TYPES = ['string', 'number', 'integer', 'boolean', 'date-time', 'date'] as const;

const fieldTarget = z
  .union(
    [
      z
        .string()
        .min(1)
        .transform((to): FieldTarget => ({ to })),
      z.strictObject({
        to: z.string().min(1).describe('XDM path.'),
        type: z.enum(FIELD_TYPES).optional().describe("Type of the brand's own field in XDM."),
      }),
    ],
    { error: `must be an XDM path, or { to: <XDM path>, type: <${FIELD_TYPES.join(', ')}> }` },
  )
  .transform((target): FieldTarget => target);

/** Where a custom or extended field goes. */
export interface FieldTarget {
  /** XDM path. */
  readonly to: string;
  /** Absent: the type of the XDM field; for the brand's own fields a string. */
  readonly type?: (typeof FIELD_TYPES)[number] | undefined;
}

function fieldTargets() {
  return z.record(z.string(), fieldTarget).default({});
}

const TARGET = `XDM path, or { to: path, type: type }; types: ${FIELD_TYPES.join(', ')}.`;

const fields = z.strictObject({
  customFields: fieldTargets().describe(`Name of a custom field in Capillary → ${TARGET}`),
  extendedFields: fieldTargets().describe(`Name of an extended field in Capillary → ${TARGET}`),
});

const bills = z.strictObject({
  count: z
    .array(z.string().transform((status) => status.trim().toUpperCase()))
    .prefault(['NORMAL', 'RETRO'])
    .describe(
      'Outlier statuses of bills that count, in any case; a bill without a status counts too. Other bills become loyalty.transactionExcluded.',
    ),
});

function statusLabels(...defaults: string[]) {
  return z.array(z.string().trim().min(1)).default(defaults);
}

const labels = z.strictObject({
  deleted: statusLabels('Deleted').describe(
    'Labels of a customer who was deleted; a customerUpdated with one, or with the status DELETED, is a deletion. Case does not matter.',
  ),
  active: statusLabels('Active').describe(
    'Labels of an active customer; others are not active. Case does not matter.',
  ),
});

const override = z.strictObject({
  event: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata expression whose result extends the ExperienceEvent; null removes a field.'),
  profile: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata expression whose result extends the profile record; null removes a field.'),
});

const contacts = z.strictObject({
  ignore: z
    .array(
      z.string().regex(/[^*\s]/, { error: 'must contain more than *, which would ignore every contact' }),
    )
    .default([])
    .describe(
      "E-mail addresses, phone numbers and ids that are nobody's own, exact or with * as wildcard; added to the built-in list.",
    ),
  sharedBy: integer(0, 1_000)
    .prefault(5)
    .describe(
      'A contact that more customers of an organisation have than this becomes an identity of none of them; 0: never checked.',
    ),
});

/** Characters that need no escaping in an id, and the placeholder of the organisation. */
const PREFIX = /^(?:[\w.:~|/-]|<orgId>){0,100}$/;

const identity = z.strictObject({
  prefix: z
    .string()
    .regex(PREFIX, { error: 'may have letters, digits, . : ~ | / _ - and <orgId>' })
    .default('')
    .describe(
      'Text before customer ids, external ids and cards in identities, such as <orgId>- if organisations share a destination.',
    ),
});

/** One sender: how its webhooks are verified and mapped. */
export const sourceSchema = z.strictObject({
  name: slug().describe('Name of the source; its webhook URL is /webhooks/<name>.'),
  destination: z.string().min(1).describe('Name of the destination that receives its events.'),
  orgIds: z
    .array(integer(0, Number.MAX_SAFE_INTEGER))
    .optional()
    .describe(
      'Capillary organisations that may send here; events of others are malformed. Absent: any organisation.',
    ),
  timezone: z
    .string()
    .default('UTC')
    .refine(isTimeZone, { error: 'must be an IANA time zone such as Asia/Kolkata' })
    .describe('Time zone of dates and times without an offset.'),
  country: optionalText(
    /[A-Z]{2}/,
    'must be a two-letter country code in capital letters, such as IN',
  ).describe('Country of phone numbers without a country code.'),
  testEvents: z
    .enum(['ignore', 'deliver'])
    .default('ignore')
    .describe("What happens to the samples that Capillary's Test button sends."),
  unmapped: z
    .enum(['generic', 'ignore'])
    .default('generic')
    .describe('What happens to events that have no mapping of their own.'),
  unverified: unverified.prefault({}).describe('What happens to requests that fail verification.'),
  api: apiSchema.optional().describe("Access to Capillary's REST API for this organisation."),
  webhook: webhookSchema
    .optional()
    .describe('The webhook of this source at Capillary, as `register` keeps it.'),
  enrich: enrichSchema
    .optional()
    .describe(
      "Completes events from Capillary's API before they are mapped; absent: they are mapped as they came.",
    ),
  reconcile: sourceReconcileSchema
    .optional()
    .describe(
      "Compares what Capillary sent with what was accepted, and takes what is missing from Capillary's log; absent: never.",
    ),
  verify: z
    .array(verifierSchema)
    .min(1, {
      error: 'is empty, so every request would be refused; to accept all requests, write [{ type: none }]',
    })
    .describe('Verifiers of the sender; a request is accepted if one of them passes.'),
  allowFrom: z.array(cidr()).default([]).describe('Addresses (CIDR) that may send here; empty: all.'),
  program: integer(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      "Loyalty program whose points go to loyalty.points. Absent: the organisation's default program.",
    ),
  bills: bills.prefault({}).describe('Which bills are purchases and returns.'),
  labels: labels.prefault({}).describe("The brand's words for the status of a customer."),
  contacts: contacts.prefault({}).describe("Identities and contact points that are not one customer's own."),
  identity: identity.prefault({}).describe('The form of identities of this source.'),
  fields: fields.prefault({}).describe('XDM paths of custom and extended fields.'),
  overrides: z
    .record(z.string(), override)
    .default({})
    .describe(
      'Event name → JSONata expressions over { event, mapped, profile } that extend the built-in mapping.',
    ),
});

export type SourceConfig = z.output<typeof sourceSchema>;
export type { VerifierConfig } from './verifier-config.ts';
