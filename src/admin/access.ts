import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../config/address-checks.ts';
import { ProblemError } from '../http/problems.ts';
import { readAuthorization } from '../sources/request-headers.ts';
import { constantTimeEqual } from '../sources/secret-matching.ts';

/** Stable codes of refused access to the admin API. */
export type AccessRefusal = 'no-token' | 'wrong-token' | 'not-loopback' | 'foreign-page';

/** A request for access. Forwarded headers can be forged, so the address is that of the socket. */
export interface Caller {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/** Details of the 401 response. They contain no secret. */
export const REFUSAL_DETAILS: Readonly<Record<AccessRefusal, string>> = {
  'no-token': 'send the admin.token of the configuration as Authorization: Bearer <token>',
  'wrong-token': 'it is not the admin.token of the configuration that the relay uses now',
  'not-loopback':
    'without a token the admin API answers on loopback only: set admin.token to use it from elsewhere',
  'foreign-page':
    'without a token the admin API answers only requests to localhost that no foreign web page sends: set admin.token',
};

/** True for `localhost`, 127.0.0.0/8 and [::1], with any port. */
function isLocalHost(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  return isLoopback(new URL(`http://${host}`).hostname);
}

/**
 * A browser on the operator's machine can reach loopback too. This refuses DNS names that point at
 * 127.0.0.1 (DNS rebinding), and pages of other origins, which may send a POST without a body.
 */
function isForeignPage({ host = '', origin }: IncomingHttpHeaders): boolean {
  return !isLocalHost(host) || (origin !== undefined && origin !== `http://${host}`);
}

/**
 * Undefined if the caller may use the admin API. A configured token is required from every address,
 * loopback included.
 */
export function checkAccess(caller: Caller, token: string | undefined): AccessRefusal | undefined {
  if (token === undefined || token === '') {
    if (!isLoopback(caller.remoteAddress ?? '')) return 'not-loopback';
    return isForeignPage(caller.headers) ? 'foreign-page' : undefined;
  }
  const given = readAuthorization(caller, 'bearer');
  if (!given.ok) return 'no-token';
  return constantTimeEqual(given.credentials, token) ? undefined : 'wrong-token';
}

/**
 * The operator's name for the journal: `admin`, followed by the content of X-Relay-Operator if
 * given. It is not authenticated: all operators share one token.
 * @throws ProblemError if the header is not 1–64 printable ASCII characters
 */
export function operatorOf({ headers }: Pick<FastifyRequest, 'headers'>): string {
  const name = headers['x-relay-operator'];
  if (name === undefined) return 'admin';
  if (typeof name !== 'string' || !/^[\x20-\x7e]{1,64}$/.test(name)) {
    throw new ProblemError('bad-request', 'X-Relay-Operator: must be 1 to 64 printable ASCII characters');
  }
  return `admin (${name})`;
}
