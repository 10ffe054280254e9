import { parseJsonObject } from '../../http/answer-text.ts';
import { withoutSecrets } from '../../http/api-client.ts';
import { abortable, type OutboundResult } from '../../http/outbound.ts';
import { isJsonObject, type JsonValue } from '../json.ts';
import { type ApiError, apiError, type ApiErrorKind } from './api-errors.ts';

/**
 * What the token says about its API client. Not verified: it is for checks and for people.
 * Source: docs/platforms/capillary.md#api-access
 */
export interface TokenClaims {
  readonly orgId?: number;
  /** False if names, e-mails and phone numbers come masked. */
  readonly seesPersonalData?: boolean;
  readonly defaultTill?: string;
}

export type TokenAnswer =
  | { readonly ok: true; readonly token: string; readonly claims: TokenClaims }
  | { readonly ok: false; readonly error: ApiError };

/** The token of one API client. */
export interface CapillaryTokens {
  /**
   * A token that is valid for some time yet. One is requested at a time, however many wait for it.
   * @throws the reason of an aborted signal
   */
  get(signal: AbortSignal): Promise<TokenAnswer>;
  /** The API refuses this token: the next `get` requests another one. */
  reject(token: string): void;
}

export interface CapillaryTokensOptions {
  readonly key: string;
  readonly secret: string;
  /** Posts a JSON text to a path of the API. */
  readonly post: (path: string, body: string) => Promise<OutboundResult>;
  /** Epoch ms. */
  readonly now?: () => number;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
}

const TOKEN_PATH = '/v3/oauth/token/generate';

/** Life of a token whose answer does not state it, as in the published example. */
const DEFAULT_TTL_MS = 300_000;
/**
 * A token can be up to 30 s old when it is handed out, and a call takes time too.
 * Source: docs/platforms/capillary.md#api-access
 */
const MARGIN_MS = 45_000;

/** What no other attempt changes: key or secret are wrong, or the client is switched off. */
const REFUSALS: ReadonlySet<ApiErrorKind> = new Set(['unauthorized', 'forbidden', 'invalid', 'not-found']);
/** Until then a refusal is not asked for again: the limit of calls is for better use. */
const REFUSED_MS = 60_000;

/** The characters that a header may hold. */
const TOKEN = /^[\x21-\x7e]+$/;

function integerOf(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

function booleanOf(value: JsonValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' || value === 'false' ? value === 'true' : undefined;
}

/** The claims of a JWT; none if the token is of another form. */
export function readClaims(token: string): TokenClaims {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const claims = parseJsonObject(payload) ?? {};
  const orgId = integerOf(claims['org_id']);
  const seesPersonalData = booleanOf(claims['has_psi_access']);
  const till = claims['default_till'];
  return {
    ...(orgId === undefined ? {} : { orgId }),
    ...(seesPersonalData === undefined ? {} : { seesPersonalData }),
    ...(typeof till === 'string' || typeof till === 'number' ? { defaultTill: String(till) } : {}),
  };
}

interface IssuedToken {
  readonly token: string;
  readonly ttlMs: number;
}

function readIssued(result: OutboundResult): IssuedToken | undefined {
  if (result.kind === 'failure' || result.status >= 300) return undefined;
  const data = parseJsonObject(result.body)?.['data'];
  if (!isJsonObject(data)) return undefined;
  const { accessToken, ttlSeconds } = data;
  if (typeof accessToken !== 'string' || !TOKEN.test(accessToken)) return undefined;
  const ttl = Number(ttlSeconds);
  return { token: accessToken, ttlMs: ttl > 0 && Number.isFinite(ttl) ? ttl * 1_000 : DEFAULT_TTL_MS };
}

/** How long a token is used: it must outlive the call that it is used for. */
function usableMs(ttlMs: number): number {
  return Math.max(ttlMs - MARGIN_MS, ttlMs / 2);
}

export function createCapillaryTokens(options: CapillaryTokensOptions): CapillaryTokens {
  const { key, secret, post, now = Date.now, monotonic = () => performance.now() } = options;
  let cached: { readonly answer: TokenAnswer; readonly until: number } | undefined;
  let inFlight: Promise<TokenAnswer> | undefined;

  const request = async (): Promise<TokenAnswer> => {
    const startedAt = monotonic();
    const result = await post(TOKEN_PATH, JSON.stringify({ key, secret }));
    const issued = readIssued(result);
    if (issued === undefined) {
      // A request for a token changes nothing, so it can always be repeated.
      const failed = apiError(withoutSecrets(result, [secret]), { method: 'POST', path: TOKEN_PATH }, now());
      const error = { ...failed, ambiguous: false };
      const answer = { ok: false, error } as const;
      if (REFUSALS.has(error.kind)) cached = { answer, until: monotonic() + REFUSED_MS };
      return answer;
    }
    const { token, ttlMs } = issued;
    const answer = { ok: true, token, claims: readClaims(token) } as const;
    cached = { answer, until: startedAt + usableMs(ttlMs) };
    return answer;
  };

  const requestOnce = (): Promise<TokenAnswer> =>
    (inFlight ??= request().finally(() => {
      inFlight = undefined;
    }));

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (cached !== undefined && monotonic() < cached.until) return cached.answer;
      return abortable(requestOnce(), signal);
    },
    reject(token) {
      if (cached?.answer.ok === true && cached.answer.token === token) cached = undefined;
    },
  };
}
