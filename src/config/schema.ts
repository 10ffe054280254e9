import { z } from 'zod';
import { cidr } from './cidr.ts';
import { destinationSchema } from './destination.ts';
import { sourceSchema } from './source.ts';
import { duration, integer, size } from './units.ts';

/** The whole configuration (design: section 5). Strict: an unknown key is refused. Durations are ms, sizes bytes once read. */
export const configSchema = z.strictObject({
  server: z
    .strictObject({
      host: z.string().min(1).default('0.0.0.0'),
      port: integer(0, 65_535).default(8080),
      bodyLimit: size().default(1_048_576),
      trustProxy: z.array(cidr()).default([]),
      rateLimit: z
        .strictObject({ max: integer(1, 1_000_000).default(2_000), window: duration().default(1_000) })
        .prefault({}),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: integer(0, 65_535).default(8081),
      token: z
        .string()
        .transform((text) => (text === '' ? undefined : text))
        .optional(),
    })
    .prefault({}),
  store: z
    .strictObject({
      engine: z.enum(['sqlite', 'jetstream']).default('sqlite'),
      path: z.string().min(1).default('./data'),
      maxBytes: size().default(10_737_418_240),
      minFree: size().default(536_870_912),
      retention: z
        .strictObject({
          delivered: duration().default(259_200_000),
          ids: duration().default(691_200_000),
          dead: duration().default(7_776_000_000),
        })
        .prefault({}),
      encryptionKeys: z.array(z.string()).default([]),
    })
    .prefault({}),
  sources: z
    .array(sourceSchema)
    .min(1, { error: 'needs at least one source; copy one from examples/relay.yaml' }),
  destinations: z
    .array(destinationSchema)
    .min(1, { error: 'needs at least one destination; copy one from examples/relay.yaml' }),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type StoreConfig = Config['store'];
export type { SourceConfig, VerifierConfig } from './source.ts';
export type { DestinationConfig } from './destination.ts';
