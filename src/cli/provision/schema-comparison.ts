import {
  isListShape,
  isMapShape,
  isObjectShape,
  ITEM,
  type Leaf,
  type ObjectShape,
  type Shape,
} from '../../xdm/shape.ts';
import {
  enumOf,
  fieldOf,
  itemsOf,
  requiredOf,
  type ResolvedSchema,
  type SchemaNode,
  textIn,
  valuesOf,
} from './resolved-schema.ts';

/** Where a schema does not accept what the relay writes. */
export interface SchemaFault {
  /** `missing`: the schema has no such field. `required`: it demands one that may be absent. */
  readonly kind: 'missing' | 'type' | 'required';
  /** Dotted; `[]` is the item of a list, `*` the value of a map. */
  readonly path: string;
  /** Of `type`: what the relay writes and what the schema accepts. */
  readonly expected?: string;
  readonly found?: string;
}

/** In a path: any value of a map. */
const VALUE = '*';

function join(path: string, name: string): string {
  if (path === '') return name;
  return name === ITEM ? `${path}${ITEM}` : `${path}.${name}`;
}

/** A type as people write it: `string (date-time)`. */
function leafText(leaf: Leaf): string {
  if (typeof leaf === 'object') return 'oneOf' in leaf ? `one of ${leaf.oneOf.join(', ')}` : 'string';
  const isScalar = leaf === 'string' || leaf === 'number' || leaf === 'integer' || leaf === 'boolean';
  return isScalar ? leaf : `string (${leaf})`;
}

function nodeText(node: SchemaNode, schema: ResolvedSchema): string {
  const type = textIn(node, 'type', schema) ?? 'no type';
  const format = textIn(node, 'format', schema);
  const values = enumOf(node, schema);
  if (values !== undefined) return `one of ${values.map(String).join(', ')}`;
  return format === undefined ? type : `${type} (${format})`;
}

/** A format that accepts every value of another one. */
const WIDER_FORMATS: Readonly<Record<string, readonly string[]>> = {
  'uri-reference': ['uri', 'iri-reference'],
  email: ['idn-email'],
};

/** Formats that limit a text; the registry's others say how large a number can be. */
const TEXT_FORMATS = new Set(['date-time', 'date', 'time', 'email', 'uri', 'uri-reference', 'ipv4', 'ipv6']);

function textFits(leaf: Leaf, node: SchemaNode, schema: ResolvedSchema): boolean {
  const values = enumOf(node, schema);
  const format = textIn(node, 'format', schema);
  const own = typeof leaf === 'string' && leaf !== 'string' ? leaf : undefined;
  if (values !== undefined)
    return typeof leaf === 'object' && 'oneOf' in leaf && leaf.oneOf.every((value) => values.includes(value));
  if (format === undefined || !TEXT_FORMATS.has(format)) return true;
  return format === own || (own !== undefined && (WIDER_FORMATS[own]?.includes(format) ?? false));
}

function leafFits(leaf: Leaf, node: SchemaNode, schema: ResolvedSchema): boolean {
  const type = textIn(node, 'type', schema);
  if (leaf === 'number' || leaf === 'boolean') return type === leaf;
  // Every integer is a number.
  if (leaf === 'integer') return type === 'integer' || type === 'number';
  return type === 'string' && textFits(leaf, node, schema);
}

/**
 * Compares what the relay writes with what a schema accepts. An absent object is one fault, not one
 * for each of its fields.
 */
export function compareShape(
  shape: Shape,
  node: SchemaNode | undefined,
  schema: ResolvedSchema,
  path = '',
): SchemaFault[] {
  if (node === undefined) return [{ kind: 'missing', path }];
  const type = textIn(node, 'type', schema);
  const mismatch = (expected: string): SchemaFault[] => [
    { kind: 'type', path, expected, found: nodeText(node, schema) },
  ];
  if (isListShape(shape)) {
    if (type !== 'array') return mismatch('array');
    return compareShape(shape.items, itemsOf(node, schema), schema, join(path, ITEM));
  }
  if (isMapShape(shape)) {
    if (type !== 'object') return mismatch('object');
    return compareShape(shape.values, valuesOf(node, schema), schema, join(path, VALUE));
  }
  if (isObjectShape(shape)) {
    // The registry gives composed objects no type of their own.
    return type === 'object' || type === undefined
      ? compareObject(shape, node, schema, path)
      : mismatch('object');
  }
  return leafFits(shape, node, schema) ? [] : mismatch(leafText(shape));
}

function compareObject(
  shape: ObjectShape,
  node: SchemaNode,
  schema: ResolvedSchema,
  path: string,
): SchemaFault[] {
  const faults = Object.entries(shape.fields).flatMap(([name, inner]) =>
    compareShape(inner, fieldOf(node, name, schema), schema, join(path, name)),
  );
  const demanded = requiredOf(node, schema).filter((name) => !shape.required.includes(name));
  return [...faults, ...demanded.map((name): SchemaFault => ({ kind: 'required', path: join(path, name) }))];
}

/** The part of a schema at a dotted path, with `[]` behind a list whose items are meant. */
export function nodeAt(schema: ResolvedSchema, path: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema.body;
  for (const name of path.split('.')) {
    if (node === undefined) return undefined;
    const isItem = name.endsWith(ITEM);
    const field = fieldOf(node, isItem ? name.slice(0, -ITEM.length) : name, schema);
    node = isItem && field !== undefined ? itemsOf(field, schema) : field;
  }
  return node;
}
