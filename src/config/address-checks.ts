import type { Finding } from './config-error.ts';
import type { DestinationDraft, Draft } from './draft.ts';

/** Domains of Adobe's services; they are never reached without TLS. */
const ADOBE = /(^|\.)(adobe\.com|adobe\.io|adobe\.net|adobedc\.net|adobelogin\.com|demdex\.net)$/;

/** Names that a network of one's own resolves: without a dot, or in a domain for such networks. */
const PRIVATE_NAME =
  /^[^.]+$|\.(localhost|local|internal|intranet|lan|home\.arpa|test|example|svc|cluster\.local)$/;
const PRIVATE_ADDRESS =
  /^(127|10)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\.|^0\.0\.0\.0$|^\[(::1\]|f[cd]|fe80)/;

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** True for a host in a network of one's own, judged by its name or address. */
export function isPrivateHost(hostname: string): boolean {
  return PRIVATE_NAME.test(hostname) || PRIVATE_ADDRESS.test(hostname);
}

function httpFinding(path: Finding['path'], text: string | undefined): Finding[] {
  if (text === undefined || !text.startsWith('http:')) return [];
  const { hostname } = new URL(text);
  if (isPrivateHost(hostname)) return [];
  const message = `sends tokens and customer data to ${hostname} unencrypted`;
  const fix = 'write https:// instead of http://';
  return ADOBE.test(hostname)
    ? [{ path, message: `${message}, where Adobe answers https only`, fix }]
    : [{ path, message, fix, severity: 'warning' }];
}

function batchFinding(text: string | undefined): Finding[] {
  if (text === undefined || !new URL(text).pathname.includes('/collection/batch/')) return [];
  return [
    {
      path: ['inletUrl'],
      message: 'is the batch form of the URL, which AEP does not show; the relay derives it itself',
      fix: 'write the URL without `batch/`: https://dcs.adobedc.net/collection/<inletId>',
      severity: 'warning',
    },
  ];
}

function findingsOf({ inletUrl, ims }: DestinationDraft): Finding[] {
  return [
    ...httpFinding(['inletUrl'], inletUrl),
    ...batchFinding(inletUrl),
    ...httpFinding(['ims', 'url'], ims?.url),
  ];
}

/** Problems of the addresses of each destination. */
export function addressFindings({ destinations }: Draft): Finding[] {
  return destinations.flatMap((destination, index) =>
    findingsOf(destination).map((finding) => ({
      ...finding,
      path: ['destinations', index, ...finding.path],
    })),
  );
}
