import { BlockList, isIP } from 'node:net';
import type { Finding } from './config-error.ts';
import type { DestinationDraft, Draft } from './draft.ts';

/** Domains of Adobe's services; they are never reached without TLS. */
const ADOBE = /(^|\.)(adobe\.com|adobe\.io|adobe\.net|adobedc\.net|adobelogin\.com|demdex\.net)$/;

/** Names that a network of one's own resolves: without a dot, or in a domain for such networks. */
const PRIVATE_NAME =
  /^[^.]+$|\.(localhost|local|internal|intranet|lan|home\.arpa|test|example|svc|cluster\.local)$/;

function rangesOf(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

const LOOPBACK = rangesOf('127.0.0.0/8', '::1/128');
const PRIVATE = rangesOf(
  ...'127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 100.64.0.0/10'.split(' '),
  ...'0.0.0.0/32 ::1/128 fc00::/7 fe80::/10'.split(' '),
);

/** Undefined if the host is a name and no address: such a name may begin with digits. */
function isIn(list: BlockList, host: string): boolean | undefined {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  return family === 0 ? undefined : list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return isIn(LOOPBACK, host) ?? host === 'localhost';
}

/** True for a host in a network of one's own, judged by its name or address. */
export function isPrivateHost(hostname: string): boolean {
  return isIn(PRIVATE, hostname) ?? PRIVATE_NAME.test(hostname.replace(/\.$/, ''));
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
