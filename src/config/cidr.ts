import { isIP } from 'node:net';
import { z } from 'zod';

function isCidr(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

/** An address or an address range such as `10.0.0.0/8` or `::1`. */
export function cidr() {
  return z
    .string()
    .refine(isCidr, { error: 'must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32' });
}
