import { BlockList, isIP } from 'node:net';

/** Bits of an address, by version. */
const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** The host of a URL without the brackets of an IPv6 address and without a final dot. */
export function hostOf({ hostname }: URL): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** The port of a URL, also if it is the default one. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function isInRange(host: string, range: string): boolean {
  const [address = '', prefix = ''] = range.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || isIP(host) === 0) return false;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > ADDRESS_BITS[version]) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), familyOf(address));
  return list.check(host, familyOf(host));
}

/** Compares addresses and not their texts: IPv6 has several for one address. */
function isSameAddress(host: string, address: string): boolean {
  if (isIP(host) === 0) return false;
  const list = new BlockList();
  list.addAddress(address, familyOf(address));
  return list.check(host, familyOf(host));
}

/** The name or address of an entry, and its port if it has one. */
function partsOf(entry: string): { readonly name: string; readonly port?: number } {
  if (isIP(entry) !== 0 || entry.includes('/')) return { name: entry };
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain).replace(/\.$/, '').toLowerCase();
  return port === undefined ? { name } : { name, port: Number(port) };
}

/**
 * Whether an entry of `egress.noProxy` or NO_PROXY names the URL: a host with its subdomains,
 * `.domain` or `*.domain` for the subdomains alone, `*`, an address, or an address range; each but
 * a range also with a port. Names are not resolved, so an address never matches a name. An entry
 * that is none of these matches nothing.
 */
export function matchesNoProxy(url: URL, entry: string): boolean {
  const { name, port } = partsOf(entry);
  if (name === '' || (port !== undefined && port !== portOf(url))) return false;
  const host = hostOf(url);
  if (name === '*') return true;
  if (name.includes('/')) return isInRange(host, name);
  if (isIP(name) !== 0) return isSameAddress(host, name);
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  if (name.startsWith('.')) return host.endsWith(name);
  return host === name || host.endsWith(`.${name}`);
}
