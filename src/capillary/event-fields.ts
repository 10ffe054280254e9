import { parseJsonText } from './json-text.ts';
import { isBlank, isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { splitEventType } from './unwrap.ts';

/** A field's value, or what is wrong with it; `problem` holds no content. */
export type Field<T> = { readonly value: T } | { readonly problem: string };

/** The name without spaces around it: 1–200 characters, none of them a control character. */
export function eventNameOf(event: JsonObject): Field<string> {
  const name = event['eventName'];
  const value = typeof name === 'string' ? name.trim() : '';
  if (value === '') {
    return { problem: 'there is no eventName' };
  }
  if (value.length > 200) {
    return { problem: 'eventName is longer than 200 characters' };
  }
  return /\p{Cc}/u.test(value) ? { problem: 'eventName holds control characters' } : { value };
}

/**
 * The organisation. Where it did not come, its number in front of `refId` or of the wrapper's `eventType` is taken
 * (reference: capillary.md §2.1–2.2), then the only one the source has.
 */
export function orgIdOf(event: JsonObject, orgIds: readonly number[]): Field<number> {
  const own = event['orgId'];
  const [only] = orgIds.length === 1 ? orgIds : [];
  const value = isBlank(own) ? (prefixOf(event) ?? only) : wholeNumber(own);
  if (value !== undefined) {
    return { value };
  }
  return { problem: isBlank(own) ? 'there is no orgId' : 'orgId is not a whole number' };
}

/** The event's content; `{}` for anything that is no object. Some senders encode it once more, as a text. */
export function dataOf(event: JsonObject): JsonObject {
  const data = event['data'];
  if (typeof data !== 'string') {
    return isJsonObject(data) ? data : {};
  }
  const parsed = parseJsonText(data);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
}

function prefixOf(event: JsonObject): number | undefined {
  const refId = event['refId'];
  const [, prefix] = typeof refId === 'string' ? (/^\s*(\d+)_./s.exec(refId) ?? []) : [];
  return wholeNumber(prefix) ?? wholeNumber(splitEventType(event['eventType']).orgId);
}

/** `100458`, `100458.0` and `"100458"` are the same number. */
function wholeNumber(value: JsonValue | undefined): number | undefined {
  const isDigits = typeof value === 'string' && /^\s*\d+(\.0+)?\s*$/.test(value);
  const number = isDigits ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
