import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { mappingsOf, type SetMapping } from './mapping-set-routes.ts';

/** `data.items[0].sku` → `data`, `items`, `0`, `sku`. */
function segmentsOf(path: string): string[] {
  return path.split(/[.[\]]+/).filter((segment) => segment !== '');
}

function valueAt(value: JsonValue | undefined, [segment, ...rest]: readonly string[]): JsonValue | undefined {
  if (segment === undefined) return value;
  if (Array.isArray(value)) return valueAt(value[Number(segment)], rest);
  return isJsonObject(value) ? valueAt(value[segment], rest) : undefined;
}

/** A copy with a value at a path of objects. */
function withValue(target: JsonObject, [segment, ...rest]: readonly string[], value: JsonValue): JsonObject {
  if (segment === undefined) return target;
  if (rest.length === 0) return { ...target, [segment]: value };
  const inner = target[segment];
  return { ...target, [segment]: withValue(isJsonObject(inner) ? inner : {}, rest, value) };
}

/** An expression is only understood if it is a path; a text in quotation marks is a constant. */
function sourceValue({ source, sourceType }: SetMapping, payload: JsonObject): JsonValue | undefined {
  if (sourceType === 'STATIC') return source;
  const [, , constant] = /^(["'])(.*)\1$/.exec(source) ?? [];
  if (constant !== undefined) return constant;
  return /^[\w$.[\]-]+$/.test(source) ? valueAt(payload, segmentsOf(source)) : undefined;
}

/**
 * The record that a mapping set makes of a payload. Source fields that it does not name are ignored
 * (docs/platforms/adobe.md#raw-envelope), and so are functions in expressions.
 */
export function mappedRecord(payload: JsonObject, set: JsonObject): JsonObject {
  let record: JsonObject = {};
  for (const mapping of mappingsOf(set)) {
    const value = sourceValue(mapping, payload);
    if (value !== undefined) record = withValue(record, segmentsOf(mapping.destination), value);
  }
  return record;
}
