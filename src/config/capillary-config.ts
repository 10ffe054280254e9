import { z } from 'zod';
import { duration, headerText, httpUrl, integer, secretText } from './field-types.ts';

/**
 * Capillary's REST API of one organisation. The host is never derived from a region, because the
 * names of the clusters are not consistent (docs/platforms/capillary.md#api-access).
 */
export const apiSchema = z.strictObject({
  url: httpUrl('https://eu.api.capillarytech.com').describe(
    "URL of the cluster's API host, without a path, such as https://eu.api.capillarytech.com.",
  ),
  key: headerText('must not be empty; is its environment variable set?').describe(
    'Key of the API client (OAuth) in Capillary.',
  ),
  secret: secretText().describe('Secret of the API client; Capillary shows it once, when it is created.'),
  callsPerMinute: integer(1, 100_000)
    .prefault(80)
    .describe('Maximum number of calls per minute; demo and test clusters of Capillary allow 100.'),
  concurrency: integer(1, 64).prefault(4).describe('Maximum number of concurrent calls.'),
  timeout: duration({ min: '100ms', max: '2m' }).prefault('5s').describe('Limit for one call.'),
});

/** Characters that a header's name may have (RFC 9110, 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const eventName = z.string().regex(/^\S+$/, { error: 'must be the name of an event, without blanks' });

export const webhookSchema = z.strictObject({
  name: z
    .string()
    .regex(/^\S(.{0,98}\S)?$/, { error: 'must have 1 to 100 characters and no blank at its ends' })
    .describe('Name of the webhook at Capillary, unique in its cluster; it cannot be changed later.'),
  url: httpUrl('https://relay.example.com/webhooks/acme').describe(
    'URL that Capillary posts to: the public address of this source.',
  ),
  events: z
    .union([z.literal('recommended'), z.array(eventName).min(1)], {
      error: 'must be recommended, or a list of event names',
    })
    .default('recommended')
    .describe('Events that Capillary sends: recommended, or a list of names.'),
  maxConnections: integer(1, 1_000)
    .prefault(10)
    .describe('Parallel requests of Capillary (maxAllowedConnections).'),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(HEADER_NAME, { error: 'must be the name of a header, such as X-Relay-Key' })
        .describe('Name of the header.'),
      value: headerText('must not be empty; is its environment variable set?').describe(
        'Its value; a verifier of the source must accept it.',
      ),
    })
    .describe('The header with which Capillary authenticates.'),
});

export type CapillaryApiConfig = z.output<typeof apiSchema>;
export type WebhookConfig = z.output<typeof webhookSchema>;
