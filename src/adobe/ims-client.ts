import { hitFailpoint } from '../telemetry/failpoints.ts';
import { abortable } from './abortable.ts';
import type { TokenAnswer, TokenSource } from './answer.ts';
import type { Clocks } from './deadline.ts';
import { createMintHold, type NoToken } from './mint-hold.ts';
import type { Minted } from './minted.ts';
import { createMinter } from './minter.ts';
import { createTokenCache } from './token-cache.ts';

export interface TokenSourceOptions {
  /** Token endpoint, e.g. https://ims-na1.adobelogin.com/ims/token/v3. */
  readonly url: string;
  readonly clientId: string;
  /** Tried in order; the one that works is remembered. */
  readonly clientSecrets: readonly string[];
  readonly scopes: readonly string[];
  /** Epoch ms. */
  readonly now?: () => number;
  /** ms of a clock that is never set. */
  readonly steady?: () => number;
  /** A number in [0, 1). */
  readonly jitter?: () => number;
  /**
   * Told of every mint, for a metric: `ok`, `ok_lifetime_unknown`, `same_token`, or the code of the failure; and `secret_failed`
   * for each secret that was passed over.
   */
  readonly onMint?: (outcome: string) => void;
  /** ms for one request to IMS. */
  readonly timeoutMs?: number;
}

const CLOSED: NoToken = {
  ok: false,
  code: 'unavailable',
  detail: 'The token source is closed',
  permanent: false,
  retryAfter: 60_000,
};

function okOutcome(minted: Extract<Minted, { ok: true }>, refused: NoToken | undefined): string {
  if (refused !== undefined) return 'same_token';
  return minted.lifetime === undefined ? 'ok_lifetime_unknown' : 'ok';
}

/**
 * Tokens for one credential: one mint at a time however many ask, a new one in the background before the old one ends, and waits in
 * place of requests while IMS or the credential is at fault. Nothing is refreshed while nobody asks, so there are no timers.
 * Source of the rules: adobe.md §1.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const {
    now = Date.now,
    steady = () => performance.now(),
    jitter = Math.random,
    onMint = () => undefined,
  } = options;
  const { clientId, scopes, timeoutMs = 10_000 } = options;
  const request = { url: new URL(options.url), clientId, scopes, timeoutMs, now };
  const clocks: Clocks = { wall: now, steady };
  const minter = createMinter(request, options.clientSecrets, () => onMint('secret_failed'));
  const cache = createTokenCache(clocks, jitter);
  const hold = createMintHold(clocks, jitter);
  let closed = false;
  let flight: Promise<TokenAnswer> | undefined;
  /** The token last refused: IMS giving the very same again is no help. */
  let refusedToken: string | undefined;

  const accept = (minted: Extract<Minted, { ok: true }>): TokenAnswer => {
    hold.minted();
    const refused = minted.token === refusedToken ? hold.refused('young') : undefined;
    // Once the wait is over the token gets another chance: the inlet may have been wrong about it.
    refusedToken = undefined;
    if (refused === undefined) cache.keep(minted.token, minted.lifetime);
    onMint(okOutcome(minted, refused));
    return refused ?? { ok: true, token: minted.token };
  };

  const mint = async (): Promise<TokenAnswer> => {
    hitFailpoint('token-minting');
    const minted = await minter.mint();
    hitFailpoint('token-minted');
    // Before anybody hears of the outcome: who asks after that must not be given this flight's answer.
    flight = undefined;
    if (minted === 'closed') return CLOSED;
    if (minted.ok) return accept(minted);
    const held = hold.failed(minted);
    onMint(minted.code);
    return held;
  };

  const shared = (): Promise<TokenAnswer> => (flight ??= mint());

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (closed) return CLOSED;
      const token = cache.valid();
      const held = hold.current();
      if (token === undefined) return held ?? abortable(shared(), signal);
      // Whatever becomes of the refresh is kept in cache and hold; nobody waits for it.
      if (cache.due() && held === undefined) shared().catch(() => undefined);
      return { ok: true, token };
    },
    reject(token) {
      const age = cache.drop(token);
      if (age === undefined) return;
      refusedToken = token;
      hold.refused(age);
    },
    setSecrets(next) {
      if (minter.setSecrets(next)) hold.clear();
    },
    retryNow() {
      hold.clear();
    },
    secondsLeft() {
      const ms = cache.left();
      return ms === undefined ? undefined : Math.floor(ms / 1_000);
    },
    close() {
      if (!closed) minter.close();
      closed = true;
    },
  };
}
