import type { JsonValue } from './json.ts';
import { isCalendarDay, wallClock } from './times.ts';

/** A date as `YYYY-MM-DD`, or why there is none. */
export type BirthDate = { readonly day: string } | { readonly fault: 'not-a-date' | 'ambiguous-date' };

const DAY_MS = 86_400_000;
const FIRST_DAY = '1900-01-01';
/** Epochs with fewer digits can be seconds as well as milliseconds. */
const MIN_CERTAIN_MS = 100_000_000_000;

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
/** `Date.toString()` of Java: `Tue Mar 04 15:27:00 GMT 1990`. */
const JAVA = /^[a-z]{3},? ([a-z]{3}) (\d{1,2}) (\d{2}:\d{2}:\d{2}) ([a-z]{3,4}|GMT[+-]\d{2}:\d{2}) (\d{4})$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const EPOCH = /^-?\d{1,14}(\.0+)?$/;
/** Two orders of day and month are in use. */
const DAY_AND_MONTH = /^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}$/;
const MIDNIGHT = /^00:00(:00)?$/;

/**
 * Reads a date of birth in the forms that Capillary sends
 * (docs/platforms/capillary.md#dates-of-birth). A date has no time zone, so the day of an instant
 * is certain only if the instant is midnight in UTC or in the zone of the source, or if the day is
 * the same in both.
 *
 * @param timezone zone of the source
 * @param now epoch ms: nobody is born later
 */
export function parseBirthDate(value: JsonValue | undefined, timezone: string, now: number): BirthDate {
  const read = readDate(value, timezone);
  if ('fault' in read) {
    return read;
  }
  const today = dayOf(wallClock(now, timezone));
  return isCalendarDay(read.day) && read.day >= FIRST_DAY && read.day <= today
    ? read
    : { fault: 'not-a-date' };
}

function readDate(value: JsonValue | undefined, timezone: string): BirthDate {
  if (typeof value === 'number') {
    return dayOfEpoch(value, timezone);
  }
  const text = typeof value === 'string' ? value.trim() : '';
  if (EPOCH.test(text)) {
    return dayOfEpoch(Number(text), timezone);
  }
  const [, isoDay, isoTime, isoZone] = ISO.exec(text) ?? [];
  if (isoDay !== undefined) {
    return dayOfPrinted(isoDay, isoTime, isoZone, timezone);
  }
  const [, month = '', day = '', time, zone, year] = JAVA.exec(text) ?? [];
  if (year !== undefined) {
    const number = MONTHS.indexOf(month.toLowerCase()) + 1;
    const printed = `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`;
    return dayOfPrinted(printed, time, zone, timezone);
  }
  return { fault: DAY_AND_MONTH.test(text) ? 'ambiguous-date' : 'not-a-date' };
}

/** A time of midnight, or none, says that the printed day is meant. */
function dayOfPrinted(
  day: string,
  time: string | undefined,
  zone: string | undefined,
  timezone: string,
): BirthDate {
  if (!isCalendarDay(day)) {
    return { fault: 'not-a-date' };
  }
  if (time === undefined || MIDNIGHT.test(time) || zone === undefined) {
    return { day };
  }
  const offset = offsetIn(zone);
  const instant = offset === undefined ? Number.NaN : Date.parse(`${day}T${time}${offset}`);
  if (Number.isNaN(instant)) {
    return { fault: offset === undefined ? 'ambiguous-date' : 'not-a-date' };
  }
  return dayOfInstant(instant, timezone, day);
}

/** Other abbreviations of zones mean several zones: IST is that of India, Ireland and Israel. */
function offsetIn(zone: string): string | undefined {
  const text = zone.toUpperCase().replace(/^(GMT|UTC)(?=[+-])/, '');
  if (['Z', 'GMT', 'UTC'].includes(text)) {
    return 'Z';
  }
  const [, hours, minutes = '00'] = /^([+-]\d{2}):?(\d{2})?$/.exec(text) ?? [];
  return hours === undefined ? undefined : `${hours}:${minutes}`;
}

function dayOfInstant(instant: number, timezone: string, printed = dayOf(instant)): BirthDate {
  const local = wallClock(instant, timezone);
  if (isMidnight(local) && !isMidnight(instant)) {
    return { day: dayOf(local) };
  }
  return isMidnight(instant) || dayOf(local) === printed ? { day: printed } : { fault: 'ambiguous-date' };
}

/** Seconds or milliseconds; negative before 1970. */
function dayOfEpoch(epoch: number, timezone: string): BirthDate {
  if (!Number.isSafeInteger(epoch) || epoch === 0) {
    return { fault: 'not-a-date' };
  }
  if (Math.abs(epoch) >= MIN_CERTAIN_MS) {
    return Math.abs(epoch) < MIN_CERTAIN_MS * 100 ? dayOfInstant(epoch, timezone) : { fault: 'not-a-date' };
  }
  const isDay = (instant: number): boolean => isMidnight(instant) || isMidnight(wallClock(instant, timezone));
  const [inSeconds, inMillis] = [epoch * 1_000, epoch];
  const isPossible = inSeconds >= Date.parse(FIRST_DAY) - DAY_MS && inSeconds < Date.UTC(2200);
  if (isPossible && isDay(inSeconds) !== isDay(inMillis)) {
    return dayOfInstant(isDay(inSeconds) ? inSeconds : inMillis, timezone);
  }
  return !isPossible && isDay(inMillis)
    ? dayOfInstant(inMillis, timezone)
    : { fault: isPossible ? 'ambiguous-date' : 'not-a-date' };
}

function isMidnight(time: number): boolean {
  return time % DAY_MS === 0;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
