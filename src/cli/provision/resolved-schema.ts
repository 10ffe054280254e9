import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';

/**
 * A resource of the schema registry in the form `xed-full`: references resolved, names as on the
 * wire (docs/platforms/adobe.md#reading-schemas). Parts that the registry leaves in `allOf`, or
 * behind a reference inside the document, are found too.
 */
export interface ResolvedSchema {
  readonly body: JsonObject;
}

/** A part of a schema: an object, a list or a scalar. */
export type SchemaNode = JsonObject;

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function targetOf(ref: JsonValue | undefined, { body }: ResolvedSchema): SchemaNode | undefined {
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return undefined;
  let node: JsonValue | undefined = body;
  for (const key of ref.slice(2).split('/')) node = isJsonObject(node) ? node[key] : undefined;
  return isJsonObject(node) ? node : undefined;
}

/** The node itself, then what it is composed of. A schema that refers to itself ends the search. */
function* partsOf(
  node: SchemaNode,
  schema: ResolvedSchema,
  seen = new Set<SchemaNode>(),
): Generator<SchemaNode> {
  if (seen.has(node)) return;
  seen.add(node);
  yield node;
  for (const part of asList(node['allOf'])) if (isJsonObject(part)) yield* partsOf(part, schema, seen);
  const target = targetOf(node['$ref'], schema);
  if (target !== undefined) yield* partsOf(target, schema, seen);
}

function findPart<T>(
  node: SchemaNode,
  schema: ResolvedSchema,
  read: (part: SchemaNode) => T | undefined,
): T | undefined {
  for (const part of partsOf(node, schema)) {
    const found = read(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The field of an object; undefined if the schema does not have it. */
export function fieldOf(node: SchemaNode, name: string, schema: ResolvedSchema): SchemaNode | undefined {
  // Two field groups can both bring an object of one name: its fields are in several parts.
  const found = [...partsOf(node, schema)].flatMap(({ properties }) => {
    const field = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return isJsonObject(field) ? [field] : [];
  });
  return found.length > 1 ? { allOf: found } : found[0];
}

/** The schema of a list's items. */
export function itemsOf(node: SchemaNode, schema: ResolvedSchema): SchemaNode | undefined {
  return findPart(node, schema, ({ items }) => (isJsonObject(items) ? items : undefined));
}

/** The schema of the values of an object whose keys are data. */
export function valuesOf(node: SchemaNode, schema: ResolvedSchema): SchemaNode | undefined {
  return findPart(node, schema, ({ additionalProperties }) =>
    isJsonObject(additionalProperties) ? additionalProperties : undefined,
  );
}

/** A keyword with a text as value, such as `type`, `format` or `title`. */
export function textIn(
  node: SchemaNode,
  keyword: 'type' | 'format' | 'title' | 'pattern',
  schema: ResolvedSchema,
): string | undefined {
  return findPart(node, schema, (part) => {
    const value = part[keyword];
    return typeof value === 'string' ? value : undefined;
  });
}

/** The values of a closed list; `meta:enum` only suggests values. */
export function enumOf(node: SchemaNode, schema: ResolvedSchema): readonly JsonValue[] | undefined {
  return findPart(node, schema, (part) => (Array.isArray(part['enum']) ? part['enum'] : undefined));
}

/** The names of the fields without which the registry refuses an object. */
export function requiredOf(node: SchemaNode, schema: ResolvedSchema): readonly string[] {
  const names = [...partsOf(node, schema)].flatMap((part) => asList(part['required']));
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}
