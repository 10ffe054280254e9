import { createPool } from './http-pool.ts';
import type { MintFailure, Minted } from './minted.ts';
import { createSecretRing } from './secret-ring.ts';
import { requestToken, type TokenRequest } from './token-request.ts';

/** Asks IMS for tokens, with each secret in turn if need be. Knows nothing of caching or waiting. */
export interface Minter {
  /** One mint. Never throws. `closed` once the minter is. */
  mint(): Promise<Minted | 'closed'>;
  /** @returns whether the secrets really changed */
  setSecrets(secrets: readonly string[]): boolean;
  close(): void;
}

function failure(code: string, detail: string, permanent: boolean): MintFailure {
  return {
    ok: false,
    code,
    detail,
    permanent,
    wrongSecret: false,
  };
}

/** @param secretFailed called for each secret that IMS refused */
export function createMinter(
  request: TokenRequest,
  clientSecrets: readonly string[],
  secretFailed: () => void,
): Minter {
  const pool = createPool(request.url.origin, 1, request.timeoutMs);
  const secrets = createSecretRing(clientSecrets);
  const closing = new AbortController();

  const trySecrets = async (): Promise<Minted> => {
    let minted: Minted = failure('invalid_client', 'There is no client secret', true);
    for (const secret of secrets.inOrder()) {
      minted = await requestToken(pool, request, secret, closing.signal);
      if (minted.ok) secrets.worked(secret);
      if (minted.ok || !minted.wrongSecret) break;
      secretFailed();
    }
    return minted;
  };

  return {
    async mint() {
      try {
        for (;;) {
          const version = secrets.version();
          const minted = await trySecrets();
          // A failure of secrets that were replaced meanwhile says nothing of the new ones.
          if (minted.ok || version === secrets.version()) return minted;
        }
      } catch (error) {
        if (closing.signal.aborted) return 'closed';
        return failure('unavailable', error instanceof Error ? error.message : String(error), false);
      }
    },
    setSecrets: (next) => secrets.replace(next),
    close() {
      closing.abort(new Error('The token source is closed'));
      pool.destroy().catch(() => undefined);
    },
  };
}
