import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';

/** One scalar of a payload. */
export interface PayloadLeaf {
  readonly keys: readonly (string | number)[];
  /** `data.lineItems[].itemCode`, without positions in lists. */
  readonly name: string;
  readonly value: JsonValue;
}

/** The scalars of a payload in its order, without empty ones. */
export function leavesOf(value: JsonValue, keys: readonly (string | number)[] = []): readonly PayloadLeaf[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, [...keys, index]));
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...keys, key]));
  const name = keys
    .map((key) => (typeof key === 'number' ? '[]' : `.${key}`))
    .join('')
    .slice(1);
  return value === null || value === '' ? [] : [{ keys, name, value }];
}

/** The payload with one value changed. */
export function withLeafChanged(payload: JsonObject, { keys, value }: PayloadLeaf): JsonObject {
  const copy = structuredClone(payload);
  let at: unknown = copy;
  for (const key of keys.slice(0, -1)) at = (at as Record<string | number, unknown>)[key];
  (at as Record<string | number, unknown>)[keys.at(-1) ?? ''] = changed(value);
  return copy;
}

const DAY = 86_400_000;

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - DAY).toISOString().slice(0, 10);
}

/** Another value of the same kind, so that the mapping accepts it too. */
function changed(value: JsonValue): JsonValue {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value > 1e11 && value < 1e13 ? value - DAY : value + 1;
  if (typeof value !== 'string') return value;
  const [day] = /^\d{4}-\d\d-\d\d/.exec(value) ?? [];
  if (day !== undefined) return dayBefore(day) + value.slice(10);
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return `x${value}`;
  if (/^\d{12,13}$/.test(value)) return String(Number(value) - DAY);
  if (/\d$/.test(value)) return value.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
  if (/^[A-Z]{3}$/.test(value)) return value === 'EUR' ? 'USD' : 'EUR';
  return `${value}x`;
}
