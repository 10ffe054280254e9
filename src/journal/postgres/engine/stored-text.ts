/*
 * PostgreSQL stores every character in a text but U+0000, and a JSON body can have one in an id or
 * a name. It is stored as the mark and a digit. The mark is a code point that Unicode reserves for
 * use inside programs; where a text has one, it is doubled likewise, so that different texts stay
 * different. A half of a surrogate pair becomes U+FFFD, as everywhere in UTF-8.
 */
const MARK = '\uFDD0';

/** The stored form of a text that comes from a sender or from Adobe. */
export function storedText(text: string): string {
  if (!text.includes('\0') && !text.includes(MARK)) return text;
  return text.replaceAll(MARK, `${MARK}1`).replaceAll('\0', `${MARK}0`);
}

/** The same of a text that may be missing. */
export function storedTextOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storedText(text);
}

/** The text of a stored form. */
export function textOf(stored: string): string {
  return stored.includes(MARK) ? stored.replaceAll(`${MARK}0`, '\0').replaceAll(`${MARK}1`, MARK) : stored;
}
