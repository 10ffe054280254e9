const MAX_MS = 3_600_000;

/** The three forms of an HTTP date (RFC 9110 §5.6.7) begin with a weekday; Date.parse alone takes far more for a date. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/;

function milliseconds(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!HTTP_DATE.test(text)) return Number.NaN;
  // The old asctime form names no zone and means GMT; Date.parse would read it as local time.
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) - now;
}

/**
 * Reads a Retry-After header: seconds or an HTTP date. Both forms may come (adobe.md §2.9).
 * @param now epoch ms, what a date is measured against
 * @returns ms to wait, 0 to one hour; undefined when the header is missing or makes no sense
 */
export function parseRetryAfter(
  header: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  const first = typeof header === 'string' ? header : header?.[0];
  if (first === undefined) return undefined;
  const ms = milliseconds(first.trim(), now);
  return Number.isNaN(ms) ? undefined : Math.min(MAX_MS, Math.max(0, ms));
}
