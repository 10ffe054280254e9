import type { Path } from './config-error.ts';
import { type JsonSchema, plainJsonSchema } from './json-schema.ts';

function step(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string | number, unknown>>)[key]
    : undefined;
}

/** The value that stands at the path; undefined when there is none. */
export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce(step, tree);
}

/** The one of the alternatives whose `type` is the value's. */
function chosen(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  return schema?.oneOf === undefined
    ? schema
    : schema.oneOf.find((option) => option.properties?.['type']?.const === step(value, 'type'));
}

function below(schema: JsonSchema | undefined, key: string | number): JsonSchema | undefined {
  if (typeof key === 'number') return schema?.items;
  const { properties, additionalProperties } = schema ?? {};
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function fieldAt(tree: unknown, path: Path): JsonSchema | undefined {
  let value = tree;
  let field: JsonSchema | undefined = plainJsonSchema();
  for (const key of path) {
    field = below(field, key);
    value = step(value, key);
    field = chosen(field, value);
  }
  return field;
}

/** What the key at the path is for, in one line. */
export function descriptionAt(tree: unknown, path: Path): string | undefined {
  return fieldAt(tree, path)?.description;
}

/** The keys that the block at the path may have. */
export function keysAt(tree: unknown, path: Path): readonly string[] {
  return Object.keys(fieldAt(tree, path)?.properties ?? {});
}
