import { z } from 'zod';
import { destinationSchema } from './destination.ts';
import { adminSchema, serverSchema } from './server.ts';
import { sourceSchema } from './source.ts';
import { storeSchema } from './store.ts';

/** From the most talkative. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const logSchema = z.strictObject({
  level: z.enum(logLevels).default('info').describe('Least level that is logged.'),
});

/** The whole configuration (design: section 5). Strict: an unknown key is refused. Durations are ms, sizes bytes once read. */
export const configSchema = z.strictObject({
  server: serverSchema.prefault({}).describe('The port that Capillary posts to.'),
  admin: adminSchema.prefault({}).describe('The port for operators, probes and metrics.'),
  store: storeSchema.prefault({}).describe('Where events are safe until they are delivered.'),
  sources: z
    .array(sourceSchema)
    .min(1, { error: 'needs at least one source; copy one from examples/relay.yaml' })
    .describe('Senders: one for each webhook set up at Capillary.'),
  destinations: z
    .array(destinationSchema)
    .min(1, { error: 'needs at least one destination; copy one from examples/relay.yaml' })
    .describe('Receivers: one for each HTTP API connection at Adobe.'),
  log: logSchema.prefault({}).describe('Log, one JSON object per line on standard output.'),
});

export type Config = z.output<typeof configSchema>;
export type StoreConfig = Config['store'];
export type LogLevel = Config['log']['level'];
export type { DestinationConfig } from './destination.ts';
export type { SourceConfig } from './source.ts';
export type { VerifierConfig } from './verifier.ts';
