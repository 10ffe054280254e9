import type { JsonValue } from '../../capillary/json.ts';
import {
  type ApiClientOptions,
  isLasting,
  MAX_CALL_WAIT_MS,
  waitFor,
  withoutSecrets,
} from '../../http/api-client.ts';
import { DIRECT_EGRESS } from '../../http/egress.ts';
import { type OutboundPool, type OutboundResult, send, USER_AGENT } from '../../http/outbound.ts';
import { sendStreaming, type TakeChunk } from '../../http/outbound-stream.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import type { TokenResult, TokenSource } from '../ports.ts';
import { ANSWER_TOO_LARGE, isForeign, type PlatformError, platformError } from './platform-error.ts';

export interface PlatformClientOptions extends ApiClientOptions<PlatformError> {
  /** The API gateway, such as https://platform.adobe.io. */
  readonly url: string;
  /** With `@AdobeOrg`. */
  readonly imsOrgId: string;
  readonly sandbox: string;
  /** Of the credential; the gateway's API key. */
  readonly clientId: string;
  readonly tokens: Pick<TokenSource, 'get' | 'reject'>;
  /** Asked for each call, in place of `signal`: ends the calls of one piece of work. */
  readonly currentSignal?: () => AbortSignal;
  /** For one request. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  /** For the schema registry, whose answers depend on it. */
  readonly accept?: string;
  /** The etag that the object must still have. */
  readonly ifMatch?: string;
  /** The answer is a file, which need not be JSON: its body is the text. */
  readonly isFile?: boolean;
}

/** What a call has returned. */
export interface PlatformSuccess {
  readonly ok: true;
  readonly status: number;
  /** Undefined if the answer has no body. */
  readonly body: JsonValue | undefined;
  readonly etag?: string;
  readonly requestId?: string;
}

export interface PlatformFailure {
  readonly ok: false;
  readonly error: PlatformError;
}

export type PlatformAnswer = PlatformSuccess | PlatformFailure;

/** A value that was read from the platform, or why it could not be. */
export type PlatformResult<T> = { readonly ok: true; readonly value: T } | PlatformFailure;

/**
 * Calls the platform API of AEP for one organisation and sandbox. Failures are values; only the
 * reason of an aborted signal is thrown. Paths begin with `/data/…` and are encoded by the caller.
 *
 * A read is repeated after 429, 5xx, foreign answers and failures of the network. A write is
 * repeated only if it cannot have taken effect, and else reported as `ambiguous`.
 */
export interface PlatformClient {
  readonly sandbox: string;
  readonly imsOrgId: string;
  /**
   * How many ms the clock of the platform is ahead of this machine's, by its newest answer; 0 if
   * they agree within two seconds, and before the first answer.
   */
  clockAheadMs(): number;
  get(path: string, options?: CallOptions): Promise<PlatformAnswer>;
  /** @param body undefined for an action, which has none */
  post(path: string, body: JsonValue | undefined, options?: CallOptions): Promise<PlatformAnswer>;
  put(path: string, body: JsonValue, options?: CallOptions): Promise<PlatformAnswer>;
  patch(path: string, body: JsonValue, options?: CallOptions): Promise<PlatformAnswer>;
  /**
   * Reads a file of any size: each chunk is given to `take` before the next one is read. What
   * `take` throws is thrown. The read is repeated only until the first chunk has arrived; after a
   * failure the caller has a part of the file.
   */
  download(path: string, take: TakeChunk): Promise<PlatformAnswer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
/** For the content of one file. */
const DOWNLOAD_MS = 300_000;
/** The full form of a large schema has several MB. */
const MAX_ANSWER_BYTES = 16_777_216;
const MAX_ATTEMPTS = 5;
/** The header `Date` has whole seconds, and is as old as the way of the answer is long. */
const CLOCK_PRECISION_MS = 2_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** Whether another attempt of this call can help without making anything twice. */
function isWorthRetrying({ kind, ambiguous, code }: PlatformError): boolean {
  if (code === ANSWER_TOO_LARGE) return false;
  if (kind === 'throttled') return true;
  if (kind === 'network') return !ambiguous && !isLasting(code);
  return !ambiguous && (kind === 'unavailable' || kind === 'foreign');
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH';

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body?: JsonValue;
  readonly options: CallOptions;
  /** Of a download. */
  readonly take?: TakeChunk;
}

interface Attempt {
  readonly answer: PlatformAnswer;
  readonly canRetry?: boolean;
  /** What the answer asks for. */
  readonly delayMs?: number | undefined;
}

function noToken({ code, detail, permanent, retryAfterMs }: Extract<TokenResult, { ok: false }>): Attempt {
  const error = { kind: 'token', call: 'token of IMS', code, text: detail, ambiguous: false } as const;
  return { answer: { ok: false, error }, canRetry: !permanent, delayMs: retryAfterMs };
}

function header(headers: Extract<OutboundResult, { kind: 'response' }>['headers'], name: string) {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @returns undefined if the answer is no success */
function successOf(result: OutboundResult, isFile: boolean): PlatformSuccess | undefined {
  if (result.kind === 'failure' || result.status >= 300 || result.truncated || isForeign(result))
    return undefined;
  const etag = header(result.headers, 'etag');
  const requestId = header(result.headers, 'x-request-id');
  try {
    if (isFile) return { ok: true, status: result.status, body: result.body };
    const body = result.body.trim() === '' ? undefined : (JSON.parse(result.body) as JsonValue);
    return {
      ok: true,
      status: result.status,
      body,
      ...(etag === undefined ? {} : { etag }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  } catch {
    return undefined;
  }
}

function tooLarge(error: PlatformError): PlatformError {
  return { ...error, kind: 'foreign', code: ANSWER_TOO_LARGE, text: 'the answer is larger than is read' };
}

export function createPlatformClient(options: PlatformClientOptions): PlatformClient {
  const { imsOrgId, sandbox, tokens, egress = DIRECT_EGRESS, timeoutMs = TIMEOUT_MS } = options;
  const { signal = new AbortController().signal, now = Date.now, wait = waitFor } = options;
  const { currentSignal = () => signal } = options;
  const base = new URL(options.url);
  const prefix = base.pathname.replace(/\/$/, '');
  let clockAheadMs = 0;
  const pool: OutboundPool = egress.pool(base.origin, { connections: 2, timeoutMs });

  const request = ({ method, path, body, options: { accept, ifMatch }, take }: Call, token: string) => {
    const sent = {
      method,
      path: prefix + path,
      headers: {
        authorization: `Bearer ${token}`,
        'x-api-key': options.clientId,
        'x-gw-ims-org-id': imsOrgId,
        'x-sandbox-name': sandbox,
        'user-agent': USER_AGENT,
        accept: accept ?? 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    };
    if (take === undefined) return send(pool, sent, currentSignal());
    return sendStreaming(pool, { ...sent, downloadMs: DOWNLOAD_MS }, take, currentSignal());
  };

  const readClock = (date: string | string[] | undefined): void => {
    const ahead = typeof date === 'string' ? Date.parse(date) - now() : Number.NaN;
    if (Number.isNaN(ahead)) return;
    clockAheadMs = Math.abs(ahead) > CLOCK_PRECISION_MS ? ahead : 0;
  };

  const attempt = async (call: Call): Promise<Attempt> => {
    const token = await tokens.get(currentSignal());
    if (!token.ok) return noToken(token);
    const result = await request(call, token.token);
    if (result.kind === 'response') readClock(result.headers['date']);
    const success = successOf(result, call.options.isFile === true);
    if (success !== undefined) return { answer: success };
    const { method, path } = call;
    const isTooLarge = result.kind === 'response' && result.status < 300 && result.truncated;
    const shown = isTooLarge ? { ...result, body: '' } : withoutSecrets(result, [token.token]);
    const refused = platformError(shown, { method, path, sandbox }, method !== 'GET');
    const error = isTooLarge ? tooLarge(refused) : refused;
    if (error.kind === 'unauthorized') tokens.reject(token.token);
    const after = result.kind === 'response' ? result.headers['retry-after'] : undefined;
    const delayMs = parseRetryAfter(after, now());
    return { answer: { ok: false, error }, canRetry: isWorthRetrying(error), delayMs };
  };

  /** A refused token is replaced once: the gateway has done nothing. */
  const withFreshToken = async (requested: Call): Promise<Attempt> => {
    const first = await attempt(requested);
    if (first.answer.ok || first.answer.error.kind !== 'unauthorized') return first;
    const second = await attempt(requested);
    const isNoToken = !second.answer.ok && second.answer.error.kind === 'token';
    return isNoToken ? first : second;
  };

  const call = async (requested: Call, mayRepeat = () => true): Promise<PlatformAnswer> => {
    for (let attempts = 1; ; attempts += 1) {
      const { answer, canRetry = false, delayMs } = await withFreshToken(requested);
      if (answer.ok || attempts === MAX_ATTEMPTS || !canRetry || !mayRepeat()) return answer;
      const ms = delayMs ?? Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1));
      if (ms > MAX_CALL_WAIT_MS) return answer;
      options.onWait?.(ms, answer.error);
      await wait(ms, currentSignal());
    }
  };

  return {
    sandbox,
    imsOrgId,
    clockAheadMs: () => clockAheadMs,
    download(path, take) {
      let hasBegun = false;
      const taken: TakeChunk = (chunk) => {
        hasBegun = true;
        return take(chunk);
      };
      const given = { isFile: true, accept: '*/*' };
      return call({ method: 'GET', path, options: given, take: taken }, () => !hasBegun);
    },
    get: (path, given = {}) => call({ method: 'GET', path, options: given }),
    post: (path, body, given = {}) =>
      call({ method: 'POST', path, options: given, ...(body === undefined ? {} : { body }) }),
    put: (path, body, given = {}) => call({ method: 'PUT', path, body, options: given }),
    patch: (path, body, given = {}) => call({ method: 'PATCH', path, body, options: given }),
    close: () => pool.destroy(),
  };
}
