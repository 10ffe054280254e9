import { z } from 'zod';
import { duration, flag, headerText, httpUrl } from './field-types.ts';

/** Comparison of one source with the delivery log of its webhook at Capillary. */
export const sourceReconcileSchema = z.strictObject({
  every: duration({ min: '1s', max: '1d' }).prefault('15m').describe('Time between two comparisons.'),
  window: duration({ min: '1m', max: '30d' })
    .prefault('24h')
    .describe('How far back the first comparison goes; Capillary shows up to 30 days.'),
  delay: duration({ min: '1s', max: '1d' })
    .prefault('10m')
    .describe('Events that are younger are not compared, because Capillary may still be sending them.'),
  resend: flag()
    .prefault(true)
    .describe(
      'Whether events that did not arrive are taken from the log; false: they are reported, and `reconcile --resend` takes them.',
    ),
});

const SHARE_ERROR = 'must be a share from 0 to 1, such as 0.001';

/** A number from 0 to 1. A numeric string is accepted too, because `${NAME}` yields a string. */
function share() {
  const number = z
    .number({ error: SHARE_ERROR })
    .min(0, { error: SHARE_ERROR })
    .max(1, { error: SHARE_ERROR });
  return z.union(
    [
      number,
      z
        .string()
        .regex(/^\d(\.\d+)?$/, { error: SHARE_ERROR })
        .transform(Number)
        .pipe(number),
    ],
    { error: SHARE_ERROR },
  );
}

const KEYS_URL = 'https://static.adobeioevents.com';

const notifications = z.strictObject({
  clientId: headerText()
    .optional()
    .describe(
      'Client id of the project in the Developer Console that has the event registration; default that of `ims`.',
    ),
  signingHost: httpUrl(KEYS_URL)
    .default(KEYS_URL)
    .describe('Where Adobe publishes the keys of its signatures.'),
});

/** Comparison of what was delivered to a destination with what AEP has. */
export const destinationReconcileSchema = z.strictObject({
  every: duration({ min: '1s', max: '1d' }).prefault('15m').describe('Time between two comparisons.'),
  window: duration({ min: '10s', max: '1d' })
    .prefault('1h')
    .describe('Length of the periods whose numbers of records are compared.'),
  readBack: share()
    .prefault(0.001)
    .describe(
      'Share of the events that are read back from Profile with their profiles; records near the size limits always are.',
    ),
  profileDelay: duration({ min: '1s', max: '7d' })
    .prefault('15m')
    .describe('After this time a record has to be in Profile; nothing is concluded before.'),
  lakeDelay: duration({ min: '1s', max: '7d' })
    .prefault('60m')
    .describe('After this time a record has to be in the data lake, or in a failed batch.'),
  notifications: notifications
    .optional()
    .describe('Accepts notifications of Adobe I/O Events at POST /hooks/adobe of the admin port.'),
});

export type SourceReconcileConfig = z.output<typeof sourceReconcileSchema>;
export type DestinationReconcileConfig = z.output<typeof destinationReconcileSchema>;
