import type { JsonObject, JsonValue } from '../../capillary/json.ts';
import type { OutboundResult } from '../../http/outbound.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import { truncateUtf8 } from '../../telemetry/truncate.ts';
import { pageText, parseJsonObject } from '../../http/answer-text.ts';

/** What IMS answered; without a status, why it did not. */
interface ImsAnswer {
  readonly status?: number;
  readonly text: string;
}

export interface MintFailure {
  readonly ok: false;
  /** See TokenResult; one of a fixed set, so it can be a metric label. */
  readonly code: string;
  readonly detail: string;
  readonly permanent: boolean;
  /** Present if IMS sent Retry-After. */
  readonly retryAfterMs?: number;
  /** The secret is at fault: another one may work. */
  readonly wrongSecret: boolean;
  /** Absent if IMS was not asked. */
  readonly answer?: ImsAnswer;
}

/** The outcome of one request to IMS. `lifetimeMs` is undefined if IMS gave no usable lifetime. */
export type MintResult =
  | {
      readonly ok: true;
      readonly token: string;
      readonly lifetimeMs: number | undefined;
      readonly answer: ImsAnswer;
    }
  | MintFailure;

type HttpResponse = Extract<OutboundResult, { kind: 'response' }>;

/**
 * Configuration errors, which no retry can fix.
 * Source: docs/platforms/adobe.md#token-errors
 */
export const PERMANENT_CODES = [
  'invalid_client',
  'invalid_scope',
  'invalid_request',
  'bad_request',
  'unauthorized_client',
  'unsupported_grant_type',
];
const PERMANENT = new Set(PERMANENT_CODES);

/** The characters that an Authorization header may hold. */
const TOKEN = /^[\x21-\x7e]+$/;

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const MAX_TEXT_BYTES = 460;

/** The error of IMS, or the text of a page that something else answered. */
function textOf(response: HttpResponse, message: string): string {
  const page = pageText(response.body, 200);
  const text = page === '' || message !== '' ? message : `an answer that is not of IMS: ${page}`;
  // x-debug-id identifies the call for Adobe's support: docs/platforms/adobe.md#token-errors
  const id = response.headers['x-debug-id'];
  return truncateUtf8(typeof id === 'string' ? `${text} (x-debug-id ${id})`.trim() : text, MAX_TEXT_BYTES);
}

function mintFailure(
  response: HttpResponse,
  now: number,
  code: string,
  message: string,
  fault: { readonly permanent?: boolean; readonly wrongSecret?: boolean } = {},
): MintFailure {
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  const answer = { status: response.status, text: textOf(response, message) };
  return {
    ok: false,
    code,
    detail: `IMS answered ${answer.status}${answer.text && `: ${answer.text}`}`,
    answer,
    permanent: fault.permanent ?? false,
    wrongSecret: fault.wrongSecret ?? false,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function readSuccess(response: HttpResponse, body: JsonObject | undefined, now: number): MintResult {
  const token = stringOf(body?.['access_token']);
  if (response.truncated || !TOKEN.test(token)) {
    // A success may hold a token in an unknown form, so only the text of a page is shown.
    const isPage = /^\s*</.test(response.body);
    return mintFailure(response, now, 'unavailable', isPage ? '' : 'no usable access_token');
  }
  const lifetimeMs = tokenLifetime(token, body?.['expires_in']);
  const text = lifetimeMs === undefined ? 'a token' : `a token for ${Math.floor(lifetimeMs / 1_000)} s`;
  return { ok: true, token, lifetimeMs, answer: { status: response.status, text } };
}

function readRefusal(response: HttpResponse, body: JsonObject | undefined, now: number): MintFailure {
  const error = stringOf(body?.['error']);
  const description = stringOf(body?.['error_description']);
  const message = [error, description].filter(Boolean).join(', ');
  if (!PERMANENT.has(error)) return mintFailure(response, now, 'refused', message);
  const wrongSecret = error === 'invalid_client' && /client_secret/i.test(description);
  return mintFailure(response, now, error, message, { permanent: true, wrongSecret });
}

/**
 * Reads IMS's response to a token request.
 * Sources: docs/platforms/adobe.md#token-claims docs/platforms/adobe.md#token-errors
 * @param now epoch ms
 */
export function readTokenResponse(response: OutboundResult, now: number): MintResult {
  if (response.kind === 'failure') {
    const text = `${response.code}: ${response.detail}`;
    const isProxy = response.code === 'proxy-refused' || response.code === 'proxy-failing';
    const cause = isProxy
      ? { code: response.code, detail: `IMS was not asked: ${response.detail}` }
      : { code: 'network', detail: `IMS did not answer: ${text}` };
    return { ok: false, ...cause, permanent: false, wrongSecret: false, answer: { text } };
  }
  const { status } = response;
  const body = parseJsonObject(response.body);
  if (status >= 200 && status < 300) return readSuccess(response, body, now);
  const error = stringOf(body?.['error']);
  if (status === 429) return mintFailure(response, now, 'throttled', error);
  const isTemporary = status < 400 || status === 408 || status === 425 || status >= 500;
  return isTemporary ? mintFailure(response, now, 'unavailable', error) : readRefusal(response, body, now);
}

const MAX_LIFETIME_MS = 86_400_000;
/**
 * A JWT that claims more is not believed, since tokens live for 24 hours.
 * Source: docs/platforms/adobe.md#token-lifetime-units
 */
const MAX_CLAIMED_MS = 90_000_000;
/** Anything less must be a mistake; such a token would be minted again for every request. */
const MIN_LIFETIME_MS = 1_000;
/**
 * Larger values of `expires_in` are ms: this limit is 11.5 days if in seconds, 16.6 minutes if in
 * ms.
 * Source: docs/platforms/adobe.md#token-lifetime-units
 */
const MAX_EXPIRES_IN_SECONDS = 1_000_000;

function positiveNumber(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

/**
 * `expires_in` in the payload of the JWT: ms as a string, beside `created_at`. This is observed but
 * not promised, so any other form is ignored.
 */
function claimedLifetime(token: string): number | undefined {
  const claims = parseJsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const ms = positiveNumber(claims?.['expires_in']);
  if (ms === undefined || positiveNumber(claims?.['created_at']) === undefined) return undefined;
  return ms <= MAX_CLAIMED_MS ? ms : undefined;
}

/**
 * `expires_in` of the response in ms. Versioned endpoints return seconds, the unversioned one ms.
 * Source: docs/platforms/adobe.md#token-endpoints
 */
function responseLifetime(expiresIn: JsonValue | undefined): number | undefined {
  const number = positiveNumber(expiresIn);
  if (number === undefined) return undefined;
  return number > MAX_EXPIRES_IN_SECONDS ? number : number * 1_000;
}

/**
 * The lifetime of a token, counted from its receipt: the shorter of what the JWT and the response
 * say. The JWT's `created_at` is by Adobe's clock; compared with a fast local clock, a new token
 * would look expired.
 * Source: docs/platforms/adobe.md#token-lifetime-units
 * @param expiresIn of the token response, in seconds or ms
 * @returns ms, at most 24 h; undefined if neither has a usable lifetime
 */
export function tokenLifetime(token: string, expiresIn: JsonValue | undefined): number | undefined {
  const known = [claimedLifetime(token), responseLifetime(expiresIn)].filter((ms) => ms !== undefined);
  const ms = Math.min(MAX_LIFETIME_MS, ...known);
  return known.length > 0 && ms >= MIN_LIFETIME_MS ? ms : undefined;
}
