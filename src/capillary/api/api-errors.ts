import { parseJsonObject } from '../../http/answer-text.ts';
import { isUnsent } from '../../http/failure.ts';
import type { OutboundResult } from '../../http/outbound.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import { type ApiMessage, type ApiMessages, readMessages } from './api-messages.ts';
import { endpointOf, foreignText, messageText } from './error-texts.ts';

/**
 * Why a call failed.
 * - `unauthorized`: key, secret or token are refused, also after a new token.
 * - `forbidden`: the access group of the API client lacks the resource; see `missing`.
 * - `not-found`: no such path or object. `invalid`: any other refusal of Capillary.
 * - `throttled`, `busy`, `unavailable`: after all retries.
 * - `customer-deleted`: erased, nothing about this customer may be stored or sent again.
 * - `customer-merged`, `customer-unknown`, `customer-elsewhere` (unknown in the given source only),
 *   `no-loyalty` (not in the loyalty program), `incomplete` (loyalty data could not be read),
 *   `transaction-unknown`.
 * - `foreign`: the answer is not Capillary's. `network`: there was none.
 */
export type ApiErrorKind =
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'invalid'
  | 'throttled'
  | 'busy'
  | 'unavailable'
  | 'customer-deleted'
  | 'customer-merged'
  | 'customer-unknown'
  | 'customer-elsewhere'
  | 'no-loyalty'
  | 'incomplete'
  | 'transaction-unknown'
  | 'foreign'
  | 'network';

/**
 * A failed call of Capillary's API. None of its texts has a token, a secret, a contact or the id of
 * a customer.
 */
export interface ApiError {
  readonly kind: ApiErrorKind;
  /** Such as `GET /v2/transactions/{id}`. */
  readonly call: string;
  /** Absent without an answer. */
  readonly status?: number;
  /** Capillary's code, such as `4000`; of the network, `reset`. */
  readonly code?: string;
  /** What Capillary, or whatever else has answered, says; at most 1 KB. */
  readonly text: string;
  /** `X-CAP-REQUEST-ID`, by which Capillary's support finds the call. */
  readonly requestId?: string;
  /** Of `forbidden`: what the access group lacks. */
  readonly missing?: string;
  /** What the answer asks for, in ms. */
  readonly retryAfterMs?: number;
  /** True of a write that may have taken effect although it failed: read before another attempt. */
  readonly ambiguous: boolean;
}

/** Code of a `foreign` error: the answer has more bytes than are read. */
export const ANSWER_TOO_LARGE = 'too-large';

export interface ApiCall {
  readonly method: string;
  /** Path, perhaps with a query. */
  readonly path: string;
}

/** Source: docs/platforms/capillary.md#api-errors */
const KIND_BY_CODE: Readonly<Record<string, ApiErrorKind>> = {
  4000: 'forbidden',
  4001: 'busy',
  8109: 'customer-deleted',
  8069: 'customer-merged',
  8015: 'customer-unknown',
  8065: 'customer-elsewhere',
  8089: 'no-loyalty',
  1020: 'no-loyalty',
  1013: 'no-loyalty',
  8062: 'incomplete',
  8063: 'incomplete',
  603: 'transaction-unknown',
  607: 'transaction-unknown',
  620: 'transaction-unknown',
  667: 'transaction-unknown',
  668: 'transaction-unknown',
};

/** 498, 461 and 521 are Capillary's own. Source: docs/platforms/capillary.md#api-errors */
const KIND_BY_STATUS: Readonly<Record<number, ApiErrorKind>> = {
  401: 'unauthorized',
  498: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  429: 'throttled',
  461: 'busy',
  521: 'busy',
};

/** Resources of an access group. Source: docs/platforms/capillary.md#api-access */
const RESOURCES: readonly (readonly [path: RegExp, resource: string])[] = [
  [/^\/v3\/(webHooks|events)\b/i, 'Webhooks'],
  [/^\/v2\/customers\/[^/]+\/transactions\b/, 'Transaction'],
  [/^\/v2\/customers\/[^/]+\/(points|singlePoints)/, 'Points'],
  [/^\/v\d(\.\d)?\/transactions?\b/, 'Transaction'],
  [/^\/v\d(\.\d)?\/points/, 'Points'],
  [/^\/v\d(\.\d)?\/product\b/, 'Product'],
  [/^\/v\d(\.\d)?\/customers?\b/, 'Customer'],
  [/^\/v\d(\.\d)?\/store\b/, 'Store'],
  [/^\/v\d(\.\d)?\/organization\b/, 'Organization'],
];

function missingFor({ method, path }: ApiCall): string {
  const resource = RESOURCES.find(([pattern]) => pattern.test(path))?.[1];
  const right = method === 'GET' ? 'Read' : 'Write';
  return resource === undefined ? `${right} on the resource of this call` : `${right} on ${resource}`;
}

function statusKind(status: number): ApiErrorKind {
  return KIND_BY_STATUS[status] ?? (status >= 500 ? 'unavailable' : 'invalid');
}

/**
 * The codes decide: the answer for an erased customer is a 500. What is wrong with the token or the
 * rate is in the status only.
 */
function kindOf(status: number, errors: readonly ApiMessage[]): ApiErrorKind {
  const byStatus = statusKind(status);
  if (byStatus === 'unauthorized' || byStatus === 'throttled') return byStatus;
  const byCode = errors.map(({ code }) => KIND_BY_CODE[code]).find((kind) => kind !== undefined);
  return byCode ?? (status < 300 ? 'invalid' : byStatus);
}

/** Such as `GET /v2/customers/{id}`: without the query, and without ids. */
function nameOf({ method, path }: ApiCall): string {
  return `${method} ${endpointOf(path)}`;
}

/** Refusals that say something about the API client, not about a customer. */
const ABOUT_CLIENT: ReadonlySet<ApiErrorKind> = new Set(['unauthorized', 'forbidden', 'throttled']);
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const CODE = /^[\w.-]{1,40}$/;

type HttpResponse = Extract<OutboundResult, { kind: 'response' }>;

/** The name differs between the APIs. Source: docs/platforms/capillary.md#api-errors */
export function requestIdOf({ headers }: Pick<HttpResponse, 'headers'>): string | undefined {
  const id = headers['x-cap-request-id'] ?? headers['x-cap-requestid'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined;
}

/**
 * Whether a proxy, a gateway or a login page answered in Capillary's place. Some of Capillary's own
 * errors are XML, and some have no body.
 */
function isForeign({ status, body }: HttpResponse, messages: ApiMessages): boolean {
  if (status >= 300 && status < 400) return true;
  if (status < 300) return messages.errors.length === 0;
  return body.trim() !== '' && parseJsonObject(body) === undefined && messages.errors.length === 0;
}

/** Whether a call with this status can have changed something although it failed. */
function mayHaveChanged(status: number, kind: ApiErrorKind): boolean {
  // 4001: the right to do it could not be checked, so nothing was done.
  return kind === 'foreign' || (status >= 500 && kind !== 'busy');
}

/**
 * Reads a result that is no success.
 * @param now epoch ms
 */
export function apiError(result: OutboundResult, call: ApiCall, now: number): ApiError {
  const isWrite = call.method !== 'GET';
  if (result.kind === 'failure') {
    const { code, detail } = result;
    const ambiguous = isWrite && !isUnsent(code);
    return { kind: 'network', call: nameOf(call), code, text: detail, ambiguous };
  }
  const { status, body } = result;
  const messages = readMessages(body);
  const requestId = requestIdOf(result);
  const retryAfterMs = parseRetryAfter(result.headers['retry-after'], now);
  const base = {
    call: nameOf(call),
    status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (isForeign(result, messages)) {
    return { ...base, kind: 'foreign', text: foreignText(call.path, body), ambiguous: isWrite };
  }
  const kind = kindOf(status, messages.errors);
  const [first] = messages.errors;
  return {
    ...base,
    kind,
    ...(first !== undefined && CODE.test(first.code) ? { code: first.code } : {}),
    text: messageText(call.path, messages.errors, ABOUT_CLIENT.has(kind)),
    ...(kind === 'forbidden' ? { missing: missingFor(call) } : {}),
    ambiguous: isWrite && mayHaveChanged(status, kind),
  };
}

/** One line for people: the call, its status, and Capillary's own words. */
export function describeApiError({ call, status, code, text, requestId, kind, missing }: ApiError): string {
  const what = [status, code === undefined || code === String(status) ? undefined : code]
    .filter((part) => part !== undefined)
    .join(' ');
  const who = kind === 'foreign' ? " (not Capillary's answer)" : '';
  const lack = missing === undefined ? '' : `; the access group of the API client lacks ${missing}`;
  const id = requestId === undefined ? '' : ` (X-CAP-REQUEST-ID ${requestId})`;
  return `${call} → ${what === '' ? '' : `${what}: `}${text}${who}${lack}${id}`;
}
