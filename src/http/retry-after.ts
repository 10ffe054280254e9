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
