import type { JsonObject } from './json.ts';
import { toUtc } from './zones.ts';

/**
 * Dates of loyalty events lie between these; what does not is a defect of the payload (reference: mapping.md,
 * Rules).
 */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

const DAY = 86_400_000;
const LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/;
const ZONED =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?\s?(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?)$/;
const DECIMAL = /^\d{1,16}(\.\d+)?([eE]\+?\d{1,2})?$/;

/** True for epoch milliseconds after 2000 and before 2200. */
export function isPlausible(at: number): boolean {
  return at > EARLIEST && at < LATEST;
}

/**
 * Reads an epoch as Capillary sends it, to milliseconds: a number, or a text that holds one. Ten digits are
 * seconds; real samples hold such (reference: capillary.md §2.3). Undefined for everything that is no date
 * after 2000 and before 2200.
 */
export function parseEpoch(value: unknown): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    return undefined;
  }
  const isSeconds = number >= 1e9 && number < 1e10;
  const at = Math.trunc(isSeconds ? number * 1_000 : number);
  return isPlausible(at) ? at : undefined;
}

/**
 * Reads a date text to epoch milliseconds. A bare date is the last millisecond of that day in the zone,
 * because that is what Capillary's date-only fields mean (reference: capillary.md §2.3); a time without an
 * offset is a wall-clock time in the zone; a time with an offset is taken as it is. Undefined for anything
 * else, an impossible day, and dates outside 2000–2200.
 *
 * @param timezone an IANA zone such as `Asia/Kolkata`
 */
export function parseLocalDate(text: string, timezone: string): number | undefined {
  const trimmed = text.trim();
  const at = LOCAL.test(trimmed) ? parseWallClock(trimmed, timezone) : parseZoned(trimmed);
  return at !== undefined && isPlausible(at) ? at : undefined;
}

/**
 * Reads the time of one field: its `<field>InMillis` shadow where that is a date, else the field itself,
 * number or text. Undefined when neither gives one (reference: capillary.md §2.3).
 */
export function pickTime(object: JsonObject, field: string, timezone: string): number | undefined {
  const value = object[field];
  return (
    parseEpoch(object[`${field}InMillis`]) ??
    parseEpoch(value) ??
    (typeof value === 'string' ? parseLocalDate(value, timezone) : undefined)
  );
}

/** RFC 3339 with milliseconds and `Z`, one of the forms AEP takes (reference: adobe.md §2.8). */
export function toTimestamp(at: number): string {
  return new Date(at).toISOString();
}

function parseZoned(text: string): number | undefined {
  const [, date, time, fraction = '', zulu, hours, minutes = '00'] = ZONED.exec(text) ?? [];
  if (date === undefined || time === undefined || !isCalendarDay(date)) {
    return undefined;
  }
  const offset = zulu === undefined ? `${hours}:${minutes}` : 'Z';
  const at = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(at) ? undefined : at;
}

function parseWallClock(text: string, timezone: string): number | undefined {
  const [, year, month, day, hour, minute, second = '0', fraction = ''] = LOCAL.exec(text) ?? [];
  if (!isCalendarDay(`${year}-${month}-${day}`)) {
    return undefined;
  }
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (hour === undefined) {
    return toUtc(midnight + DAY - 1, timezone, 'later');
  }
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3));
  const sinceMidnight = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 + millis;
  // ISO 8601 lets a day end at 24:00, and nothing come after that.
  if (Number(minute) > 59 || Number(second) > 59 || sinceMidnight > DAY) {
    return undefined;
  }
  const wall = midnight + sinceMidnight;
  return toUtc(wall, timezone, 'earlier');
}

/** True for a `YYYY-MM-DD` that is in the calendar. */
export function isCalendarDay(date: string): boolean {
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  return month >= 1 && month <= 12 && day >= 1 && day <= lastDayOf(Number(date.slice(0, 4)), month);
}

function lastDayOf(year: number, month: number): number {
  if (month === 2) {
    const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return isLeapYear ? 29 : 28;
  }
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
