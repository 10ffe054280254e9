import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { isProxyUrl } from './proxy-variables.ts';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PEM_BEGIN = '-----BEGIN CERTIFICATE-----';

/**
 * The certificates alone, since OpenSSL reads a file up to the first thing that it does not
 * understand and drops the rest in silence; undefined if one is damaged or cut off.
 */
function certificatesOf(text: string): string | undefined {
  const found = text.match(PEM) ?? [];
  if (found.length === 0 || found.length !== text.split(PEM_BEGIN).length - 1) return undefined;
  try {
    return found.map((pem) => new X509Certificate(pem).toString()).join('');
  } catch {
    return undefined;
  }
}

/** A name, or a domain such as .svc or *.svc, with or without a port. */
const NAME = /^(\*|(\*?\.)?[\w-]+(\.[\w-]+)*\.?)(:\d{1,5})?$/;

/** What matchesNoProxy understands: also an address, with or without a port, and a range. */
function isNoProxyEntry(entry: string): boolean {
  const [address = '', prefix] = entry.split('/');
  if (prefix !== undefined) {
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  }
  const [, bracketed] = /^\[(.*)\](?::\d{1,5})?$/.exec(entry) ?? [];
  return isIP(bracketed ?? entry) !== 0 || NAME.test(entry);
}

const PROXY_RULE = 'must be the http(s) URL of a proxy, such as http://proxy.corp:3128';
const NO_PROXY_RULE =
  'must be a host, a domain such as .svc, an address or an address range such as 10.0.0.0/8';

/** How the relay reaches Adobe and Capillary. */
export const egressSchema = z.strictObject({
  proxy: z
    .string()
    // Editors and the chart know the pattern; the rest is checked below.
    .regex(/^(https?:\/\/\S+)?$/, { error: PROXY_RULE, abort: true })
    .transform((text) => (text === '' ? undefined : text))
    .refine((text) => text === undefined || isProxyUrl(text), { error: PROXY_RULE })
    .optional()
    .describe(
      'Proxy for IMS, inlet, platform and Capillary. Absent: HTTPS_PROXY and HTTP_PROXY of the environment. Loopback is always direct.',
    ),
  noProxy: z
    .array(
      z
        .string()
        .regex(/^[^\s/,]+(\/\d{1,3})?$/, { error: NO_PROXY_RULE, abort: true })
        .refine(isNoProxyEntry, { error: NO_PROXY_RULE }),
    )
    .default([])
    .describe(
      'Hosts with their subdomains, subdomains alone (.domain), addresses and ranges without the proxy; those of NO_PROXY are added.',
    ),
  ca: z
    .string()
    .transform((text) => (text.trim() === '' ? undefined : text))
    .refine((text) => text === undefined || certificatesOf(text) !== undefined, {
      error: 'must have certificates in PEM form, each of them whole, such as ${file:/etc/ssl/corp-ca.pem}',
    })
    .transform((text) => (text === undefined ? undefined : certificatesOf(text)))
    .optional()
    .describe(
      'Certificates (PEM) that are trusted in addition to those of Node and NODE_EXTRA_CA_CERTS, by PostgreSQL connections too.',
    ),
});

export type EgressConfig = z.output<typeof egressSchema>;
