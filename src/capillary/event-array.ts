/** Nesting that is resolved; what lies deeper stays one element and is no event. */
const MAX_ARRAY_LEVELS = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The elements of a JSON array as they stand in the body, so that each is stored with its own
 * bytes and can be read again. Arrays inside are resolved, except empty ones. A generator, because
 * a body of commas and digits has as many elements as half its bytes.
 * @param body valid JSON, an array, in UTF-8 or another encoding in which ASCII stays ASCII
 */
export function* splitArray(body: Uint8Array, levels = MAX_ARRAY_LEVELS): Generator<Uint8Array> {
  for (const element of elementsOf(body)) {
    if (levels > 1 && element[0] === OPEN_ARRAY && !isEmptyArray(element)) {
      yield* splitArray(element, levels - 1);
    } else {
      yield element;
    }
  }
}

function isEmptyArray(element: Uint8Array): boolean {
  return trimmed(element, 1, element.length - 1).length === 0;
}

/** A loop instead of recursion, because a hostile body can have hundreds of thousands of levels. */
function* elementsOf(body: Uint8Array): Generator<Uint8Array> {
  let start = body.indexOf(OPEN_ARRAY) + 1;
  let depth = 0;
  for (let at = start; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
    } else if (depth === 0 && (byte === COMMA || byte === CLOSE_ARRAY)) {
      const element = trimmed(body, start, at);
      // Only `[]` has nothing before its end.
      if (element.length > 0) {
        yield element;
      }
      if (byte === CLOSE_ARRAY) {
        return;
      }
      start = at + 1;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
}

/** The position of the closing quote of the string that starts at `at`. */
function endOfString(body: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < body.length && body[end] !== QUOTE) {
    end += body[end] === BACKSLASH ? 2 : 1;
  }
  return end;
}

/** The bytes from `from` to before `to`, without white space at their ends. */
function trimmed(body: Uint8Array, from: number, to: number): Uint8Array {
  let start = from;
  let end = to;
  while (start < end && isSpace(body[start])) {
    start += 1;
  }
  while (end > start && isSpace(body[end - 1])) {
    end -= 1;
  }
  return body.subarray(start, end);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
