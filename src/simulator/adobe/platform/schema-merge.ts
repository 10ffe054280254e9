import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';

/** Two parts of a schema define one path with different types. */
export class SchemaConflictError extends Error {
  override name = 'SchemaConflictError';
  /** Such as `/person/name`. */
  readonly path: string;
  readonly types: readonly [string, string];

  constructor(path: string, types: readonly [string, string]) {
    super(`the path ${path} has two types: ${types.join(', ')}`);
    this.path = path;
    this.types = types;
  }
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** What a field is, for comparison: its type with its format. */
export function typeOf({ type, format }: JsonObject): string {
  const name = typeof type === 'string' ? type : 'object';
  return typeof format === 'string' ? `${name} (${format})` : name;
}

export function requiredOf({ required }: JsonObject): readonly string[] {
  return Array.isArray(required) ? required.map(String) : [];
}

/**
 * The fields of both.
 *
 * @throws SchemaConflictError if they give one path different types
 */
export function mergeSchemas(first: JsonObject, second: JsonObject, path = ''): JsonObject {
  const types = [typeOf(first), typeOf(second)] as const;
  if (types[0] !== types[1]) throw new SchemaConflictError(path, types);
  const merged: JsonObject = { ...second, ...first };
  const required = [...new Set([...requiredOf(first), ...requiredOf(second)])];
  if (required.length > 0) merged['required'] = required;
  if (isJsonObject(first['properties']) || isJsonObject(second['properties'])) {
    const properties = { ...objectOf(first['properties']) };
    for (const [name, field] of Object.entries(objectOf(second['properties']))) {
      const known = properties[name];
      properties[name] = isJsonObject(known)
        ? mergeSchemas(known, objectOf(field), `${path}/${name}`)
        : field;
    }
    merged['properties'] = properties;
  }
  if (isJsonObject(first['items']) && isJsonObject(second['items'])) {
    merged['items'] = mergeSchemas(first['items'], second['items'], path);
  }
  return merged;
}

const EMPTY: JsonObject = { type: 'object', properties: {} };

/** The keys of a resource that describe its fields. */
const FIELD_KEYS = ['type', 'properties', 'required', 'items', 'additionalProperties'];

/** What a pointer such as `/definitions/customFields` names; an empty object if nothing. */
export function pointed(root: JsonObject, pointer: string): JsonObject {
  return pointer
    .split('/')
    .filter((part) => part !== '')
    .reduce<JsonObject>((current, part) => objectOf(current[part]), root);
}

/**
 * A resource as posted, with its references to its own definitions and its `allOf` resolved.
 * References to other resources are left to the caller. No reference may lead to itself.
 *
 * @throws SchemaConflictError
 */
export function resolveOwn(part: JsonObject, root: JsonObject = part): JsonObject {
  const { $ref, allOf, definitions: _definitions, ...own } = part;
  const properties = Object.entries(objectOf(own['properties'])).map(
    ([name, field]) => [name, resolveOwn(objectOf(field), root)] as const,
  );
  let resolved: JsonObject = own;
  if (isJsonObject(own['properties'])) {
    resolved = { ...own, type: 'object', properties: Object.fromEntries(properties) };
  }
  for (const key of ['items', 'additionalProperties']) {
    const inner = own[key];
    if (isJsonObject(inner)) resolved = { ...resolved, [key]: resolveOwn(inner, root) };
  }
  if (typeof $ref === 'string' && $ref.startsWith('#')) {
    const target = resolveOwn(pointed(root, $ref.slice(1)), root);
    const { type = target['type'] ?? 'object' } = resolved;
    resolved = mergeSchemas({ ...resolved, type }, target);
  }
  for (const inner of Array.isArray(allOf) ? allOf : []) {
    resolved = mergeSchemas({ ...EMPTY, ...resolved }, { ...EMPTY, ...resolveOwn(objectOf(inner), root) });
  }
  return resolved;
}

/** Only what describes the fields of a resolved resource. */
export function fieldsOnly(resolved: JsonObject): JsonObject {
  const kept = Object.entries(resolved).filter(([key]) => FIELD_KEYS.includes(key));
  return { ...EMPTY, ...Object.fromEntries(kept) };
}

/** The `$ref`s of a resource to other resources, in order. */
export function referencesOf({ allOf }: JsonObject): readonly string[] {
  return (Array.isArray(allOf) ? allOf : [])
    .map((part) => objectOf(part)['$ref'])
    .filter((ref) => typeof ref === 'string')
    .filter((ref) => !ref.startsWith('#'));
}
