import { isJsonObject, type JsonObject } from '../capillary/json.ts';

/** The JSON object in a text; undefined if the text is not JSON or not an object. Never throws. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const ELLIPSIS = '…';

/** Cuts a text to at most `maxBytes` of UTF-8, ellipsis included, without splitting a character. */
export function truncateUtf8(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const room = maxBytes - Buffer.byteLength(ELLIPSIS);
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(room));
  return text.slice(0, read) + ELLIPSIS;
}

/** Limits the work on a page that may be of any size. */
const MAX_PAGE_LENGTH = 8_192;

/**
 * The text of a body that is not a JSON object, such as the page of a proxy or a gateway, without
 * its tags and at most `maxBytes` of UTF-8; empty for an empty body and for a JSON object.
 */
export function pageText(body: string, maxBytes: number): string {
  if (parseJsonObject(body) !== undefined) return '';
  const text = body
    .slice(0, MAX_PAGE_LENGTH)
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return truncateUtf8(text, maxBytes);
}

/** Whether a body is neither empty nor a JSON object, so that it is not Adobe's. */
export function isPage(body: string): boolean {
  return body.trim() !== '' && parseJsonObject(body) === undefined;
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * The three forms of an HTTP date (RFC 9110, section 5.6.7) start with a weekday. Date.parse alone
 * accepts far more as a date.
 */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/;

function delayMsOf(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!HTTP_DATE.test(text)) return Number.NaN;
  // The old asctime form names no zone and means GMT; Date.parse would read it as local time.
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) - now;
}

/**
 * Parses a Retry-After header: seconds or an HTTP date. Zero and a date in the past ask for
 * nothing.
 * Source: docs/platforms/adobe.md#retry-after
 * @param now epoch ms that a date is compared with
 * @returns ms to wait, at most one hour; undefined if the header is missing or invalid, or asks for
 *   nothing
 */
export function parseRetryAfter(
  header: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  const first = typeof header === 'string' ? header : header?.[0];
  if (first === undefined) return undefined;
  const ms = delayMsOf(first.trim(), now);
  return ms > 0 ? Math.min(MAX_RETRY_AFTER_MS, ms) : undefined;
}
