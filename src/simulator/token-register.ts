import { makeAccessToken } from './access-token.ts';

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
