import { DIRECT_EGRESS, type Egress } from '../../http/egress.ts';
import { type OutboundPool, send, USER_AGENT } from '../../http/outbound.ts';
import { type MintFailure, type MintResult, readTokenResponse } from './token-response.ts';

/**
 * Requests tokens from IMS, with each client secret in turn until one works. No caching, no
 * backoff.
 */
export interface TokenApi {
  /** Requests one token. Never throws. `closed` after close(). */
  mint(): Promise<MintResult | 'closed'>;
  /** @returns whether the secrets actually changed */
  setSecrets(secrets: readonly string[]): boolean;
  close(): void;
}

export interface TokenRequest {
  readonly url: URL;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  /** Default: without a proxy. */
  readonly egress?: Egress;
  /** Epoch ms. */
  readonly now: () => number;
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

/** @param onSecretRefused called for each secret that IMS refuses */
export function createTokenApi(
  request: TokenRequest,
  clientSecrets: readonly string[],
  onSecretRefused: () => void,
): TokenApi {
  const { egress = DIRECT_EGRESS, timeoutMs } = request;
  const pool = egress.pool(request.url.origin, { connections: 1, timeoutMs });
  const secrets = createSecretRing(clientSecrets);
  const closing = new AbortController();

  const trySecrets = async (): Promise<MintResult> => {
    let minted: MintResult = failure('invalid_client', 'There is no client secret', true);
    for (const secret of secrets.inOrder()) {
      minted = await requestToken(pool, request, secret, closing.signal);
      if (minted.ok) secrets.markWorking(secret);
      if (minted.ok || !minted.wrongSecret) break;
      onSecretRefused();
    }
    return minted;
  };

  return {
    async mint() {
      try {
        for (;;) {
          const version = secrets.version();
          const minted = await trySecrets();
          // If the secrets were replaced during the mint, its failure says nothing about the new
          // ones.
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

/**
 * The client secrets of one credential. Adobe allows two at once, for rotation.
 * Source: docs/platforms/adobe.md#secret-rotation
 */
export interface SecretRing {
  /** The one that worked last, then the others in the given order. */
  inOrder(): readonly string[];
  markWorking(secret: string): void;
  /**
   * Replaces the secrets. The new ones are tried in their own order, since the one that worked last
   * may be about to be retired. Empty secrets are ignored, and so is a list without any other: the
   * file may have been read while it was being written.
   * @returns whether anything changed
   */
  replace(secrets: readonly string[]): boolean;
  /** Changes with every replacement. */
  version(): number;
}

export function createSecretRing(initial: readonly string[]): SecretRing {
  let secrets = initial.filter((secret) => secret !== '');
  let preferred: string | undefined;
  let version = 0;

  return {
    inOrder: () =>
      preferred === undefined ? secrets : [preferred, ...secrets.filter((secret) => secret !== preferred)],
    markWorking(secret) {
      if (secrets.includes(secret)) preferred = secret;
    },
    replace(next) {
      const given = next.filter((secret) => secret !== '');
      const isSame =
        given.length === secrets.length && given.every((secret, index) => secret === secrets[index]);
      if (isSame || given.length === 0) return false;
      secrets = given;
      preferred = undefined;
      version += 1;
      return true;
    },
    version: () => version,
  };
}

/** Token responses are about 2 KB. */
const MAX_RESPONSE_BYTES = 65_536;
/**
 * Shorter values are not redacted: no real secret is that short, and the error would be unreadable.
 */
const MIN_REDACTED_LENGTH = 8;

const HEADERS = {
  'content-type': 'application/x-www-form-urlencoded',
  accept: 'application/json',
  'user-agent': USER_AGENT,
};

/**
 * IMS sometimes echoes parameters; a secret must not reach a log, not even a part of one that is
 * truncated.
 */
function redactSecret(text: string, secret: string): string {
  if (secret.length < MIN_REDACTED_LENGTH) return text;
  const encoded = new URLSearchParams([['', secret]]).toString().slice(1);
  return text.replaceAll(secret, '[secret]').replaceAll(encoded, '[secret]');
}

/**
 * Sends one token request. Every value is encoded, since secrets contain reserved characters;
 * scopes are separated by commas.
 * Source: docs/platforms/adobe.md#token-request
 * @throws only the signal's reason
 */
async function requestToken(
  pool: OutboundPool,
  request: TokenRequest,
  secret: string,
  signal: AbortSignal,
): Promise<MintResult> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: request.clientId,
    client_secret: secret,
    scope: request.scopes.join(','),
  });
  const response = await send(
    pool,
    {
      method: 'POST',
      path: request.url.pathname + request.url.search,
      headers: HEADERS,
      body: form.toString(),
      timeoutMs: request.timeoutMs,
      maxBytes: MAX_RESPONSE_BYTES,
    },
    signal,
  );
  const minted = readTokenResponse(response, request.now());
  if (minted.ok || response.kind === 'failure') return minted;
  return readTokenResponse({ ...response, body: redactSecret(response.body, secret) }, request.now());
}
