import { randomBytes, randomUUID } from 'node:crypto';

/** What goes into one access token. Times in ms. */
export interface AccessTokenContent {
  readonly clientId: string;
  readonly scope: string;
  readonly createdAt: number;
  readonly ttlMs: number;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/**
 * A token of the shape IMS gives: a JWT whose times are milliseconds in strings, without `exp` (reference: adobe.md §1.3).
 * The signature is noise of the length an RS256 one has: nobody but IMS can check it, and the inlet knows its tokens by heart.
 */
export function makeAccessToken(content: AccessTokenContent): string {
  const header = { alg: 'RS256', x5u: 'ims_na1-key-sim-1.cer', kid: 'ims_na1-key-sim-1', itt: 'at' };
  const claims = {
    id: `${content.createdAt}_${randomUUID()}_sim`,
    type: 'access_token',
    client_id: content.clientId,
    user_id: '51A0000000000000000000AA@techacct.adobe.com',
    as: 'ims-na1',
    created_at: String(content.createdAt),
    expires_in: String(content.ttlMs),
    scope: content.scope,
  };
  return `${part(header)}.${part(claims)}.${randomBytes(256).toString('base64url')}`;
}
