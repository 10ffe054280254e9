import type { Pool } from 'undici';
import { post } from './http-post.ts';
import { type Minted, readMinted } from './minted.ts';
import { USER_AGENT } from './user-agent.ts';

export interface TokenRequest {
  readonly url: URL;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly timeoutMs: number;
  /** Epoch ms. */
  readonly now: () => number;
}

/** A token answer is about 2 KB; what is longer is no token answer. */
const MAX_ANSWER_BYTES = 65_536;
/** Shorter texts are no secrets, and blotting them out would make an error unreadable. */
const SECRET_LENGTH = 8;

const HEADERS = {
  'content-type': 'application/x-www-form-urlencoded',
  accept: 'application/json',
  'user-agent': USER_AGENT,
};

/** IMS echoes parameters at times; a secret must not travel on into a log (design: invariant 8). */
function withoutSecret(minted: Minted, secret: string): Minted {
  return minted.ok || secret.length < SECRET_LENGTH
    ? minted
    : { ...minted, detail: minted.detail.replaceAll(secret, '[secret]') };
}

/**
 * Asks IMS once for a token. Every value is encoded, for secrets hold reserved characters; scopes are comma separated (adobe.md §1.2).
 * @throws only the signal's reason
 */
export async function requestToken(
  pool: Pool,
  request: TokenRequest,
  secret: string,
  signal: AbortSignal,
): Promise<Minted> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: request.clientId,
    client_secret: secret,
    scope: request.scopes.join(','),
  });
  const answer = await post(
    pool,
    {
      path: request.url.pathname + request.url.search,
      headers: HEADERS,
      body: form.toString(),
      timeoutMs: request.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    },
    signal,
  );
  return withoutSecret(readMinted(answer, request.now()), secret);
}
