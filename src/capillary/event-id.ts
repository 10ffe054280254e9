import { hash } from 'node:crypto';
import { idText } from './identifiers.ts';
import type { JsonValue } from './json.ts';

/** Words that senders print for "no id", without spaces and brackets. */
const EMPTY_WORDS: ReadonlySet<string> = new Set([
  'null',
  'undefined',
  'none',
  'nil',
  'nan',
  'na',
  'n/a',
  'n.a.',
  'empty',
  'unknown',
  'eventid',
  'loyaltyeventid',
  '-1',
]);

/** Characters of an id up to which it is stored and shown as it is. */
const MAX_ID_CHARS = 200;
/** Characters of a longer id that are shown before its hash. */
const SHOWN_CHARS = 120;

/** Most ids: plain characters, among them a digit; so no word, no template and not all zeros. */
const PLAIN = /^[\w.:@/-]*[1-9][\w.:@/-]*$/;
/** Only zeros and punctuation: `0`, `-`, `--`, the GUID of zeros. */
const NO_DIGITS = /^[0\s._-]*$/;
/** The other GUID that stands for none (RFC 9562, Max UUID). */
const MAX_GUID = /^f{8}-?(?:f{4}-?){3}f{12}$/;
/**
 * A placeholder that a gateway did not fill in: `{{eventId}}`, `${eventId}`, `#{eventId}`,
 * `%eventId%`, `<%= eventId %>`, `<eventId>`.
 */
const TEMPLATE = /[{$#%]\{|^%[^%]+%$|<%|^<[^<>]+>$/;
/** An object that was printed as text: `[object Object]`. */
const PRINTED_OBJECT = /^\[object \w+\]$/;

/**
 * The id of an event as text, or undefined if there is none or one that different events share
 * because it only stands for "no id" (docs/platforms/capillary.md#event-id).
 */
export function eventIdText(value: JsonValue | undefined): string | undefined {
  const id = idText(value);
  return id !== undefined && isUsableId(id) ? id : undefined;
}

/**
 * An id as it is stored, sent and shown: unchanged up to 200 characters, else its beginning and the
 * SHA-256 of all of it, which together are shorter than that. So ids that begin alike stay
 * different, and the short form of a short form is itself. The identity of an event is computed
 * from the whole id.
 */
export function shortId(id: string): string {
  return id.length <= MAX_ID_CHARS
    ? id
    : `${id.slice(0, SHOWN_CHARS).toWellFormed()}...sha256:${hash('sha256', id)}`;
}

/** False for the text of an id that only stands for "none"; also of other things than events. */
export function isUsableId(id: string): boolean {
  return (PLAIN.test(id) && id !== '-1') || !isUnusable(id.toLowerCase());
}

function isUnusable(id: string): boolean {
  const word = id.replaceAll(/[\s(){}"']/g, '');
  return (
    EMPTY_WORDS.has(word) ||
    NO_DIGITS.test(word) ||
    MAX_GUID.test(word) ||
    TEMPLATE.test(id) ||
    PRINTED_OBJECT.test(id)
  );
}
