import type { CapillaryApiConfig } from '../../config/capillary-config.ts';
import {
  type ApiClientOptions,
  isLasting,
  MAX_CALL_WAIT_MS,
  waitFor,
  withoutSecrets,
} from '../../http/api-client.ts';
import { DIRECT_EGRESS } from '../../http/egress.ts';
import { type OutboundResult, send, USER_AGENT } from '../../http/outbound.ts';
import type { JsonObject } from '../json.ts';
import { type ApiAnswer, type ApiFailure, type ApiResult, knownAt, successOf } from './api-answer.ts';
import { ANSWER_TOO_LARGE, type ApiCall, type ApiError, apiError } from './api-errors.ts';
import { createCallPace } from './call-pace.ts';
import { createCapillaryTokens, type TokenClaims } from './oauth-token.ts';

export interface CapillaryClientOptions extends ApiClientOptions<ApiError> {
  readonly api: CapillaryApiConfig;
  /** Processes that share the calls per minute of the key, from 1. Default: 1. */
  readonly share?: () => number;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
  /** A number in [0, 1). */
  readonly jitter?: () => number;
}

export interface CallOptions {
  /** Parameters of the query; undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /**
   * How often the call is tried. Default: 5. With 1 it is for the caller to repeat it; the pause
   * after a 429 holds for all calls nevertheless.
   */
  readonly attempts?: number;
  /** Ends this call only. */
  readonly signal?: AbortSignal;
  /** What the body has that no text of an error may repeat. */
  readonly secrets?: readonly string[];
  /** Codes of errors that are warnings to this call, because the answer has its data too. */
  readonly tolerated?: readonly string[];
  /** A longer answer is a failure. Default: 16 MiB. */
  readonly maxBytes?: number;
}

/**
 * Calls Capillary's REST API with one API client. Failures are values; only the reason of an
 * aborted signal is thrown. All calls share the rate, the concurrency and the pause after a 429.
 *
 * A read is repeated after 429, 461, 521, 5xx, foreign answers and failures of the network. A write
 * is repeated only if it cannot have taken effect, and else reported as `ambiguous`.
 */
export interface CapillaryClient {
  get(path: string, options?: CallOptions): Promise<ApiAnswer>;
  post(path: string, body: JsonObject, options?: CallOptions): Promise<ApiAnswer>;
  put(path: string, body: JsonObject, options?: CallOptions): Promise<ApiAnswer>;
  /** What the API client may see, and its organisation. */
  claims(options?: Pick<CallOptions, 'attempts'>): Promise<ApiResult<TokenClaims>>;
  close(): Promise<void>;
}

/** The list of all webhooks and a page of the delivery log can have some MB. */
const MAX_ANSWER_BYTES = 16_777_216;
const ATTEMPTS = 5;
const FIRST_DELAY_MS = 1_000;
/** The limit is per minute. Source: docs/platforms/capillary.md#api-access */
const FIRST_THROTTLED_DELAY_MS = 5_000;
const MAX_DELAY_MS = 60_000;

/** Whether another attempt of this call can help without making anything twice. */
function isWorthRetrying({ kind, ambiguous, code }: ApiError): boolean {
  if (ambiguous || code === ANSWER_TOO_LARGE) return false;
  if (kind === 'network') return !isLasting(code);
  return kind === 'throttled' || kind === 'busy' || kind === 'unavailable' || kind === 'foreign';
}

function isTooLarge(result: OutboundResult): result is Extract<OutboundResult, { kind: 'response' }> {
  return result.kind === 'response' && result.status < 300 && result.truncated;
}

function tooLarge(error: ApiError): ApiError {
  return { ...error, kind: 'foreign', code: ANSWER_TOO_LARGE, text: 'the answer is larger than is read' };
}

interface Call extends ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly body?: string;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
  readonly tolerated: readonly string[];
  readonly maxBytes?: number | undefined;
}

interface Exchange {
  readonly result: OutboundResult;
  /** Epoch ms. */
  readonly sentAt: number;
}

function withQuery(path: string, query: CallOptions['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

function growingDelay({ kind }: ApiError, attempts: number, jitter: number): number {
  const first = kind === 'throttled' ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS;
  return Math.min(MAX_DELAY_MS, first * 2 ** (attempts - 1)) * (0.75 + jitter / 2);
}

export function createCapillaryClient(options: CapillaryClientOptions): CapillaryClient {
  const { api, egress = DIRECT_EGRESS, now = Date.now, jitter = Math.random, wait = waitFor } = options;
  const { signal: ending = new AbortController().signal, monotonic = () => performance.now() } = options;
  const { callsPerMinute, concurrency, timeout: timeoutMs } = api;
  const base = new URL(api.url);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = egress.pool(base.origin, { connections: concurrency, timeoutMs });
  const { share = () => 1 } = options;
  const pace = createCallPace({ callsPerMinute, concurrency, share, monotonic, wait });

  const request = async (
    { method, path, body, maxBytes = MAX_ANSWER_BYTES }: Pick<Call, 'method' | 'path' | 'body' | 'maxBytes'>,
    credentials: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Exchange> => {
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...credentials,
    };
    const leave = await pace.enter(signal);
    try {
      const sentAt = now();
      const content = body === undefined ? {} : { body };
      const limits = { timeoutMs, maxBytes };
      const sent = { method, path: prefix + path, headers, ...content, ...limits };
      return { result: await send(pool, sent, signal), sentAt };
    } finally {
      leave();
    }
  };

  const tokens = createCapillaryTokens({
    ...api,
    now,
    monotonic,
    post: async (path, body) => (await request({ method: 'POST', path, body }, {}, ending)).result,
  });

  const attempt = async (call: Call): Promise<ApiAnswer> => {
    for (let isSecond = false; ; isSecond = true) {
      const token = await tokens.get(call.signal);
      if (!token.ok) return token;
      const credentials = { 'x-cap-api-oauth-token': token.token };
      const { result, sentAt } = await request(call, credentials, call.signal);
      const success = successOf(result, sentAt, call.tolerated);
      if (success !== undefined) return success;
      const shown = withoutSecrets(result, [token.token, ...call.secrets]);
      const error = isTooLarge(result)
        ? tooLarge(apiError({ ...result, body: '' }, call, now()))
        : apiError(shown, call, now());
      if (error.kind === 'unauthorized') tokens.reject(token.token);
      // A refused token is replaced once: nothing has been done with it.
      if (error.kind !== 'unauthorized' || isSecond) return { ok: false, error, at: knownAt(result, sentAt) };
    }
  };

  const repeat = async <T extends { readonly ok: true }>(
    { attempts, signal }: Pick<Call, 'attempts' | 'signal'>,
    work: () => Promise<T | ApiFailure>,
  ): Promise<T | ApiFailure> => {
    for (let count = 1; ; count += 1) {
      const answer = await work();
      if (answer.ok) return answer;
      const { error } = answer;
      const ms = error.retryAfterMs ?? growingDelay(error, count, jitter());
      // The others must not use up what is left of the limit.
      if (error.kind === 'throttled') pace.pause(Math.min(ms, MAX_CALL_WAIT_MS));
      if (count >= attempts || ms > MAX_CALL_WAIT_MS || !isWorthRetrying(error)) return answer;
      options.onWait?.(ms, error);
      if (error.kind !== 'throttled') await wait(ms, signal);
    }
  };

  const call = (
    method: Call['method'],
    path: string,
    body: JsonObject | undefined,
    given: CallOptions = {},
  ): Promise<ApiAnswer> => {
    const { attempts = ATTEMPTS, secrets = [], tolerated = [], maxBytes } = given;
    const signal = given.signal === undefined ? ending : AbortSignal.any([ending, given.signal]);
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const limits = { attempts, signal, secrets, tolerated, maxBytes };
    const requested = { method, path: withQuery(path, given.query), ...content, ...limits };
    return repeat(requested, () => attempt(requested));
  };

  return {
    get: (path, given) => call('GET', path, undefined, given),
    post: (path, body, given) => call('POST', path, body, given),
    put: (path, body, given) => call('PUT', path, body, given),
    claims: ({ attempts = ATTEMPTS } = {}) =>
      repeat<{ readonly ok: true; readonly value: TokenClaims }>({ attempts, signal: ending }, async () => {
        const token = await tokens.get(ending);
        return token.ok ? ({ ok: true, value: token.claims } as const) : token;
      }),
    close: () => pool.destroy(),
  };
}
