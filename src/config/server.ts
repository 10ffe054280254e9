import { z } from 'zod';
import { cidr } from './cidr.ts';
import { duration, integer, size } from './units.ts';

const rateLimit = z.strictObject({
  max: integer(1, 1_000_000).prefault(2_000).describe('Requests that one source may send in a window.'),
  window: duration({ min: '1ms', max: '1d' }).prefault('1s').describe('Length of the window.'),
});

/** The port Capillary posts to. */
export const serverSchema = z.strictObject({
  host: z.string().min(1).default('0.0.0.0').describe('Address the webhook server listens on.'),
  port: integer(0, 65_535)
    .prefault(8080)
    .describe('TCP port of the webhook server; 0 lets the system choose.'),
  bodyLimit: size({ min: '1KB', max: '100MiB' })
    .prefault('1MiB')
    .describe(
      'Largest body taken; a larger one is answered 413. Capillary documents no limit; samples are 1-4 KB.',
    ),
  trustProxy: z
    .array(cidr())
    .default([])
    .describe('Addresses (CIDR) of the proxies in front whose X-Forwarded-For is believed.'),
  rateLimit: rateLimit.prefault({}).describe('Requests over it are answered 429 with Retry-After.'),
});

/** The port for operators and probes. */
export const adminSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address of health, metrics and the admin API; anything but loopback needs a token.'),
  port: integer(0, 65_535)
    .prefault(8081)
    .describe('TCP port of health, metrics and the admin API; 0 lets the system choose.'),
  token: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .optional()
    .describe('Bearer token of the admin API. Empty or absent: the API answers on loopback only.'),
});
