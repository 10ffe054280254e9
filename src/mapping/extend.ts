import { isJsonObject, type JsonObject } from '../capillary/json.ts';

/**
 * A record extended by another: objects are merged field by field, every other value replaces, and null takes
 * the field away.
 */
export function extend(base: JsonObject, patch: JsonObject): JsonObject {
  const fields = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(patch)) {
    const before = fields.get(name);
    if (value === null) {
      fields.delete(name);
    } else {
      fields.set(name, isJsonObject(value) && isJsonObject(before) ? extend(before, value) : value);
    }
  }
  return Object.fromEntries(fields);
}
