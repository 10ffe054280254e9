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
import type { JsonObject, JsonValue } from '../json.ts';
import { type ApiCall, type ApiError, apiError, requestIdOf } from './api-errors.ts';
import { type ApiMessage, readMessages } from './api-messages.ts';
import { createCallPace } from './call-pace.ts';
import { createCapillaryTokens, type TokenClaims } from './oauth-token.ts';

export interface CapillaryClientOptions extends ApiClientOptions<ApiError> {
  readonly api: CapillaryApiConfig;
  /** ms of a monotonic clock. */
  readonly monotonic?: () => number;
  /** A number in [0, 1). */
  readonly jitter?: () => number;
}

export interface CallOptions {
  /** Parameters of the query; undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** How often the call is tried. Default: 5. */
  readonly attempts?: number;
  /** Ends this call only. */
  readonly signal?: AbortSignal;
  /** What the body has that no text of an error may repeat. */
  readonly secrets?: readonly string[];
}

export interface ApiSuccess {
  readonly ok: true;
  readonly status: number;
  readonly body: JsonValue;
  /** A warning can be decisive, such as 8069: the customer was merged into another one. */
  readonly warnings: readonly ApiMessage[];
  readonly requestId?: string;
}

export interface ApiFailure {
  readonly ok: false;
  readonly error: ApiError;
}

export type ApiAnswer = ApiSuccess | ApiFailure;

/** A value that was read from an answer, or why it could not be. */
export type ApiResult<T> = { readonly ok: true; readonly value: T } | ApiFailure;

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
  if (ambiguous) return false;
  if (kind === 'network') return !isLasting(code);
  return kind === 'throttled' || kind === 'busy' || kind === 'unavailable' || kind === 'foreign';
}

interface Call extends ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly body?: string;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
}

/** @returns undefined if the answer is no success */
function successOf(result: OutboundResult): ApiSuccess | undefined {
  if (result.kind === 'failure' || result.status >= 300 || result.truncated) return undefined;
  const { errors, warnings } = readMessages(result.body);
  if (errors.length > 0) return undefined;
  const requestId = requestIdOf(result);
  try {
    const body = JSON.parse(result.body) as JsonValue;
    const { status } = result;
    return { ok: true, status, body, warnings, ...(requestId === undefined ? {} : { requestId }) };
  } catch {
    return undefined;
  }
}

/** A success that has not what it should have: the API has changed, or it is not Capillary's. */
export function unreadable(call: string, { status, requestId }: ApiSuccess, lack: string): ApiFailure {
  const id = requestId === undefined ? {} : { requestId };
  return {
    ok: false,
    error: { kind: 'foreign', call, status, text: `an answer ${lack}`, ...id, ambiguous: false },
  };
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
  const pace = createCallPace({ callsPerMinute, concurrency, monotonic, wait });

  const request = async (
    { method, path, body }: Pick<Call, 'method' | 'path' | 'body'>,
    credentials: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<OutboundResult> => {
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...credentials,
    };
    const leave = await pace.enter(signal);
    try {
      const content = body === undefined ? {} : { body };
      const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES };
      return await send(pool, { method, path: prefix + path, headers, ...content, ...limits }, signal);
    } finally {
      leave();
    }
  };

  const tokens = createCapillaryTokens({
    ...api,
    now,
    monotonic,
    post: (path, body) => request({ method: 'POST', path, body }, {}, ending),
  });

  const attempt = async (call: Call): Promise<ApiAnswer> => {
    for (let isSecond = false; ; isSecond = true) {
      const token = await tokens.get(call.signal);
      if (!token.ok) return token;
      const result = await request(call, { 'x-cap-api-oauth-token': token.token }, call.signal);
      const success = successOf(result);
      if (success !== undefined) return success;
      const shown = withoutSecrets(result, [token.token, ...call.secrets]);
      const error = apiError(shown, call, now());
      if (error.kind === 'unauthorized') tokens.reject(token.token);
      // A refused token is replaced once: nothing has been done with it.
      if (error.kind !== 'unauthorized' || isSecond) return { ok: false, error };
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
    const { attempts = ATTEMPTS, secrets = [] } = given;
    const signal = given.signal === undefined ? ending : AbortSignal.any([ending, given.signal]);
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const requested = { method, path: withQuery(path, given.query), ...content, attempts, signal, secrets };
    return repeat(requested, () => attempt(requested));
  };

  return {
    get: (path, given) => call('GET', path, undefined, given),
    post: (path, body, given) => call('POST', path, body, given),
    put: (path, body, given) => call('PUT', path, body, given),
    claims: ({ attempts = ATTEMPTS } = {}) =>
      repeat({ attempts, signal: ending }, async () => {
        const token = await tokens.get(ending);
        return token.ok ? ({ ok: true, value: token.claims } as const) : token;
      }),
    close: () => pool.destroy(),
  };
}
