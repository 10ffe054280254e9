import { Ajv } from 'ajv/dist/ajv.js';
import * as fc from 'fast-check';
import type { JsonObject } from '../../src/capillary/json.ts';
import type { AcceptedField, AcceptedObject } from '../../src/simulator/adobe/unwritten-fields.ts';
import type { Leaf } from '../../src/xdm/shape.ts';
import { asObject, type ClosedSchema } from './xdm-files.ts';

const TYPES: readonly unknown[] = ['string', 'number', 'integer', 'boolean'];
const CONSTRAINTS = ['enum', 'const', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'];

/** Lists where our shape allows more than Adobe's schema. */
export function xdmDifferences(
  field: AcceptedField,
  schema: ClosedSchema | undefined,
  path = '',
): readonly string[] {
  if (schema === undefined) {
    return [`${path} is not in Adobe's schema`];
  }
  if (field === 'anything') {
    return [];
  }
  if (typeof field === 'string' || 'oneOf' in field || 'matching' in field) {
    return leafDifferences(field, schema, path);
  }
  if ('items' in field) {
    return schema['type'] === 'array'
      ? xdmDifferences(field.items, asObject(schema['items']), `${path}[]`)
      : [`${path} is not an array`];
  }
  if ('values' in field) {
    return typeof schema['additionalProperties'] === 'object'
      ? xdmDifferences(field.values, asObject(schema['additionalProperties']), `${path}{}`)
      : [`${path} is not a map`];
  }
  return objectDifferences(field, schema, path);
}

function objectDifferences(field: AcceptedObject, schema: ClosedSchema, path: string): readonly string[] {
  const properties = asObject(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const missing = required.filter((name) => path !== '' && !field.required.includes(name as string));
  return [
    ...missing.map((name) => `${path} requires ${JSON.stringify(name)}`),
    ...Object.entries(field.fields).flatMap(([name, inner]) =>
      xdmDifferences(inner, properties[name] as ClosedSchema | undefined, `${path}.${name}`),
    ),
  ];
}

function leafDifferences(leaf: Leaf, schema: JsonObject, path: string): readonly string[] {
  if (typeof leaf === 'object') {
    if ('oneOf' in leaf) {
      return JSON.stringify(leaf.oneOf) === JSON.stringify(schema['enum'])
        ? []
        : [`${path} has a different enum`];
    }
    return matchesPattern(leaf.matching, schema) ? [] : [`${path} allows strings that Adobe refuses`];
  }
  const found = TYPES.includes(leaf) ? schema['type'] : schema['format'];
  const isUnconstrained = CONSTRAINTS.every((keyword) => schema[keyword] === undefined);
  return found === leaf && isUnconstrained ? [] : [`${path} is ${JSON.stringify(schema)}, not ${leaf}`];
}

/**
 * Whether Adobe's schema accepts random strings of our pattern, and our pattern rejects strings
 * that are too long.
 */
function matchesPattern(pattern: RegExp, schema: JsonObject): boolean {
  const validate = new Ajv().compile({ type: 'string', ...schema });
  const { maxLength } = schema;
  return (
    fc.sample(fc.stringMatching(new RegExp(pattern.source)), 200).every((text) => validate(text)) &&
    !(typeof maxLength === 'number' && pattern.test('x'.repeat(maxLength + 1)))
  );
}
