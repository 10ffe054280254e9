import type { JsonObject } from './json.ts';

/**
 * Times outside this range are errors in the payload
 * (docs/platforms/capillary.md#dates-inside-data).
 */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

const DAY_MS = 86_400_000;
const LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/;
const ZONED =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?\s?(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?)$/;
const DECIMAL = /^\d{1,16}(\.\d+)?([eE]\+?\d{1,2})?$/;

/**
 * The end of a day that a date without a time stands for: dates on which something begins or
 * happened are its start, dates until which something lasts are its end.
 */
export type DayEdge = 'start' | 'end';

/** True for epoch milliseconds after 2000 and before 2200. */
export function isPlausibleTime(epochMs: number): boolean {
  return epochMs > EARLIEST_MS && epochMs < LATEST_MS;
}

/**
 * Reads an epoch as Capillary sends it, a number or its text, as milliseconds. Ten digits are
 * seconds, as in some published samples (docs/platforms/capillary.md#defective-samples). Undefined
 * if it is not a date after 2000 and before 2200.
 */
export function parseEpoch(value: unknown): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    return undefined;
  }
  const isSeconds = number >= 1e9 && number < 1e10;
  const epochMs = Math.trunc(isSeconds ? number * 1_000 : number);
  return isPlausibleTime(epochMs) ? epochMs : undefined;
}

/**
 * Reads a date as epoch milliseconds. A bare date is the first or the last millisecond of that day
 * in the zone (docs/platforms/capillary.md#dates-inside-data). A time without an offset is local
 * time in the zone; an offset takes precedence over the zone. Undefined for anything else, for days
 * that do not exist and for dates outside of 2000–2200.
 *
 * @param timezone an IANA zone such as `Asia/Kolkata`
 * @param edge which millisecond of the day a bare date is
 */
export function parseLocalDate(text: string, timezone: string, edge: DayEdge): number | undefined {
  const trimmed = text.trim();
  const epochMs = LOCAL.test(trimmed) ? parseWallClock(trimmed, timezone, edge) : parseZoned(trimmed);
  return epochMs !== undefined && isPlausibleTime(epochMs) ? epochMs : undefined;
}

/** What never expires does so about a hundred years from now. */
const NEVER_MS = 50 * 365 * DAY_MS;

/**
 * Whether an expiry date means that there is none (docs/platforms/capillary.md#dates-inside-data).
 *
 * @param at the date, epoch ms
 * @param now epoch ms at which it was said
 */
export function isNever(at: number, now: number): boolean {
  return at - now > NEVER_MS;
}

/** Reads a time in any form: see `parseEpoch` and `parseLocalDate`. */
export function parseTime(value: unknown, timezone: string, edge: DayEdge): number | undefined {
  return parseEpoch(value) ?? (typeof value === 'string' ? parseLocalDate(value, timezone, edge) : undefined);
}

/**
 * Reads the time of a field from its shadow field `<field>InMillis` if that is a date, else from
 * the field itself, which can be a number or a text. Undefined if neither is a date
 * (docs/platforms/capillary.md#dates-inside-data).
 *
 * @param edge which millisecond of the day a bare date is
 */
export function pickTime(
  object: JsonObject,
  field: string,
  timezone: string,
  edge: DayEdge,
): number | undefined {
  return parseEpoch(object[`${field}InMillis`]) ?? parseTime(object[field], timezone, edge);
}

/**
 * RFC 3339 with milliseconds and `Z`, one of the formats that AEP accepts
 * (docs/platforms/adobe.md#date-times).
 */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The local time of a zone at an instant, as if it were UTC. */
export function wallClock(epochMs: number, timezone: string): number {
  return epochMs + offsetOf(timezone)(epochMs);
}

function parseZoned(text: string): number | undefined {
  const [, date, time, fraction = '', zulu, hours, minutes = '00'] = ZONED.exec(text) ?? [];
  if (date === undefined || time === undefined || !isCalendarDay(date)) {
    return undefined;
  }
  const offset = zulu === undefined ? `${hours}:${minutes}` : 'Z';
  const epochMs = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

function parseWallClock(text: string, timezone: string, edge: DayEdge): number | undefined {
  const [, year, month, day, hour, minute, second = '0', fraction = ''] = LOCAL.exec(text) ?? [];
  if (!isCalendarDay(`${year}-${month}-${day}`)) {
    return undefined;
  }
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (hour === undefined) {
    return edge === 'start'
      ? toUtc(midnight, timezone, 'earlier')
      : toUtc(midnight + DAY_MS - 1, timezone, 'later');
  }
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3));
  const sinceMidnight = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 + millis;
  // ISO 8601 allows 24:00 for the end of a day, but nothing after it.
  if (Number(minute) > 59 || Number(second) > 59 || sinceMidnight > DAY_MS) {
    return undefined;
  }
  const wall = midnight + sinceMidnight;
  return toUtc(wall, timezone, 'earlier');
}

/** True if the day of a `YYYY-MM-DD` exists. */
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

/**
 * Converts a local time of a zone to UTC.
 *
 * @param wall local time as if it were UTC, epoch ms. If the clocks skip it, the offset before the
 *   change applies.
 * @param prefer which one to return if the clocks show the time twice
 */
function toUtc(wall: number, timezone: string, prefer: 'earlier' | 'later'): number {
  const offsetAt = offsetOf(timezone);
  const before = offsetAt(wall - DAY_MS);
  const after = offsetAt(wall + DAY_MS);
  const possible = [wall - before, wall - after].filter((at) => at + offsetAt(at) === wall);
  if (possible.length === 0) {
    return wall - before;
  }
  return prefer === 'earlier' ? Math.min(...possible) : Math.max(...possible);
}

/** Milliseconds by which the clocks of a zone are ahead of UTC at an instant. */
type ZoneOffset = (at: number) => number;

/** Unbounded, but has only the zones of the configuration. */
const offsets = new Map<string, ZoneOffset>();

function offsetOf(timezone: string): ZoneOffset {
  const offset = offsets.get(timezone) ?? createZoneOffset(timezone);
  offsets.set(timezone, offset);
  return offset;
}

/** Days whose offset at midnight UTC is cached. */
const MAX_CACHED_DAYS = 5_000;

/**
 * `Intl` is slow, so it is called once per day, and for every time only on days on which the clocks
 * change. No zone changes them twice in one day.
 */
function createZoneOffset(timezone: string): ZoneOffset {
  const localTimeAt = createClock(timezone);
  const known = new Map<number, number>();
  const offsetAtStartOf = (day: number): number => {
    const offset = known.get(day) ?? localTimeAt(day * DAY_MS) - day * DAY_MS;
    if (known.size === MAX_CACHED_DAYS) {
      known.clear();
    }
    known.set(day, offset);
    return offset;
  };
  return (at) => {
    const day = Math.floor(at / DAY_MS);
    const offset = offsetAtStartOf(day);
    return offset === offsetAtStartOf(day + 1) ? offset : localTimeAt(at) - Math.floor(at / 1_000) * 1_000;
  };
}

/**
 * The local time of a zone at an instant, in full seconds and as if it were UTC. Creating a
 * clock costs a thousand times as much as using it.
 */
function createClock(timezone: string): (at: number) => number {
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = new Map(formatter.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    return Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
  };
}
