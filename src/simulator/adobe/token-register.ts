import { randomBytes, randomUUID } from 'node:crypto';

export type TokenState = 'alive' | 'expired' | 'unknown';

/** The tokens that the simulated IMS gave out and the simulated inlet takes. */
export interface TokenRegister {
  /** A token that the register knows, or with `known: false` one that no inlet will take. */
  mint(clientId: string, scope: string, known: boolean): string;
  state(token: string): TokenState;
  /** Kills every token at once; gives how many were alive. */
  revoke(): number;
  active(): number;
}

/** `ttlMs`: life of each token. Older tokens stay good when a new one is minted, as with Adobe (reference: adobe.md §1.5). */
export function createTokenRegister(ttlMs: number, now: () => number): TokenRegister {
  const expiries = new Map<string, number>();
  const forget = (): void => {
    for (const [token, expiresAt] of expiries) if (expiresAt <= now()) expiries.delete(token);
  };
  return {
    mint: (clientId, scope, known) => {
      // Expired tokens are kept until the next mint so that the inlet can tell an expired one from a stranger's.
      forget();
      const createdAt = now();
      const token = makeAccessToken({ clientId, scope, createdAt, ttlMs });
      if (known) expiries.set(token, createdAt + ttlMs);
      return token;
    },
    state: (token) => {
      const expiresAt = expiries.get(token);
      if (expiresAt === undefined) return 'unknown';
      return expiresAt > now() ? 'alive' : 'expired';
    },
    revoke: () => {
      forget();
      const count = expiries.size;
      expiries.clear();
      return count;
    },
    active: () => {
      forget();
      return expiries.size;
    },
  };
}

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
