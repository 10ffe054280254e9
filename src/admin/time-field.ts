import { z } from 'zod';

const TIME_ERROR =
  'must be a time such as 2026-01-31, 2026-01-31T08:00:00Z or 2026-01-31T08:00:00+05:30, or milliseconds since 1970';

const ISO_TIME =
  /^(?<day>\d{4}-\d\d-\d\d)(T(?<hour>\d\d):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-](?<offset>\d\d):[0-5]\d))?$/;

/** No zone is further from UTC. */
const MAX_OFFSET_HOURS = 14;

/** `Date` reads the 30th of February as a day of March; it writes it as that day. */
function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}

function isoMsOf(iso: string): number {
  const { day = '', hour = '00', offset = '00' } = ISO_TIME.exec(iso)?.groups ?? {};
  const isExact = isDay(day) && Number(hour) < 24 && Number(offset) <= MAX_OFFSET_HOURS;
  return isExact ? Date.parse(iso) : Number.NaN;
}

function epochMsOf(value: string | number): number {
  if (typeof value === 'number') return value;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  // In a query, an unescaped + arrives as a space.
  return isoMsOf(value.replace(' ', '+'));
}

/** ISO 8601 with a time zone, a date (its start in UTC), or epoch ms → epoch ms. */
export function timeField() {
  return z
    .union([z.string(), z.number()], { error: TIME_ERROR })
    .transform(epochMsOf)
    .refine((ms) => Number.isSafeInteger(ms) && ms >= 0, { error: TIME_ERROR });
}
