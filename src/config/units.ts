import { z } from 'zod';

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
} as const;

interface Bounds {
  /** As a person writes it, e.g. `10ms`. */
  readonly min?: string;
  readonly max?: string;
}

type Units = Readonly<Record<string, number>>;

function toNumber(text: string, units: Units): number {
  const [, number = '', , unit = ''] = /^(\d+(\.\d+)?)\s*(\w+)$/.exec(text) ?? [];
  return Math.round(Number(number) * (units[unit] ?? Number.NaN));
}

function measure(units: Units, example: string, { min, max }: Bounds) {
  return z
    .string({ error: `must be a number with a unit, such as ${example}` })
    .regex(new RegExp(`^\\d+(\\.\\d+)?\\s*(${Object.keys(units).join('|')})$`), {
      error: `must be a number with a unit, such as ${example}`,
    })
    .transform((text) => toNumber(text, units))
    .refine((value) => min === undefined || value >= toNumber(min, units), {
      error: `must be at least ${min}`,
    })
    .refine((value) => max === undefined || value <= toNumber(max, units), {
      error: `must be at most ${max}`,
    });
}

/** `250ms`, `5s`, `3d` → milliseconds. */
export function duration(bounds: Bounds = {}) {
  return measure(MILLISECONDS, '250ms, 5s, 10m or 3d', bounds);
}

/** `900KB`, `1MiB` → bytes; KB is 1000, KiB 1024. */
export function size(bounds: Bounds = {}) {
  return measure(BYTES, '900KB, 1MiB or 10GiB', bounds);
}

/** A whole number; digits in a text are taken too, because `${NAME}` always gives a text. */
export function integer(min: number, max: number) {
  const error =
    max === Number.MAX_SAFE_INTEGER
      ? `must be a whole number of at least ${min}`
      : `must be a whole number from ${min} to ${max}`;
  const whole = z.int({ error }).min(min, { error }).max(max, { error });
  return z.union([whole, z.string().regex(/^\d+$/, { error }).transform(Number).pipe(whole)], { error });
}

/** true or false, or those words as a text, because `${NAME}` always gives a text. */
export function flag() {
  return z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
    error: 'must be true or false',
  });
}
