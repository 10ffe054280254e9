import { z } from 'zod';

const TEXT = 'must be a text of 1 to 300 characters, given once; leave it out for all';
const TIME =
  'must be a time such as 2026-01-31, 2026-01-31T08:00:00Z or 2026-01-31T08:00:00+05:30, or milliseconds since 1970';
const LIMIT = 'must be a whole number from 1 to 500';

/** A name, code or id. */
export function text(error = TEXT) {
  return z.string({ error }).min(1, { error }).max(300, { error });
}

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function epochOf(value: string | number): number {
  if (typeof value === 'number') return value;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  // In a query a + that was not escaped comes as a space.
  const iso = value.replace(' ', '+');
  return ISO.test(iso) ? Date.parse(iso) : Number.NaN;
}

/** ISO 8601 with a zone, a date (its start in UTC), or epoch ms → epoch ms. */
export function time() {
  return z
    .union([z.string(), z.number()], { error: TIME })
    .transform(epochOf)
    .refine((ms) => Number.isSafeInteger(ms) && ms >= 0, { error: TIME });
}

/** Entries of a page. */
export function limit() {
  return z
    .string({ error: LIMIT })
    .regex(/^\d{1,3}$/, { error: LIMIT })
    .transform(Number)
    .refine((count) => count >= 1 && count <= 500, { error: LIMIT })
    .default(100);
}

/** true or false in a query. */
export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((value) => value === 'true')
    .default(fallback);
}

/** true or false in a JSON body; absent is false. */
export function option() {
  return z.boolean({ error: 'must be true or false' }).default(false);
}
