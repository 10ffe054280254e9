import { isIP } from 'node:net';

/** Stands for an address that cannot be read: no range of an allow list contains it. */
const UNKNOWN_ADDRESS = 'unknown';
const MAPPED_IPV4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * The canonical form of an IP address: IPv4-mapped IPv6 becomes IPv4, and a zone (`%eth0`) is
 * removed. Undefined if the text is not an address.
 */
export function canonicalAddress(address: string): string | undefined {
  if (isIP(address) === 4) {
    return address;
  }
  const [text = ''] = address.split('%');
  if (isIP(text) !== 6) {
    return undefined;
  }
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED_IPV4.exec(canonical) ?? [];
  return high === undefined || low === undefined ? canonical : [...octets(high), ...octets(low)].join('.');
}

function octets(hex: string): readonly number[] {
  return [...Buffer.from(hex.padStart(4, '0'), 'hex')];
}

/** The address of a client for logs, limits and allow lists; never any other text of a header. */
export function clientAddress(ip: string | undefined): string {
  return (ip === undefined ? undefined : addressOf(ip)) ?? UNKNOWN_ADDRESS;
}

/**
 * A header `X-Forwarded-For` with canonical addresses only. Some proxies add the port of the
 * client, brackets, quotes or a zone: `203.0.113.7:51008`, `"[2001:db8::1]:443"`. An entry that is
 * not an address becomes `unknown`, which is neither a trusted proxy nor on an allow list.
 */
export function normalizeForwardedFor(header: string): string {
  return header
    .split(',')
    .filter((entry) => entry.trim() !== '')
    .map((entry) => addressOf(entry) ?? UNKNOWN_ADDRESS)
    .join(', ');
}

/** The address in an entry with or without port, brackets and quotes. */
function addressOf(entry: string): string | undefined {
  if (isIP(entry) === 4) {
    return entry;
  }
  const text = unquote(entry.trim()).trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, beforePort] = /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  return canonicalAddress(bracketed ?? beforePort ?? text);
}

function unquote(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
