import { isOddKey, trimKeys } from './json-keys.ts';
import type { JsonValue } from './json.ts';

/** Levels of objects and arrays that are read. Real events have fewer than ten; recursion further down the pipe relies on it. */
export const MAX_JSON_DEPTH = 64;

/** The value, or why there is none; `detail` holds nothing of the text. */
export type ParsedText =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: 'not-json' | 'too-deep'; readonly detail: string };

/**
 * Parses JSON as the relay needs it: integers beyond 2^53 become their digits as text, so that no id loses its last digits;
 * stray spaces around keys are gone; `__proto__` is gone. Never throws.
 */
export function parseJsonText(text: string): ParsedText {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    return { ok: false, code: 'not-json', detail: `not JSON: ${faultOf(text, error)}` };
  }
  const seen: Seen = { isTooDeep: false, hasLongNumber: false, hasOddKey: false };
  look(value, 0, seen);
  if (seen.isTooDeep) {
    return { ok: false, code: 'too-deep', detail: `nested more than ${MAX_JSON_DEPTH} levels deep` };
  }
  const exact = seen.hasLongNumber ? parseExactly(text) : value;
  return { ok: true, value: seen.hasOddKey ? trimKeys(exact) : exact };
}

/** What is unusual about a value. Hardly any event has any of it, and to mend it costs more than to parse. */
interface Seen {
  isTooDeep: boolean;
  /** A number whose last digits may be lost. */
  hasLongNumber: boolean;
  /** A key that `trimKeys` would change or leave out. */
  hasOddKey: boolean;
}

/** Goes no further down than is read: a hostile body may nest hundreds of thousands of levels. */
function look(value: JsonValue, depth: number, seen: Seen): void {
  if (typeof value === 'number') {
    seen.hasLongNumber ||= Math.abs(value) > Number.MAX_SAFE_INTEGER;
  }
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (depth === MAX_JSON_DEPTH) {
    seen.isTooDeep = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      look(item, depth + 1, seen);
    }
    return;
  }
  for (const key of Object.keys(value)) {
    seen.hasOddKey ||= isOddKey(key);
    look(value[key] ?? null, depth + 1, seen);
  }
}

/** A reviver makes parsing several times slower, and the engine recurse: only for texts that need it and whose depth is known to be small. */
function parseExactly(text: string): JsonValue {
  return JSON.parse(text, reviveNumber) as JsonValue;
}

function reviveNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? (exactDigits(value, context?.source) ?? value) : value;
}

/** Some senders write integers as floats (reference: capillary.md §2.4), so `….0` counts as an integer. */
function exactDigits(value: number, source: string | undefined): string | undefined {
  const [, digits] = /^(-?\d+)(?:\.0+)?$/.exec(source ?? '') ?? [];
  return Number.isSafeInteger(value) ? undefined : digits;
}

/** The engine quotes the text in its messages; only the position at the very end of one may leave the relay. */
function faultOf(text: string, error: unknown): string {
  if (text.trim() === '') {
    return 'it is empty';
  }
  const message = error instanceof Error ? error.message : '';
  const [, position] = /at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message) ?? [];
  if (position !== undefined) {
    return `syntax error at position ${position}`;
  }
  return message.startsWith('Unexpected end') ? 'it ends too early' : 'syntax error';
}
