/** A value as JSON.parse makes it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object: what every event, its `data` and every XDM entity is. */
export type JsonObject = { [key: string]: JsonValue };

/** True for a JSON object, false for null, arrays and scalars. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands for "nothing": null, blank texts (a currency of one space is real), empty lists and objects. */
export const isBlank = (value: unknown): boolean => {
  if (typeof value === 'string') {
    return value.trim() === '';
  }
  if (typeof value !== 'object' || value === null) {
    return value === undefined || value === null;
  }
  return Array.isArray(value) ? value.length === 0 : hasNoKeys(value);
};

const hasNoKeys = (object: object): boolean => {
  for (const key in object) {
    if (Object.hasOwn(object, key)) {
      return false;
    }
  }
  return true;
};
