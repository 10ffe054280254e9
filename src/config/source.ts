import { z } from 'zod';
import { cidr } from './cidr.ts';
import { optionalText, slug } from './text.ts';
import { duration, integer, size } from './units.ts';
import { verifierSchema } from './verifier.ts';

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
      'Whether a copy of a request that failed verification is kept, to be released once a secret is mended.',
    ),
  maxCount: integer(1, 1_000_000).prefault(1_000).describe('Most copies kept; the oldest make room.'),
  maxBytes: size().prefault('16MiB').describe('Most bytes of copies kept; the oldest make room.'),
  maxAge: duration().prefault('3d').describe('How long a copy is kept.'),
});

function fieldPaths() {
  return z.record(z.string(), z.string().min(1)).default({});
}

const fields = z.strictObject({
  customFields: fieldPaths().describe('Name of a custom field at Capillary → XDM path.'),
  extendedFields: fieldPaths().describe('Name of an extended field at Capillary → XDM path.'),
});

const override = z.strictObject({
  event: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata expression whose result extends the ExperienceEvent; null takes a field out.'),
  profile: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata expression whose result extends the profile record; null takes a field out.'),
});

/** One sender: a Capillary organisation and how its webhooks are proven and read. */
export const sourceSchema = z.strictObject({
  name: slug().describe('Name of the source; the webhook URL is /webhooks/<name>.'),
  destination: z.string().min(1).describe('Name of the destination that gets its events.'),
  orgIds: z
    .array(integer(0, Number.MAX_SAFE_INTEGER))
    .optional()
    .describe(
      'Capillary organisations that may send here; an event of another one is malformed. Absent: any.',
    ),
  timezone: z
    .string()
    .default('UTC')
    .refine(isTimeZone, { error: 'must be an IANA time zone such as Asia/Kolkata' })
    .describe('Time zone of dates that come without one.'),
  country: optionalText(/[A-Z]{2}/, 'must be a two-letter country code in capitals such as IN').describe(
    'Country of phone numbers that come without a country code.',
  ),
  testEvents: z
    .enum(['ignore', 'deliver'])
    .default('ignore')
    .describe("What becomes of the samples that Capillary's Test button sends."),
  unmapped: z
    .enum(['generic', 'ignore'])
    .default('generic')
    .describe('What becomes of an event name that has no mapping of its own.'),
  unverified: unverified.prefault({}).describe('What becomes of requests that failed verification.'),
  verify: z
    .array(verifierSchema)
    .min(1, { error: 'is empty, so nobody could send; to accept anybody on purpose write [{ type: none }]' })
    .describe('Ways of proving who sent a webhook; any one that passes is enough.'),
  allowFrom: z.array(cidr()).default([]).describe('Addresses (CIDR) that may send here; empty allows all.'),
  program: integer(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("Loyalty program that fills loyalty.points. Absent: the organisation's default program."),
  fields: fields.prefault({}).describe('Where custom and extended fields go in XDM.'),
  overrides: z
    .record(z.string(), override)
    .default({})
    .describe(
      'Event name → JSONata expressions over { event, mapped, profile } that extend the built-in mapping.',
    ),
});

export type SourceConfig = z.output<typeof sourceSchema>;
export type { VerifierConfig } from './verifier.ts';
