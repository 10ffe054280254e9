import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { isUnsent } from '../../http/failure.ts';
import type { OutboundResult } from '../../http/outbound.ts';
import { truncateUtf8 } from '../../telemetry/truncate.ts';
import { pageText, parseJsonObject } from '../../http/answer-text.ts';
import { type AccessGap, accessGap } from './access-gap.ts';

/**
 * Why a call failed. `token`: IMS gave none. `unauthorized`: the gateway refuses the token.
 * `forbidden`: see `gap`. `stale`: the object has changed since it was read (If-Match).
 * `invalid`: any other refusal of Adobe. `throttled` and `unavailable` after all retries.
 * `foreign`: the answer is not Adobe's. `network`: there was none.
 */
export type PlatformErrorKind =
  | 'token'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'stale'
  | 'invalid'
  | 'throttled'
  | 'unavailable'
  | 'foreign'
  | 'network';

/** Code of a `foreign` error: the answer has more bytes than are read. */
export const ANSWER_TOO_LARGE = 'too-large';

/** A failed call of the platform API. None of its texts has a token or a secret. */
export interface PlatformError {
  readonly kind: PlatformErrorKind;
  /** Such as `POST /data/foundation/catalog/dataSets`. */
  readonly call: string;
  /** Absent without an answer. */
  readonly status?: number;
  /** Adobe's code, such as `403025`, `XDM-1018-409` or `1404-412`; of the network, `reset`. */
  readonly code?: string;
  /** What Adobe, or whatever else has answered, says; at most 1 KB. */
  readonly text: string;
  /** `x-request-id`, by which Adobe's support finds the call. */
  readonly requestId?: string;
  /** Of `forbidden`: what is missing, and where to add it. */
  readonly gap?: AccessGap;
  /**
   * True of a write that may have taken effect although it failed: look the object up before
   * another attempt, because each POST creates a new one.
   * Source: docs/platforms/adobe.md#provisioning-steps
   */
  readonly ambiguous: boolean;
}

/** The call that failed. */
export interface FailedCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly sandbox: string;
}

const MAX_TEXT_BYTES = 1_024;

function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' ? String(value) : '';
}

/** `https://ns.adobe.com/aep/errors/XDM-1018-409` → `XDM-1018-409`, and the status of `…/404`. */
function codeOfType(type: string): string {
  return /\/errors\/([\w.-]+)$/.exec(type)?.[1] ?? '';
}

/**
 * The code of an error document: the gateway writes `error_code`, the services `errorCode`, `code`
 * or the end of `type`.
 * Source: docs/platforms/adobe.md#platform-errors
 */
function errorCode(document: JsonObject): string {
  const { error_code: gateway, errorCode: service, code, type } = document;
  return textOf(gateway) || textOf(service) || textOf(code) || codeOfType(textOf(type));
}

function errorText(document: JsonObject): string {
  const report = isJsonObject(document['report']) ? document['report'] : {};
  const texts = ['title', 'message', 'detail', 'description'].map((key) => document[key]);
  const more = report['message'] ?? report['detailed-message'] ?? document['errorMessage'];
  return [...new Set([...texts, more].map(textOf).filter(Boolean))].join('; ');
}

function kindOf(status: number, code: string): PlatformErrorKind {
  if (status === 401 || code === '403010') return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  // The schema registry answers 400 to a title that exists.
  if (status === 409 || code === 'XDM-1521-400') return 'conflict';
  // Flow Service: 1404-412 is stale, 1403-400 means that there was no If-Match.
  if (status === 412) return 'stale';
  if (status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'invalid';
}

function withoutQuery(path: string): string {
  return path.split('?')[0] ?? path;
}

function requestIdOf(headers: Extract<OutboundResult, { kind: 'response' }>['headers']): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Profile Access has documents of its own, whose status is a text. */
function isProfiles({ statusCode, message }: JsonObject): boolean {
  return typeof statusCode === 'string' && /^UP[A-Z]*-/.test(textOf(message));
}

/** Whether the document has what only Adobe's services and gateway write together. */
function isAdobes(document: JsonObject): boolean {
  if (isProfiles(document)) return true;
  return errorCode(document) !== '' || (textOf(document['title']) !== '' && 'status' in document);
}

/**
 * Whether an answer is that of a proxy, a gateway or a login page in Adobe's place.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
export function isForeign({ status, body }: { readonly status: number; readonly body: string }): boolean {
  if (status >= 300 && status < 400) return true;
  const text = body.trim();
  if (status < 300) return text !== '' && !/^[[{]/.test(text);
  if (text === '') return status !== 429 && status < 500 && status !== 404;
  const document = parseJsonObject(body);
  return document === undefined || !isAdobes(document);
}

/** Reads a result that is no success. */
export function platformError(result: OutboundResult, call: FailedCall, isWrite: boolean): PlatformError {
  const name = `${call.method} ${withoutQuery(call.path)}`;
  if (result.kind === 'failure') {
    const { code, detail } = result;
    const ambiguous = isWrite && !isUnsent(code);
    return { kind: 'network', call: name, code, text: detail, ambiguous };
  }
  const { status, body, headers } = result;
  const requestId = requestIdOf(headers);
  const base = { call: name, status, ...(requestId === undefined ? {} : { requestId }) };
  if (isForeign(result) || status < 300) {
    const text = pageText(body, 200) || truncateUtf8(body.trim(), 200) || 'an empty answer';
    return { ...base, kind: 'foreign', text, ambiguous: isWrite };
  }
  const document = parseJsonObject(body) ?? {};
  const code = errorCode(document);
  const kind = kindOf(status, code);
  const text = truncateUtf8(errorText(document) || 'no further text', MAX_TEXT_BYTES);
  return {
    ...base,
    kind,
    ...(code === '' || code === String(status) ? {} : { code }),
    text,
    ...(kind === 'forbidden' ? { gap: accessGap(call, code, text) } : {}),
    ambiguous: isWrite && status >= 500,
  };
}

/** One line for people: the call, its status, and Adobe's own words. */
export function describePlatformError({ call, status, code, text, requestId, kind }: PlatformError): string {
  const what = [status, code].filter((part) => part !== undefined).join(' ');
  const who = kind === 'foreign' ? " (not Adobe's answer)" : '';
  const id = requestId === undefined ? '' : ` (x-request-id ${requestId})`;
  return `${call} → ${what === '' ? '' : `${what}: `}${text}${who}${id}`;
}
