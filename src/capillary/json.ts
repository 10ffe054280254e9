/** A value as JSON.parse makes it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object: what every event, its `data` and every XDM entity is. */
export type JsonObject = { [key: string]: JsonValue };

/** True for a JSON object, false for null, arrays and scalars. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
