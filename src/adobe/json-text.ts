import { isJsonObject, type JsonObject } from '../capillary/json.ts';

/** The object that a JSON text holds; undefined when it is not JSON or not an object. Never throws. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
