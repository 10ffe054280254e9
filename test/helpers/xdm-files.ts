import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';

/** A schema of Adobe with all references resolved, with wire names, that rejects unknown fields. */
export type ClosedSchema = JsonObject;

interface Document {
  readonly schema: JsonObject;
}

interface Gathered {
  readonly properties: Map<string, ClosedSchema>;
  readonly required: Set<string>;
  readonly keywords: JsonObject;
}

const COPIED_KEYWORDS = [
  'type',
  'enum',
  'const',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
];
const CONTEXT_REF = 'https://ns.adobe.com/xdm/common/extensible#/definitions/@context';

/**
 * Reads Adobe's schemas below `root`. `close` combines one or more of them into a closed schema,
 * `file` is one of them as it is.
 */
export function openXdmSchemas(root: string): {
  close(ids: readonly string[]): ClosedSchema;
  file(id: string): JsonObject | undefined;
} {
  const documents = new Map<string, Document>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.schema.json')) {
      const schema = JSON.parse(readFileSync(join(root, name), 'utf8')) as JsonObject;
      documents.set(textOf(schema['$id']), { schema });
    }
  }
  const closer = new Closer(documents);
  return { close: (ids) => closer.close(ids), file: (id) => documents.get(id)?.schema };
}

class Closer {
  readonly #documents: ReadonlyMap<string, Document>;
  readonly #open: string[] = [];

  constructor(documents: ReadonlyMap<string, Document>) {
    this.#documents = documents;
  }

  close(ids: readonly string[]): ClosedSchema {
    const gathered = empty();
    for (const id of ids) {
      const document = this.#document(id);
      this.#gather(document.schema, document, gathered);
    }
    return asSchema(gathered);
  }

  #document(id: string): Document {
    const document = this.#documents.get(id);
    if (document === undefined) {
      throw new Error(`no schema ${id} in Adobe's schema files`);
    }
    return document;
  }

  #closeSchema(schema: JsonObject, document: Document): ClosedSchema {
    const gathered = empty();
    this.#gather(schema, document, gathered);
    return asSchema(gathered);
  }

  /** Adds a schema, including its references and `allOf` parts, to `into`. */
  #gather(schema: JsonObject, document: Document, into: Gathered): void {
    for (const keyword of COPIED_KEYWORDS) {
      if (schema[keyword] !== undefined) {
        into.keywords[keyword] = schema[keyword];
      }
    }
    for (const [name, property] of objectEntries(schema['properties'])) {
      addProperty(into, name.split(':'), this.#closeSchema(property, document));
    }
    for (const name of asArray(schema['required'])) {
      into.required.add(wireName(textOf(name).split(':')).join('.'));
    }
    if (isJsonObject(schema['items'])) {
      into.keywords['items'] = this.#closeSchema(schema['items'], document);
    }
    if (isJsonObject(schema['additionalProperties'])) {
      into.keywords['additionalProperties'] = this.#closeSchema(schema['additionalProperties'], document);
    }
    for (const part of asArray(schema['allOf'])) {
      this.#gather(part as JsonObject, document, into);
    }
    this.#follow(schema, document, into);
  }

  #follow(schema: JsonObject, document: Document, into: Gathered): void {
    const ref = schema['$ref'];
    if (typeof ref !== 'string' || ref === CONTEXT_REF) {
      return;
    }
    const [id = '', pointer = ''] = ref.split('#');
    const target = id === '' ? document : this.#document(id);
    const place = `${textOf(target.schema['$id'])}#${pointer}`;
    if (this.#open.includes(place)) {
      throw new Error(`schema ${place} refers to itself`);
    }
    this.#open.push(place);
    this.#gather(resolvePointer(target.schema, pointer), target, into);
    this.#open.pop();
  }
}

function empty(): Gathered {
  return { properties: new Map(), required: new Set(), keywords: {} };
}

function asSchema({ properties, required, keywords }: Gathered): ClosedSchema {
  const isObject = keywords['type'] === 'object' || properties.size > 0;
  if (!isObject) {
    return keywords;
  }
  return {
    ...keywords,
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.size > 0 ? { required: [...required] } : {}),
    additionalProperties: keywords['additionalProperties'] ?? false,
  };
}

/**
 * On the wire `xdm:` is dropped, `@id` becomes `_id`, and any other prefix becomes an object
 * (`repo:etag` → `_repo.etag`).
 */
function wireName(parts: readonly string[]): readonly string[] {
  const [prefix = '', name] = parts;
  if (name === undefined) {
    return [prefix.replace(/^@/, '_')];
  }
  return prefix === 'xdm' ? [name] : [`_${prefix}`, name];
}

function addProperty(into: Gathered, parts: readonly string[], schema: ClosedSchema): void {
  const [first = '', second] = wireName(parts);
  if (second === undefined) {
    into.properties.set(first, schema);
    return;
  }
  const holder = into.properties.get(first) ?? {
    type: 'object',
    properties: {},
    additionalProperties: false,
  };
  into.properties.set(first, {
    ...holder,
    properties: { ...asObject(holder['properties']), [second]: schema },
  });
}

function resolvePointer(schema: JsonObject, pointer: string): JsonObject {
  let current: JsonValue = schema;
  for (const key of pointer.split('/').filter((part) => part !== '')) {
    current = asObject(current)[key] ?? {};
  }
  return asObject(current);
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
export function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
function objectEntries(value: JsonValue | undefined): [string, JsonObject][] {
  return Object.entries(asObject(value)).map(([name, inner]) => [name, asObject(inner)]);
}
