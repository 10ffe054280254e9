import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';

/** A code of Capillary with its text; the code is empty if there is none. */
export interface ApiMessage {
  readonly code: string;
  readonly text: string;
}

/** What an answer reports, whatever its status. */
export interface ApiMessages {
  readonly errors: readonly ApiMessage[];
  readonly warnings: readonly ApiMessage[];
}

const NOTHING: ApiMessages = { errors: [], warnings: [] };

function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' ? String(value) : '';
}

function messageOf(value: JsonValue): ApiMessage[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [{ code: '', text: value.trim() }];
  if (!isJsonObject(value)) return [];
  const code = textOf(value['code']);
  const text = textOf(value['message']);
  return code === '' && text === '' ? [] : [{ code, text }];
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** v2 and v3: `errors` and `warnings` beside the data, null or empty if there are none. */
function fromLists(document: JsonObject): ApiMessages {
  return {
    errors: listOf(document['errors']).flatMap(messageOf),
    warnings: listOf(document['warnings']).flatMap(messageOf),
  };
}

/** v1.1 writes booleans as text. */
function isFailed({ success }: JsonObject): boolean {
  return success === false || (typeof success === 'string' && success.toLowerCase() === 'false');
}

/** Answers of v1.1 have their items below the plural and the singular of their kind. */
const MAX_DEPTH = 6;

function itemStatuses(value: JsonValue, depth = 0): JsonObject[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((item) => itemStatuses(item, depth + 1));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'item_status' && isJsonObject(inner) ? [inner] : itemStatuses(inner, depth + 1),
  );
}

/** v1.1: a status of the whole and one of each item, which says more. */
function fromStatuses(response: JsonObject): ApiMessages {
  const whole = isJsonObject(response['status']) ? response['status'] : {};
  const items = itemStatuses(response);
  const failed = [...items, whole].filter(isFailed);
  const warnings = items.flatMap(({ warnings: inner }) =>
    isJsonObject(inner) ? listOf(inner['warning']) : listOf(inner),
  );
  return { errors: failed.flatMap(messageOf), warnings: warnings.flatMap(messageOf) };
}

function tagOf(xml: string, name: string): string {
  return (new RegExp(`<${name}>([^<]*)</${name}>`, 'i').exec(xml)?.[1] ?? '').trim();
}

/** A 401 of v2 can be XML although the caller asked for JSON. */
function fromXml(body: string): ApiMessages {
  if (!/^\s*</.test(body) || tagOf(body, 'success') === '') return NOTHING;
  const message = { code: tagOf(body, 'code'), text: tagOf(body, 'message') };
  return { errors: message.code === '' && message.text === '' ? [] : [message], warnings: [] };
}

/**
 * Errors and warnings of an answer in any of Capillary's four forms. An answer with HTTP 200 can
 * have errors too, and some answers have none of the forms.
 * Source: docs/platforms/capillary.md#api-errors
 */
export function readMessages(body: string): ApiMessages {
  try {
    const document = JSON.parse(body) as JsonValue;
    if (!isJsonObject(document)) return NOTHING;
    const lists = fromLists(document);
    const inner = isJsonObject(document['response']) ? fromStatuses(document['response']) : NOTHING;
    return {
      errors: [...lists.errors, ...inner.errors],
      warnings: [...lists.warnings, ...inner.warnings],
    };
  } catch {
    return fromXml(body);
  }
}
