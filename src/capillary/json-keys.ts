import { isBlank, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** True for a key that `trimKeys` does not take as it is. */
export function isOddKey(key: string): boolean {
  return key === '__proto__' || key.trim() !== key;
}

/**
 * A copy with stray spaces around keys removed at every level. When two keys become one, the one that was written without spaces
 * has precedence and a blank value loses against any other. `__proto__` is left out: it is no field of any event, and an
 * assignment to it further down would change an object's prototype. The depth of `value` must be bounded.
 */
export function trimKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(trimKeys);
  }
  return isJsonObject(value) ? trimObject(value) : value;
}

function trimObject(object: JsonObject): JsonObject {
  const trimmed: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const name = key.trim();
    if (name !== '__proto__' && isBetter(trimmed, name, value, name === key)) {
      trimmed[name] = trimKeys(value);
    }
  }
  return trimmed;
}

function isBetter(trimmed: JsonObject, name: string, value: JsonValue, isExact: boolean): boolean {
  if (!Object.hasOwn(trimmed, name)) {
    return true;
  }
  return !isBlank(value) && (isExact || isBlank(trimmed[name]));
}
