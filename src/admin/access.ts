import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { readAuthorization } from '../sources/authorization.ts';
import { constantTimeEqual } from '../sources/constant-time.ts';

/** Stable codes of why somebody may not use the admin API. */
export type AccessRefusal = 'no-token' | 'wrong-token' | 'not-loopback' | 'foreign-page';

/** What the judgement goes by. The address is the socket's: forwarded headers can be written by anybody. */
export interface Caller {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/** What the caller is told; holds no secret. */
export const REFUSAL_DETAILS: Readonly<Record<AccessRefusal, string>> = {
  'no-token': 'send the admin.token of the configuration as Authorization: Bearer <token>',
  'wrong-token': 'the bearer token is not the admin.token of the configuration',
  'not-loopback':
    'without a token the admin API answers on loopback only: set admin.token to use it from elsewhere',
  'foreign-page':
    'without a token the admin API answers only when asked as localhost and not by a web page: set admin.token',
};

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** True for `localhost`, 127.0.0.0/8 and [::1], with any port. */
function isLocalHost(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

/**
 * A browser on the operator's machine reaches loopback too. So a name that somebody pointed at 127.0.0.1 is refused, and so is a page of
 * another origin: those cannot be kept from sending a POST without a body.
 */
function isForeignPage({ host = '', origin }: IncomingHttpHeaders): boolean {
  return !isLocalHost(host) || (origin !== undefined && origin !== `http://${host}`);
}

/** Undefined when the caller may use the admin API. With a token configured it is needed from everywhere, loopback too. */
export function refusalOf(caller: Caller, token: string | undefined): AccessRefusal | undefined {
  if (token === undefined || token === '') {
    if (!isLoopback(caller.remoteAddress)) return 'not-loopback';
    return isForeignPage(caller.headers) ? 'foreign-page' : undefined;
  }
  const given = readAuthorization(caller, 'bearer');
  if (!given.ok) return 'no-token';
  return constantTimeEqual(given.credentials, token) ? undefined : 'wrong-token';
}
