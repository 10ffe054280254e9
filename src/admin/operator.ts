import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';

/**
 * Who acts, for the journal's record: `admin`, and whoever the caller says it is in X-Relay-Operator. A note, not a proof: the token is the
 * same for all.
 * @throws ProblemError when the header is not 1–64 printable characters of ASCII
 */
export function operatorOf({ headers }: Pick<FastifyRequest, 'headers'>): string {
  const name = headers['x-relay-operator'];
  if (name === undefined) return 'admin';
  if (typeof name !== 'string' || !/^[\x20-\x7e]{1,64}$/.test(name)) {
    throw new ProblemError('bad-request', 'X-Relay-Operator: must be 1 to 64 printable ASCII characters');
  }
  return `admin (${name})`;
}
