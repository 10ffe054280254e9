import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The part of JSON Schema that the configuration makes use of. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

let plain: JsonSchema | undefined;

/** The configuration as JSON Schema (draft 7, which editors know best), without placeholders. */
export function plainJsonSchema(): JsonSchema {
  plain ??= z.toJSONSchema(configSchema, { io: 'input', target: 'draft-07' }) as JsonSchema;
  return plain;
}

const PLACEHOLDER = { $ref: '#/definitions/placeholder' };

/** True for a value that a text with a placeholder in it would not fit. */
function isNarrow({ type, pattern, enum: values, minimum }: JsonSchema): boolean {
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

/** Lets every value be given by a placeholder as well. */
function withPlaceholders(schema: JsonSchema): JsonSchema {
  const { description, default: fallback, anyOf, ...rest } = schema;
  const notes = {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  if (anyOf !== undefined) return { ...notes, ...rest, anyOf: [...anyOf, PLACEHOLDER] };
  if (isNarrow(schema)) return { ...notes, anyOf: [rest, PLACEHOLDER] };
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
        description: 'A text with ${NAME}, ${NAME:-default} or ${file:/path} in it.',
        type: 'string',
        pattern: '\\$\\{[^}]+\\}',
      },
    },
  };
}
