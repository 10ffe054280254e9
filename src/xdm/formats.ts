import { isCalendarDay } from '../capillary/times.ts';

const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const URI_REFERENCE = /^[\w.~-]+$/;
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
/** The last label starts with a letter, which excludes IP addresses. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/i;

/** A date-time that AEP accepts: it requires a zone (docs/platforms/adobe.md#date-times). */
export function isDateTime(text: string): boolean {
  const day = DATE_TIME.exec(text)?.[1];
  return day !== undefined && isCalendarDay(day);
}

/** An existing day as `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && isCalendarDay(text);
}

/** Only unreserved characters, which need no escaping (docs/platforms/adobe.md#event-ids). */
export function isUriReference(text: string): boolean {
  return URI_REFERENCE.test(text);
}

/**
 * An e-mail address that XDM's format `email` accepts: ASCII only, in either case, at most 254
 * characters. Call this before changing the case: lower case turns some characters, such as the
 * Kelvin sign, into ASCII letters.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  return (
    at > 0 &&
    at <= 64 &&
    text.length <= 254 &&
    LOCAL_PART.test(text.slice(0, at)) &&
    DOMAIN.test(text.slice(at + 1))
  );
}
