import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PatchOperation } from '../../adobe/platform/typed-answer.ts';

/** What a field group lacks, and what it has with another type. */
export interface FieldAdditions {
  readonly missing: readonly { readonly path: string; readonly operation: PatchOperation }[];
  /** A type is permanent (docs/platforms/adobe.md#tenant-fields). */
  readonly conflicts: readonly string[];
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function objectIn(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The node of a field and the one that the field group has in its place. */
interface Pair {
  readonly expected: JsonObject;
  readonly actual: JsonObject;
  /** JSON pointer of both. */
  readonly pointer: string;
  /** For people. */
  readonly path: string;
}

function typeText({ type, format }: JsonObject): string {
  return [type, format].filter((part) => typeof part === 'string').join(' ');
}

function typeConflict({ expected, actual, path }: Pair): string[] {
  return actual['type'] === undefined || actual['type'] === expected['type']
    ? []
    : [`${path} is ${typeText(actual)}, not ${typeText(expected)}`];
}

function compareNode(pair: Pair): FieldAdditions {
  const conflicts = typeConflict(pair);
  if (conflicts.length > 0) return { missing: [], conflicts };
  const { expected, actual, pointer, path } = pair;
  if (isJsonObject(expected['items']))
    return compareNode({
      expected: expected['items'],
      actual: objectIn(actual['items']),
      pointer: `${pointer}/items`,
      path: `${path}[]`,
    });
  const fields = objectIn(expected['properties']);
  const existing = objectIn(actual['properties']);
  const parts = Object.entries(fields).map(([name, field]): FieldAdditions => {
    const at = {
      pointer: `${pointer}/properties/${pointerPart(name)}`,
      path: path === '' ? name : `${path}.${name}`,
    };
    const current = existing[name];
    if (isJsonObject(current)) return compareNode({ expected: objectIn(field), actual: current, ...at });
    const operation = { op: 'add', path: at.pointer, value: field } as const;
    return { missing: [{ path: at.path, operation }], conflicts: [] };
  });
  return {
    missing: parts.flatMap(({ missing }) => missing),
    conflicts: parts.flatMap((part) => part.conflicts),
  };
}

function fieldsOf(body: JsonObject): JsonObject {
  return objectIn(objectIn(body['definitions'])['customFields']);
}

/**
 * Compares the body of a field group with that in the registry. Fields that only the registry has
 * are left alone.
 */
export function fieldAdditions(expected: JsonObject, actual: JsonObject): FieldAdditions {
  const pointer = '/definitions/customFields';
  return compareNode({ expected: fieldsOf(expected), actual: fieldsOf(actual), pointer, path: '' });
}
