import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { isMasked } from '../placeholder-values.ts';

/** To clients without the right to personal data (docs/platforms/capillary.md#api-access). */
const ALL_MASKED = /^\*+$/;

/** Whether a name or a contact is masked. */
export function isMaskedContact(text: string): boolean {
  return ALL_MASKED.test(text) || isMasked(text);
}

function unmasked(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'string') return ALL_MASKED.test(value.trim()) ? undefined : value;
  if (Array.isArray(value)) return value.flatMap((item) => unmasked(item) ?? []);
  return isJsonObject(value) ? unmaskedFields(value) : value;
}

/** Custom and extended fields without those that are masked; undefined if none is left. */
export function unmaskedFields(fields: JsonObject | undefined): JsonObject | undefined {
  const entries = Object.entries(fields ?? {}).flatMap(([name, value]) => {
    const shown = unmasked(value);
    return shown === undefined || shown === null ? [] : [[name, shown] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
