import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import { truncateUtf8 } from '../telemetry/truncate.ts';

/** The JSON object in a text; undefined if the text is not JSON or not an object. Never throws. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Limits the work on a page that may be of any size. */
const MAX_PAGE_LENGTH = 8_192;

/**
 * The text of a body that is not a JSON object, such as the page of a proxy or a gateway, without
 * its tags and at most `maxBytes` of UTF-8; empty for an empty body and for a JSON object.
 */
export function pageText(body: string, maxBytes: number): string {
  if (parseJsonObject(body) !== undefined) return '';
  const text = body
    .slice(0, MAX_PAGE_LENGTH)
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return truncateUtf8(text, maxBytes);
}
