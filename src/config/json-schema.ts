import { z } from 'zod';
import type { Path } from './config-error.ts';
import { configSchema } from './config-schema.ts';

/** The part of JSON Schema that the configuration uses. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

let plain: JsonSchema | undefined;

/** The configuration as JSON Schema, without placeholders. Draft 7 is what most editors support. */
export function plainJsonSchema(): JsonSchema {
  plain ??= z.toJSONSchema(configSchema, { io: 'input', target: 'draft-07' }) as JsonSchema;
  return plain;
}

const PLACEHOLDER = { $ref: '#/definitions/placeholder' };

/**
 * True if the schema does not accept every string, so that a placeholder must be allowed
 * explicitly.
 */
function isRestricted({ type, pattern, enum: values, minimum }: JsonSchema): boolean {
  return (
    type === 'boolean' ||
    type === 'integer' ||
    pattern !== undefined ||
    values !== undefined ||
    minimum !== undefined
  );
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Allows a placeholder for every value. */
function withPlaceholders(schema: JsonSchema): JsonSchema {
  const { description, default: fallback, anyOf, ...rest } = schema;
  const notes = {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  if (anyOf !== undefined) return { ...notes, ...rest, anyOf: [...anyOf, PLACEHOLDER] };
  if (isRestricted(schema)) return { ...notes, anyOf: [rest, PLACEHOLDER] };
  return {
    ...schema,
    ...(schema.properties && { properties: mapValues(schema.properties, withPlaceholders) }),
    ...(typeof schema.additionalProperties === 'object' && {
      additionalProperties: withPlaceholders(schema.additionalProperties),
    }),
    ...(schema.items && { items: withPlaceholders(schema.items) }),
    ...(schema.oneOf && { oneOf: schema.oneOf.map(withPlaceholders) }),
  };
}

/** The JSON Schema for editors (docs/config.schema.json). */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = withPlaceholders(plainJsonSchema());
  return {
    $schema,
    title: 'Configuration of capillary-aep-relay',
    ...schema,
    definitions: {
      placeholder: {
        description: 'A string that contains ${NAME}, ${NAME:-default} or ${file:/path}.',
        type: 'string',
        pattern: '\\$\\{[^}]+\\}',
      },
    },
  };
}

function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string | number, unknown>>)[key]
    : undefined;
}

/** The value at the path; undefined if there is none. */
export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce(childOf, tree);
}

/** The alternative that has the `type` of the value. */
function chooseAlternative(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  return schema?.oneOf === undefined
    ? schema
    : schema.oneOf.find((option) => option.properties?.['type']?.const === childOf(value, 'type'));
}

function fieldBelow(schema: JsonSchema | undefined, key: string | number): JsonSchema | undefined {
  if (typeof key === 'number') return schema?.items;
  const { properties, additionalProperties } = schema ?? {};
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** The schema of the key at the path, of the alternative that the value has chosen. */
export function fieldAt(tree: unknown, path: Path): JsonSchema | undefined {
  let value = tree;
  let field: JsonSchema | undefined = plainJsonSchema();
  for (const key of path) {
    field = fieldBelow(field, key);
    value = childOf(value, key);
    field = chooseAlternative(field, value);
  }
  return field;
}

/** The keys that the object at the path can have. */
export function keysAt(tree: unknown, path: Path): readonly string[] {
  return Object.keys(fieldAt(tree, path)?.properties ?? {});
}
