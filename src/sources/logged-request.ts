import { markVerified, type VerifiedRequest } from './verifier.ts';

/** What verified an event that was taken from Capillary's own log. */
export const VERIFIED_BY_RECONCILE = 'reconcile';

/**
 * A body from Capillary's delivery log as a request: it was read with the credentials of the
 * source, so it needs no other proof.
 * @param receivedAt epoch ms
 */
export function loggedRequest(body: Buffer, receivedAt: number): VerifiedRequest {
  const headers = { 'content-type': 'application/json' };
  const request = { body, headers, rawHeaders: ['content-type', 'application/json'], ip: '', receivedAt };
  return markVerified(request, VERIFIED_BY_RECONCILE);
}
