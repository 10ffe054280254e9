import { z } from 'zod';
import { LOG_LEVELS } from '../telemetry/log-level.ts';
import { destinationSchema } from './destination-config.ts';
import { egressSchema } from './egress-config.ts';
import { cidr, duration, integer, optionalSecretList, size } from './field-types.ts';
import { sourceSchema } from './source-config.ts';
import { parseStoreUrl } from './store-url.ts';

const rateLimit = z.strictObject({
  max: integer(1, 1_000_000).prefault(2_000).describe('Maximum number of requests of one source per window.'),
  window: duration({ min: '1ms', max: '1d' }).prefault('1s').describe('Length of the window.'),
});

/** The public server, which receives Capillary's webhooks. */
export const serverSchema = z.strictObject({
  host: z.string().min(1).default('0.0.0.0').describe('Address that the webhook server listens on.'),
  port: integer(0, 65_535)
    .prefault(8080)
    .describe('TCP port of the webhook server; 0 lets the system choose.'),
  bodyLimit: size({ min: '1KB', max: '100MiB' })
    .prefault('1MiB')
    .describe(
      'Maximum size of a request body, as sent and inflated; larger ones are answered 413. Capillary documents no limit; samples have 1-4 KB.',
    ),
  trustProxy: z
    .array(cidr())
    .default([])
    .describe(
      'Addresses (CIDR) of reverse proxies whose X-Forwarded-For header is trusted; its entries can have a port.',
    ),
  rateLimit: rateLimit
    .prefault({})
    .describe(
      'Limit for each source; requests above it are answered 429 with Retry-After. Each of several replicas allows its part, rounded up.',
    ),
});

/** The server for operators, probes and metrics. */
export const adminSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address that the admin server listens on; any address but loopback requires a token.'),
  port: integer(0, 65_535).prefault(8081).describe('TCP port of the admin server; 0 lets the system choose.'),
  token: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .optional()
    .describe('Bearer token of the admin API. Empty or absent: the API is available on loopback only.'),
});

const retention = z.strictObject({
  delivered: duration()
    .prefault('3d')
    .describe('How long the payload of a delivered or ignored event is kept at most, for lookup and replay.'),
  ids: duration()
    .prefault('8d')
    .describe(
      'How long event ids are kept to detect duplicates; at least 7d, as Capillary promises to retry. Not longer in a full store.',
    ),
  dead: duration().prefault('90d').describe('How long a dead letter is kept before it is deleted.'),
});

/** Where the accepted events are. */
export const storeSchema = z.strictObject({
  engine: z
    .enum(['sqlite', 'postgres'], {
      error: ({ input }) =>
        input === 'jetstream' ? 'is not supported; replicas share a store of the engine postgres' : undefined,
    })
    .default('sqlite')
    .describe('sqlite: a folder on a disk, for one relay. postgres: a database, for any number of replicas.'),
  path: z
    .string()
    .min(1)
    .default('./data')
    .describe(
      'sqlite: folder of the store, on a local disk; a relative path is resolved from the working directory.',
    ),
  expect: z
    .enum(['existing', 'any'])
    .default('any')
    .describe(
      'sqlite: existing refuses to start if the folder has no store, as when its volume is not mounted; any creates one.',
    ),
  url: z
    .string()
    .refine((text) => parseStoreUrl(text) !== undefined, {
      error:
        'must be a URL such as postgres://relay:${file:/run/secrets/pg}@db:5432/relay?sslmode=verify-full',
    })
    .optional()
    .describe('postgres: URL of the database, required; several hosts are separated by commas.'),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,47}$/, {
      error: 'must have 1 to 48 lower-case letters, digits or _, and start with a letter or _',
    })
    .default('relay')
    .describe('postgres: schema of the tables; each relay has one of its own, which its replicas share.'),
  connections: integer(4, 100)
    .prefault(8)
    .describe("postgres: connections of each replica; the server's max_connections must allow those of all."),
  maxBytes: size()
    .prefault('10GiB')
    .describe(
      'Maximum size of the store. Near it, settled payloads are removed early; above it, events are answered 503.',
    ),
  minFree: size()
    .prefault('512MiB')
    .describe(
      'sqlite: minimum free disk space, with the free space inside the store; near it and below it as for maxBytes.',
    ),
  retention: retention
    .prefault({})
    .describe(
      'How long records are kept at most; a full store gives up delivered and ignored events earlier.',
    ),
  encryptionKeys: optionalSecretList()
    .prefault([])
    .describe(
      'AES-256-GCM keys for stored payloads, newest first: 32 bytes as base64 or hex. Empty: no encryption.',
    ),
});

const logSchema = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info').describe('Lowest level that is logged.'),
});

/**
 * The whole configuration. Unknown keys are refused. Parsed durations are ms, parsed sizes bytes.
 */
export const configSchema = z.strictObject({
  server: serverSchema.prefault({}).describe("The public server, which receives Capillary's webhooks."),
  admin: adminSchema.prefault({}).describe('The admin server: health, metrics and the admin API.'),
  egress: egressSchema.prefault({}).describe('How the relay reaches Adobe and Capillary.'),
  store: storeSchema.prefault({}).describe('The store, which holds the accepted events.'),
  sources: z
    .array(sourceSchema)
    .min(1, { error: 'needs at least one source; copy one from examples/relay.yaml' })
    .describe('Senders: one for each webhook that is configured at Capillary.'),
  destinations: z
    .array(destinationSchema)
    .min(1, { error: 'needs at least one destination; copy one from examples/relay.yaml' })
    .describe('Receivers: one for each HTTP API connection in Adobe Experience Platform (AEP).'),
  log: logSchema.prefault({}).describe('The log on standard output, one JSON object per line.'),
});

export type Config = z.output<typeof configSchema>;
export type StoreConfig = Config['store'];
export type { DestinationConfig } from './destination-config.ts';
export type { SourceConfig } from './source-config.ts';
export type { VerifierConfig } from './verifier-config.ts';
