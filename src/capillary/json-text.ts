import { trimKeys } from './json-keys.ts';
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
  if (isDeeperThan(MAX_JSON_DEPTH, value)) {
    return { ok: false, code: 'too-deep', detail: `nested more than ${MAX_JSON_DEPTH} levels deep` };
  }
  return { ok: true, value: trimKeys(hasLongNumber(text) ? parseExactly(text) : value) };
}

/** A reviver makes parsing several times slower, so it is used only when there are enough digits in a row to need it. */
const hasLongNumber = (text: string): boolean => /\d{16}/.test(text);

/** A reviver makes the engine recurse: only for texts whose depth is known to be small. */
const parseExactly = (text: string): JsonValue => JSON.parse(text, reviveNumber) as JsonValue;

const reviveNumber = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' ? (exactDigits(value, context?.source) ?? value) : value;

/** Some senders write integers as floats (reference: capillary.md §2.4), so `….0` counts as an integer. */
function exactDigits(value: number, source: string | undefined): string | undefined {
  const [, digits] = /^(-?\d+)(?:\.0+)?$/.exec(source ?? '') ?? [];
  return Number.isSafeInteger(value) ? undefined : digits;
}

/** Level by level instead of by recursion: a hostile body may nest hundreds of thousands of levels. */
function isDeeperThan(max: number, root: JsonValue): boolean {
  let level: JsonValue[] = [root];
  for (let depth = 0; depth < max; depth += 1) {
    level = level.filter((value) => typeof value === 'object' && value !== null);
    if (level.length === 0) {
      return false;
    }
    level = level.flatMap((value) => Object.values(value ?? {}) as JsonValue[]);
  }
  return level.some((value) => typeof value === 'object' && value !== null);
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
