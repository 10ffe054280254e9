/** A value as JSON.parse makes it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object: what every event, its `data` and every XDM entity is. */
export type JsonObject = { [key: string]: JsonValue };

/** True for a JSON object, false for null, arrays and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for what is not there, for null, and for a text of nothing but spaces (a currency of one space is real). */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** True for what stands for "nothing", in an event and to AEP: what is blank, and empty lists and objects. */
export function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return isBlank(value);
  }
  return Array.isArray(value) ? value.length === 0 : hasNoKeys(value);
}

function hasNoKeys(object: object): boolean {
  for (const key in object) {
    if (Object.hasOwn(object, key)) {
      return false;
    }
  }
  return true;
}
