import { z } from 'zod';
import { idText } from '../identifiers.ts';
import { isBlank, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';

/*
 * Types of fields in Capillary's answers. A field that is missing, null or of another type has no
 * value, because one odd field must not cost the rest of an answer; fields that nobody reads are
 * ignored. The older API writes numbers and booleans as strings, and a list of one as the item.
 */

/** A lenient field: what it does not accept is undefined. */
function field<T>(read: (value: unknown) => T | undefined) {
  return z.unknown().optional().transform(read);
}

const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/;

/** A number or its text; undefined for anything else. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && !isBlank(value) ? value.toWellFormed().trim() : undefined;
}

function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return text === 'true' || text === 'false' ? text === 'true' : undefined;
}

function itemsOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) && Object.keys(value).length > 0 ? [value] : undefined;
}

/** A number, or a string that is one. */
export const aNumber = field(numberOf);

/** A string that is not blank, trimmed; a number as its text. */
export const aText = field(textOf);

/** An id as text: `71.0` is `71`, and -1 stands for none. */
export const anId = field((value) => {
  const id = idText(value as JsonValue);
  return id === undefined || id.startsWith('-') ? undefined : id;
});

export const aFlag = field(flagOf);

/** An object with any fields. */
export const anObject = field((value): JsonObject | undefined => (isJsonObject(value) ? value : undefined));

/** An object of lenient fields; `{}` and what is no object are undefined. */
export function objectOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.object(shape);
  return field((value): z.output<typeof schema> | undefined =>
    isJsonObject(value) && Object.keys(value).length > 0 ? schema.parse(value) : undefined,
  );
}

/** A list of objects of lenient fields, without other items; undefined if there is no list. */
export function listOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.object(shape);
  return field((value): readonly z.output<typeof schema>[] | undefined =>
    itemsOf(value)
      ?.filter(isJsonObject)
      .map((item) => schema.parse(item)),
  );
}
