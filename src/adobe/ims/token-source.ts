import { hitFailpoint } from '../../telemetry/failpoints.ts';
import { DIRECT_EGRESS, type Egress } from '../../http/egress.ts';
import { abortable } from '../../http/outbound.ts';
import type { LastAnswer, TokenResult, TokenSource } from '../ports.ts';
import {
  type Clocks,
  createMintBackoff,
  type Deadline,
  deadlineIn,
  msUntil,
  type NoToken,
} from './mint-backoff.ts';
import { createTokenApi } from './token-api.ts';
import type { MintResult } from './token-response.ts';

export interface TokenSourceOptions {
  /** Token endpoint, e.g. https://ims-na1.adobelogin.com/ims/token/v3. */
  readonly url: string;
  readonly clientId: string;
  /** Tried in order; the one that works is remembered. */
  readonly clientSecrets: readonly string[];
  readonly scopes: readonly string[];
  /** Epoch ms. */
  readonly now?: () => number;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
  /** A number in [0, 1). */
  readonly jitter?: () => number;
  /**
   * Called with the outcome of every mint, for a metric: `ok`, `ok_lifetime_unknown`, `same_token`
   * or the code of the failure; also with `secret_failed` for each secret that IMS refused.
   */
  readonly onMint?: (outcome: string) => void;
  /** For one request to IMS. */
  readonly timeoutMs?: number;
  /** Default: without a proxy. */
  readonly egress?: Egress;
}

const CLOSED: NoToken = {
  ok: false,
  code: 'unavailable',
  detail: 'The token source is closed',
  permanent: false,
  retryAfterMs: 60_000,
};

function successOutcome(minted: Extract<MintResult, { ok: true }>, refused: NoToken | undefined): string {
  if (refused !== undefined) return 'same_token';
  return minted.lifetimeMs === undefined ? 'ok_lifetime_unknown' : 'ok';
}

/**
 * Tokens for one credential: one mint at a time however many callers wait, a refresh in the
 * background before the token expires, and backoff instead of requests while IMS or the credential
 * is at fault. Tokens are refreshed only on a call of get(), so there are no timers.
 * Source: docs/platforms/adobe.md#ims-token
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const {
    now = Date.now,
    monotonic = () => performance.now(),
    jitter = Math.random,
    onMint = () => undefined,
  } = options;
  const { clientId, scopes, timeoutMs = 10_000, egress = DIRECT_EGRESS } = options;
  const request = { url: new URL(options.url), clientId, scopes, timeoutMs, egress, now };
  const clocks: Clocks = { wall: now, monotonic };
  const api = createTokenApi(request, options.clientSecrets, () => onMint('secret_failed'));
  const cache = createTokenCache(clocks, jitter);
  const backoff = createMintBackoff(clocks, jitter);
  let closed = false;
  let inFlight: Promise<TokenResult> | undefined;
  /** The last refused token. IMS may return the same one again, which does not help. */
  let refusedToken: string | undefined;
  let lastAnswer: LastAnswer | undefined;

  const accept = (minted: Extract<MintResult, { ok: true }>): TokenResult => {
    backoff.recordSuccess();
    const refused = minted.token === refusedToken ? backoff.recordRefusal('young') : undefined;
    // After the wait the token gets another chance: the inlet may have been wrong about it.
    refusedToken = undefined;
    if (refused === undefined) cache.store(minted.token, minted.lifetimeMs);
    onMint(successOutcome(minted, refused));
    return refused ?? { ok: true, token: minted.token };
  };

  const mint = async (): Promise<TokenResult> => {
    hitFailpoint('token-minting');
    const minted = await api.mint();
    hitFailpoint('token-minted');
    // Cleared before callers see the outcome: a later call must not get the result of this mint.
    inFlight = undefined;
    if (minted === 'closed') return CLOSED;
    if (minted.answer !== undefined) lastAnswer = { at: now(), ...minted.answer };
    if (minted.ok) return accept(minted);
    const failure = backoff.recordFailure(minted);
    onMint(minted.code);
    return failure;
  };

  const sharedMint = (): Promise<TokenResult> => (inFlight ??= mint());

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (closed) return CLOSED;
      const token = cache.validToken();
      const pending = backoff.pending();
      if (token === undefined) return pending ?? abortable(sharedMint(), signal);
      // The refresh is not awaited; its outcome goes to cache and backoff.
      if (cache.isRefreshDue() && pending === undefined) sharedMint().catch(() => undefined);
      return { ok: true, token };
    },
    reject(token) {
      const age = cache.invalidate(token);
      if (age === undefined) return;
      refusedToken = token;
      backoff.recordRefusal(age);
    },
    setSecrets(next) {
      const isChanged = api.setSecrets(next);
      if (isChanged) backoff.reset();
      return isChanged;
    },
    retryNow() {
      backoff.reset();
    },
    secondsLeft() {
      const ms = cache.msLeft();
      return ms === undefined ? undefined : Math.floor(ms / 1_000);
    },
    lastAnswer: () => lastAnswer,
    close() {
      if (!closed) api.close();
      closed = true;
    },
  };
}

/**
 * How long a token of unknown lifetime is used.
 * Source: docs/platforms/adobe.md#token-lifetime-units
 */
const UNKNOWN_LIFETIME_MS = 300_000;
const MIN_MARGIN_MS = 300_000;
const MARGIN_SHARE = 0.05;
/**
 * Varies the margin by this share, so that replicas that start together do not refresh together.
 */
const MARGIN_SPREAD = 0.1;
/** A token refused this soon after its mint was never good. */
const YOUNG_MS = 60_000;

interface CachedToken {
  readonly token: string;
  readonly expires: Deadline;
  readonly refresh: Deadline;
  readonly young: Deadline;
}

/** Holds one token for as long as it may be used. */
interface TokenCache {
  store(token: string, lifetimeMs: number | undefined): void;
  /** The token, unless it has expired. */
  validToken(): string | undefined;
  /** Whether it is time for a new token, though the old one may still be valid. */
  isRefreshDue(): boolean;
  /**
   * Drops the token if it is this one.
   * @returns `young` if it was minted within the last minute; undefined if it is not this one
   */
  invalidate(token: string): 'young' | 'old' | undefined;
  /** ms until it expires; undefined without a valid one. */
  msLeft(): number | undefined;
}

/**
 * How long before it expires a token is replaced: 5 minutes or 5 % of its lifetime, whichever is
 * more, but never more than half of it.
 * Source: docs/platforms/adobe.md#token-refresh
 */
export function refreshMargin(lifetimeMs: number, jitter: number): number {
  const margin = Math.max(MIN_MARGIN_MS, MARGIN_SHARE * lifetimeMs);
  return Math.min(lifetimeMs / 2, margin * (1 - MARGIN_SPREAD + 2 * MARGIN_SPREAD * jitter));
}

function createTokenCache(clocks: Clocks, jitter: () => number): TokenCache {
  let cached: CachedToken | undefined;

  const msLeft = (): number | undefined => {
    const ms = cached === undefined ? 0 : msUntil(clocks, cached.expires);
    return ms > 0 ? ms : undefined;
  };

  return {
    store(token, lifetimeMs = UNKNOWN_LIFETIME_MS) {
      cached = {
        token,
        expires: deadlineIn(clocks, lifetimeMs),
        refresh: deadlineIn(clocks, lifetimeMs - refreshMargin(lifetimeMs, jitter())),
        young: deadlineIn(clocks, YOUNG_MS),
      };
    },
    validToken: () => (msLeft() === undefined ? undefined : cached?.token),
    isRefreshDue: () => cached === undefined || msUntil(clocks, cached.refresh) === 0,
    invalidate(token) {
      if (cached?.token !== token) return undefined;
      const age = msUntil(clocks, cached.young) > 0 ? 'young' : 'old';
      cached = undefined;
      return age;
    },
    msLeft,
  };
}
