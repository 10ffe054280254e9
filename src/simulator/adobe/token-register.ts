import { randomBytes, randomUUID } from 'node:crypto';

export type TokenState = 'valid' | 'expired' | 'unknown';

/** The tokens that the simulated IMS has issued and the simulated inlet accepts. */
export interface TokenRegister {
  /** A new token; with `known: false` the inlet will not accept it. */
  mint(clientId: string, scope: string, known: boolean): string;
  state(token: string): TokenState;
  /** The client id of a token that the register knows. */
  client(token: string): string | undefined;
  /** Invalidates every token and returns how many were valid. */
  revoke(): number;
  active(): number;
}

/**
 * A new token does not invalidate older ones (docs/platforms/adobe.md#token-refresh).
 *
 * @param ttlMs lifetime of each token
 */
export function createTokenRegister(ttlMs: number, now: () => number): TokenRegister {
  const known = new Map<string, { readonly clientId: string; readonly expiresAt: number }>();
  const removeExpired = (): void => {
    for (const [token, { expiresAt }] of known) if (expiresAt <= now()) known.delete(token);
  };
  return {
    mint: (clientId, scope, isKnown) => {
      // Expired tokens are kept until now, so that the inlet can tell them from unknown ones.
      removeExpired();
      const createdAt = now();
      const token = makeAccessToken({ clientId, scope, createdAt, ttlMs });
      if (isKnown) known.set(token, { clientId, expiresAt: createdAt + ttlMs });
      return token;
    },
    state: (token) => {
      const entry = known.get(token);
      if (entry === undefined) return 'unknown';
      return entry.expiresAt > now() ? 'valid' : 'expired';
    },
    client: (token) => known.get(token)?.clientId,
    revoke: () => {
      removeExpired();
      const count = known.size;
      known.clear();
      return count;
    },
    active: () => {
      removeExpired();
      return known.size;
    },
  };
}

/** Times in ms. */
interface AccessTokenContent {
  readonly clientId: string;
  readonly scope: string;
  readonly createdAt: number;
  readonly ttlMs: number;
}

function jwtPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/**
 * A token in the form of Adobe's: a JWT without `exp`, whose times are milliseconds in strings
 * (docs/platforms/adobe.md#token-claims). The signature is random and has the length of RS256; the
 * simulated inlet looks tokens up in the register instead of verifying it.
 */
function makeAccessToken(content: AccessTokenContent): string {
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
  return `${jwtPart(header)}.${jwtPart(claims)}.${randomBytes(256).toString('base64url')}`;
}
