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

const measure = (units: Readonly<Record<string, number>>, example: string) =>
  z
    .string({ error: `must be a text such as ${example}` })
    .regex(new RegExp(`^\\d+(\\.\\d+)?\\s*(${Object.keys(units).join('|')})$`), {
      error: `must be a number with a unit, such as ${example}`,
    })
    .transform((text) => {
      const [, number = '', , unit = ''] = /^(\d+(\.\d+)?)\s*(\w+)$/.exec(text) ?? [];
      return Math.round(Number(number) * (units[unit] ?? Number.NaN));
    });

/** `250ms`, `5s`, `3d` → milliseconds. */
export const duration = () => measure(MILLISECONDS, '250ms, 5s, 10m, 3d');

/** `900KB`, `1MiB` → bytes; KB is 1000, KiB 1024. */
export const size = () => measure(BYTES, '900KB, 1MiB, 10GiB');

/** A whole number; digits in a text are taken too, because `${NAME}` always gives a text. */
export const integer = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .pipe(
      z
        .number()
        .int({ error: `must be a whole number from ${min} to ${max}` })
        .min(min, { error: `must be at least ${min}` })
        .max(max, { error: `must be at most ${max}` }),
    );

/** true or false, or those words as a text. */
export const flag = () =>
  z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
    error: 'must be true or false',
  });
