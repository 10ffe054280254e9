/*
 * The JSON text that is being written. Its characters go into one buffer that is used again: a
 * text joined from hundreds of strings takes as long to join as to write, and leaves garbage.
 */

/** A JSON text. */
export interface WrittenText {
  readonly json: string;
  /** In UTF-8. */
  readonly bytes: number;
}

/** The text of a record that was built as an object. */
export function textOf(entity: object): WrittenText {
  const json = JSON.stringify(entity);
  return { json, bytes: Buffer.byteLength(json, 'utf8') };
}

const FIRST_BYTES = 65_536;
/** UTF-8 bytes of one UTF-16 unit. */
const MAX_UNIT_BYTES = 3;

let bytes = Buffer.allocUnsafe(FIRST_BYTES);
let end = 0;
/** While it is true, a byte is a character. */
let isAscii = true;

/** Where the next character is written; also a place to go back to. */
export function position(): number {
  return end;
}

/** Takes back what was written since. */
export function goBack(to: number): void {
  end = to;
}

/** Begins a new text. */
export function startText(): void {
  end = 0;
  isAscii = true;
}

export function finishText(): WrittenText {
  return { json: bytes.toString(isAscii ? 'latin1' : 'utf8', 0, end), bytes: end };
}

/** Writes JSON text of ASCII characters only. */
export function putAscii(text: string): void {
  const { length } = text;
  const target = roomFor(length);
  let at = end;
  for (let index = 0; index < length; index += 1) {
    target[at] = text.charCodeAt(index);
    at += 1;
  }
  end = at;
}

/** Writes any JSON text. */
export function putJson(text: string): void {
  const written = roomFor(text.length * MAX_UNIT_BYTES).write(text, end);
  isAscii &&= written === text.length;
  end += written;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LAST_ASCII = 0x7f;

/** Writes a string as JSON; halves of surrogate pairs are replaced. */
export function putString(text: string): void {
  const { length } = text;
  const target = roomFor(length + 2);
  let at = end;
  target[at] = QUOTE;
  at += 1;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < FIRST_PRINTABLE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH) {
      putJson(JSON.stringify(text.toWellFormed()));
      return;
    }
    target[at] = code;
    at += 1;
  }
  target[at] = QUOTE;
  end = at + 1;
}

function roomFor(more: number): Buffer {
  if (end + more > bytes.length) {
    const larger = Buffer.allocUnsafe(2 * (end + more));
    bytes.copy(larger, 0, 0, end);
    bytes = larger;
  }
  return bytes;
}
