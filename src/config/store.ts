import { z } from 'zod';
import { optionalSecretList } from './secret-list.ts';
import { duration, size } from './units.ts';

const retention = z.strictObject({
  delivered: duration()
    .prefault('3d')
    .describe('How long the payload of a delivered or ignored event is kept, for looking up and replay.'),
  ids: duration()
    .prefault('8d')
    .describe(
      'How long an event is remembered as seen; 7d at least, the time for which Capillary repeats one.',
    ),
  dead: duration().prefault('90d').describe('How long a dead letter is kept before it is removed.'),
});

/** Where events are safe until they are delivered. */
export const storeSchema = z.strictObject({
  engine: z
    .enum(['sqlite', 'jetstream'])
    .default('sqlite')
    .describe('What keeps the events; this version has sqlite only.'),
  path: z
    .string()
    .min(1)
    .default('./data')
    .describe('Folder of the store, on a local disk; relative to where the relay was started.'),
  maxBytes: size()
    .prefault('10GiB')
    .describe('Size of the store at which events are answered 503 with Retry-After.'),
  minFree: size()
    .prefault('512MiB')
    .describe('Free space of the disk below which events are answered 503 with Retry-After.'),
  retention: retention.prefault({}).describe('How long records are kept.'),
  encryptionKeys: optionalSecretList()
    .prefault([])
    .describe(
      'Keys for AES-256-GCM over stored payloads, newest first: 32 bytes as base64 or hex. None: not encrypted.',
    ),
});
