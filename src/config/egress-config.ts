import { X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** A proxy may need a user name and a password; config-summary.ts hides them. */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && pathname === '/' && search === '' && hash === '';
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function hasCertificates(text: string): boolean {
  const found = text.match(PEM) ?? [];
  try {
    return found.map((pem) => new X509Certificate(pem)).length > 0;
  } catch {
    return false;
  }
}

/** A name, a domain such as .svc or *.svc, an address with or without a port, an address range. */
const NO_PROXY = /^(\*|(\*?\.)?[\w.-]+(:\d+)?|[\d.]+\/\d+|[0-9a-fA-F:.]+(\/\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?)$/;

/** How the relay reaches Adobe and Capillary. */
export const egressSchema = z.strictObject({
  proxy: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .refine((text) => text === undefined || isProxyUrl(text), {
      error: 'must be the http(s) URL of a proxy, such as http://proxy.corp:3128',
    })
    .optional()
    .describe(
      'HTTP proxy for requests to IMS, inlet, platform and Capillary. Absent: HTTPS_PROXY and HTTP_PROXY of the environment.',
    ),
  noProxy: z
    .array(
      z.string().regex(NO_PROXY, {
        error: 'must be a host, a domain such as .svc, an address or an address range such as 10.0.0.0/8',
      }),
    )
    .default([])
    .describe('Hosts that are reached without the proxy; those of NO_PROXY in the environment are added.'),
  ca: z
    .string()
    .transform((text) => (text.trim() === '' ? undefined : text))
    .refine((text) => text === undefined || hasCertificates(text), {
      error: 'must have certificates in PEM form, such as ${file:/etc/ssl/corp-ca.pem}',
    })
    .optional()
    .describe('Certificates (PEM) that are trusted in addition to those of the system.'),
});

export type EgressConfig = z.output<typeof egressSchema>;
