import { isJsonObject, type JsonValue } from '../capillary/json.ts';

/** One place at which two JSON values differ. */
export interface ValueChange {
  /** `commerce.order.priceTotal`, `productListItems[0].SKU`; empty when the values themselves differ. */
  readonly path: string;
  /** Absent where the old value has nothing. */
  readonly old?: JsonValue;
  /** Absent where the new value has nothing. */
  readonly new?: JsonValue;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The parts of an object or a list by their paths; undefined for a single value. */
function partsOf(value: JsonValue | undefined, path: string): Map<string, JsonValue> | undefined {
  if (Array.isArray(value)) return new Map(value.map((item, index) => [`${path}[${index}]`, item] as const));
  if (!isJsonObject(value)) return undefined;
  return new Map(Object.entries(value).map(([name, inner]) => [below(path, name), inner] as const));
}

/** Where two values differ, as deep as they are alike, in the order of the old one; what only the new one has comes last. */
export function diffValues(
  old: JsonValue | undefined,
  next: JsonValue | undefined,
  path = '',
): readonly ValueChange[] {
  const before = partsOf(old, path);
  const after = partsOf(next, path);
  if (before !== undefined && after !== undefined && Array.isArray(old) === Array.isArray(next)) {
    const paths = [...new Set([...before.keys(), ...after.keys()])];
    return paths.flatMap((inner) => diffValues(before.get(inner), after.get(inner), inner));
  }
  if (before === undefined && after === undefined && old === next) return [];
  return [{ path, ...(old === undefined ? {} : { old }), ...(next === undefined ? {} : { new: next }) }];
}
