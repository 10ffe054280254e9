import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { Leaf } from '../../../xdm/shape.ts';
import type { AcceptedField, AcceptedObject } from '../unwritten-fields.ts';

/** `meta:xdmType` of the leaves whose type in JSON Schema says less. */
const XDM_TYPES: Readonly<Record<string, string>> = {
  integer: 'int',
  'date-time': 'date-time',
  date: 'date',
};

function leafSchema(leaf: Leaf): JsonObject {
  if (typeof leaf === 'object') {
    const text = { type: 'string', 'meta:xdmType': 'string' };
    return 'oneOf' in leaf ? { ...text, enum: [...leaf.oneOf] } : { ...text, pattern: leaf.matching.source };
  }
  const isPlain = ['string', 'number', 'integer', 'boolean'].includes(leaf);
  return {
    ...(isPlain ? { type: leaf } : { type: 'string', format: leaf }),
    'meta:xdmType': XDM_TYPES[leaf] ?? (isPlain ? leaf : 'string'),
  };
}

/**
 * A field as the schema registry describes it. What we do not describe in detail has no `type`, so
 * that it accepts anything on the way back.
 */
export function fieldSchema(field: AcceptedField): JsonObject {
  if (field === 'anything') return { 'meta:xdmType': 'object' };
  if (typeof field === 'string') return leafSchema(field);
  if ('items' in field) return { type: 'array', items: fieldSchema(field.items), 'meta:xdmType': 'array' };
  if ('values' in field) {
    const values = fieldSchema(field.values);
    return { type: 'object', additionalProperties: values, 'meta:xdmType': 'map' };
  }
  return 'fields' in field ? objectSchema(field) : leafSchema(field);
}

export function objectSchema({ fields, required }: AcceptedObject): JsonObject {
  const properties = Object.entries(fields).map(([name, field]) => [name, fieldSchema(field)] as const);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required: [...required] } : {}),
    'meta:xdmType': 'object',
  };
}

function regExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'su');
  } catch {
    return new RegExp(pattern, 's');
  }
}

const FORMATS: readonly Leaf[] = ['date-time', 'date', 'email', 'uri-reference'];

function acceptedText({ enum: values, pattern, format }: JsonObject): AcceptedField {
  if (Array.isArray(values)) return { oneOf: values.map(String) };
  if (typeof pattern === 'string') return { matching: regExp(pattern) };
  return FORMATS.find((leaf) => leaf === format) ?? 'string';
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** What a field of a resolved schema accepts: an object has the given properties and no others. */
export function acceptedField(schema: JsonObject): AcceptedField {
  const { type, properties, items, additionalProperties, required } = schema;
  if (isJsonObject(properties)) {
    const fields = Object.entries(properties).map(
      ([name, inner]) => [name, acceptedField(isJsonObject(inner) ? inner : {})] as const,
    );
    return { fields: Object.fromEntries(fields), required: textsOf(required) };
  }
  if (isJsonObject(additionalProperties)) return { values: acceptedField(additionalProperties) };
  if (isJsonObject(items)) return { items: acceptedField(items) };
  if (type === 'number' || type === 'integer' || type === 'boolean') return type;
  return type === 'string' ? acceptedText(schema) : 'anything';
}

export function acceptedObject(schema: JsonObject): AcceptedObject {
  const field = acceptedField(schema);
  return typeof field === 'object' && 'fields' in field ? field : { fields: {}, required: [] };
}
