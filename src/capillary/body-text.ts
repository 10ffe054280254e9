/** The text of a body, and how it was found. */
export interface BodyText {
  readonly text: string;
  /** True if the bytes are not UTF-8, so they were read as Windows-1252. */
  readonly isWindows1252: boolean;
}

/** `fatal`: a replacement character would change a name for ever. Removes a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * What Windows-1252 has at 80–9F, where ISO 8859-1 has control characters. A table, because
 * `TextDecoder` of some versions of Node reads these bytes as ISO 8859-1.
 */
const WINDOWS_1252 =
  '\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F' +
  '\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178';
const FIRST_WINDOWS_1252 = 0x80;

/** Names of ASCII and UTF-8: the body is read like one without a charset. */
const UTF8_NAMES = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8', 'us-ascii', 'ascii']);

/**
 * The text of a stored body: UTF-8, else Windows-1252, which every byte sequence is. The relay
 * stores the bytes as received unless a charset was declared, so a later version reads them again.
 */
export function readBodyText(body: Uint8Array): BodyText {
  try {
    return { text: utf8.decode(body), isWindows1252: false };
  } catch {
    return { text: windows1252(body), isWindows1252: true };
  }
}

/**
 * The body in the form in which it is stored: bytes in UTF-8, or as received if they need no
 * charset to be read. A byte order mark and the zero bytes of UTF-16 have precedence over the
 * declared charset (RFC 8259 allows no other encoding to start like this). A charset that is
 * unknown, or does not fit the bytes, is ignored.
 * @param contentType the header's value; may be wrong or absent
 */
export function toStoredBody(body: Uint8Array, contentType: string | undefined): Uint8Array {
  const charset = utf16NameOf(body) ?? (hasUtf8Mark(body) ? undefined : charsetOf(contentType));
  const text = charset === undefined ? undefined : decode(body, charset);
  return text === undefined ? body : Buffer.from(text, 'utf8');
}

function hasUtf8Mark(body: Uint8Array): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

/** UTF-16 by its byte order mark, or by the zero byte beside its first, always ASCII, character. */
function utf16NameOf(body: Uint8Array): string | undefined {
  const [first, second] = body;
  if (first === undefined || second === undefined) {
    return undefined;
  }
  if ((first === 0xff && second === 0xfe) || (second === 0 && first !== 0)) {
    return 'utf-16le';
  }
  return (first === 0xfe && second === 0xff) || (first === 0 && second !== 0) ? 'utf-16be' : undefined;
}

/** The declared charset in lower case; undefined for UTF-8, and if there is none. */
function charsetOf(contentType: string | undefined): string | undefined {
  const [, name] = /;\s*charset\s*=\s*["']?([^\s;"',]+)/i.exec(contentType ?? '') ?? [];
  const charset = name?.toLowerCase();
  return charset === undefined || UTF8_NAMES.has(charset) ? undefined : charset;
}

/** Undefined if the charset is unknown or the bytes do not fit it. */
function decode(body: Uint8Array, charset: string): string | undefined {
  try {
    const decoder = new TextDecoder(charset, { fatal: true });
    return decoder.encoding === 'windows-1252' ? windows1252(body) : decoder.decode(body);
  } catch {
    return undefined;
  }
}

function windows1252(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString('latin1')
    .replaceAll(/[\u0080-\u009F]/g, (char) => WINDOWS_1252[char.charCodeAt(0) - FIRST_WINDOWS_1252] ?? char);
}
