import { BlockList, isIP } from 'node:net';
import { canonicalAddress } from '../http/client-address.ts';

/** Whether requests from this address are allowed. */
export type AllowFrom = (ip: string) => boolean;

/**
 * Addresses and CIDR ranges from which a source accepts requests; an empty list allows all.
 * Capillary publishes none for its webhooks (docs/platforms/capillary.md#source-addresses). An
 * IPv4-mapped IPv6 address (`::ffff:10.0.0.1`, as a dual-stack socket reports it) is treated as
 * IPv4.
 * @throws RangeError for an invalid range
 */
export function createAllowFrom(ranges: readonly string[]): AllowFrom {
  if (ranges.length === 0) {
    return () => true;
  }
  const list = new BlockList();
  for (const range of ranges) {
    addRange(list, range);
  }
  return (ip) => {
    const address = canonicalAddress(ip);
    return address !== undefined && list.check(address, familyOf(address));
  };
}

function addRange(list: BlockList, range: string): void {
  const [text = '', prefix] = range.split('/');
  const address = canonicalAddress(text);
  if (address === undefined) {
    throw new RangeError(`not an IP address or CIDR range: ${range}`);
  }
  const family = familyOf(address);
  const bits = family === 'ipv4' ? 32 : 128;
  const isMapped = family === 'ipv4' && isIP(text) === 6;
  const length = prefix === undefined ? bits : Number(prefix) - (isMapped ? 96 : 0);
  list.addSubnet(address, length, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
