/** A value that `JSON.parse` can return. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object, such as an event, its `data` or an XDM entity. */
export type JsonObject = { [key: string]: JsonValue };

/** True for a JSON object, false for null, arrays and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * True for undefined, null, and a string of whitespace only: in real events the currency can be one
 * space.
 */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/**
 * True for blank values and for empty arrays and objects: they mean "no value" to both platforms.
 */
export function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return isBlank(value);
  }
  return Array.isArray(value) ? value.length === 0 : hasNoKeys(value);
}

function hasNoKeys(object: object): boolean {
  for (const key in object) {
    if (Object.hasOwn(object, key)) {
      return false;
    }
  }
  return true;
}

/** True for a key that `trimKeys` changes or removes. */
function isUnusualKey(key: string): boolean {
  const [first, last] = [key.charCodeAt(0), key.charCodeAt(key.length - 1)];
  // Most keys begin and end with a letter or digit: trimming costs more than looking.
  const isPlain = first > UNDERSCORE && first < DELETE && last > SPACE && last < DELETE;
  return !isPlain && (key === '__proto__' || key.trim() !== key);
}

const SPACE = 0x20;
const UNDERSCORE = 0x5f;
const DELETE = 0x7f;

/**
 * A copy without spaces around keys, at every level. If two keys become equal, the one that had no
 * spaces has precedence, and a blank value never replaces another. `__proto__` is removed: no event
 * has such a field, and an assignment to it would change the prototype of an object. The depth of
 * `value` must be limited.
 */
export function trimKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(trimKeys);
  }
  return isJsonObject(value) ? trimObject(value) : value;
}

function trimObject(object: JsonObject): JsonObject {
  const trimmed: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const name = key.trim();
    if (name !== '__proto__' && hasPrecedence(trimmed, name, value, name === key)) {
      trimmed[name] = trimKeys(value);
    }
  }
  return trimmed;
}

function hasPrecedence(trimmed: JsonObject, name: string, value: JsonValue, isExact: boolean): boolean {
  if (!Object.hasOwn(trimmed, name)) {
    return true;
  }
  return !isBlank(value) && (isExact || isBlank(trimmed[name]));
}

/**
 * Maximum nesting of objects and arrays. Real events have fewer than ten levels. Recursive
 * functions of other folders rely on this limit.
 */
const MAX_JSON_DEPTH = 64;

/** The value, or why there is none; `detail` has no content of the text. */
export type ParsedText =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: 'not-json' | 'too-deep'; readonly detail: string };

/**
 * Parses JSON. Integers beyond 2^53 become strings of their digits, so that ids stay exact; keys
 * are trimmed; `__proto__` is removed. Never throws.
 */
export function parseJsonText(text: string): ParsedText {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    return { ok: false, code: 'not-json', detail: syntaxErrorOf(text, error) };
  }
  const traits: Traits = { isTooDeep: false, hasLongNumber: false, hasUnusualKey: false };
  inspect(value, 0, traits);
  if (traits.isTooDeep) {
    return { ok: false, code: 'too-deep', detail: `nested more than ${MAX_JSON_DEPTH} levels deep` };
  }
  const exact = traits.hasLongNumber ? parseExactly(text) : value;
  return { ok: true, value: traits.hasUnusualKey ? trimKeys(exact) : exact };
}

/**
 * What needs more than `JSON.parse`. Few events have any of these traits, and handling them
 * costs more than parsing.
 */
interface Traits {
  isTooDeep: boolean;
  /** A number that may have lost its last digits. */
  hasLongNumber: boolean;
  /** A key that `trimKeys` changes or removes. */
  hasUnusualKey: boolean;
}

/** Stops at the depth limit, because a hostile body can have hundreds of thousands of levels. */
function inspect(value: JsonValue, depth: number, traits: Traits): void {
  if (typeof value === 'number') {
    traits.hasLongNumber ||= Math.abs(value) > Number.MAX_SAFE_INTEGER;
  }
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (depth === MAX_JSON_DEPTH) {
    traits.isTooDeep = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      inspect(item, depth + 1, traits);
    }
    return;
  }
  for (const key of Object.keys(value)) {
    traits.hasUnusualKey ||= isUnusualKey(key);
    inspect(value[key] ?? null, depth + 1, traits);
  }
}

/**
 * Use only for texts that need it and whose depth has been checked: a reviver makes `JSON.parse`
 * several times slower and recursive.
 */
function parseExactly(text: string): JsonValue {
  return JSON.parse(text, reviveNumber) as JsonValue;
}

function reviveNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? (exactDigits(value, context?.source) ?? value) : value;
}

/**
 * `….0` counts as an integer, because some senders write integers as floats
 * (docs/platforms/capillary.md#defective-samples).
 */
function exactDigits(value: number, source: string | undefined): string | undefined {
  const [, digits] = /^(-?\d+)(?:\.0+)?$/.exec(source ?? '') ?? [];
  return Number.isSafeInteger(value) ? undefined : digits;
}

/**
 * Messages of `JSON.parse` quote the text, so only the position at the end of the message is used.
 */
function syntaxErrorOf(text: string, error: unknown): string {
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
