import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { objectOf, typeOf } from './schema-merge.ts';

function isRestricted(before: JsonObject, after: JsonObject): boolean {
  const { enum: values } = after;
  if (!Array.isArray(values)) return before['pattern'] !== after['pattern'];
  const { enum: earlier } = before;
  return !Array.isArray(earlier) || !earlier.every((value) => values.includes(value));
}

/**
 * Why a change of a schema that is in use is refused: only additions are possible
 * (docs/platforms/adobe.md#schema-evolution). Undefined if it only adds.
 *
 * @param before the fields, resolved
 */
export function breakingChange(before: JsonObject, after: JsonObject, path = ''): string | undefined {
  if (typeOf(before) !== typeOf(after)) {
    return `the type of ${path || '/'} cannot change from ${typeOf(before)} to ${typeOf(after)}`;
  }
  if (isRestricted(before, after)) return `the values of ${path} cannot be restricted`;
  for (const [name, field] of Object.entries(objectOf(before['properties']))) {
    const inner = `${path}/${name}`;
    const now = objectOf(after['properties'])[name];
    if (!isJsonObject(now)) return `the field ${inner} cannot be removed`;
    const found = breakingChange(objectOf(field), now, inner);
    if (found !== undefined) return found;
  }
  if (!isJsonObject(before['items'])) return undefined;
  return breakingChange(before['items'], objectOf(after['items']), `${path}/[]`);
}
