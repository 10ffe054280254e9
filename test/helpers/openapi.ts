import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/** A part of the document. Read by name, so a wrong name shows as undefined and fails the test. */
interface Node {
  readonly [key: string]: ReturnType<typeof JSON.parse>;
}

/** One answer of the relay, as it came over the wire. */
export interface SeenAnswer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  /** The body as text. */
  readonly text: string;
}

const document: Node = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'options', 'head'];
const DATA = new Set(['example', 'examples', 'enum', 'const', 'default', 'required']);

const isObject = (node: unknown): node is Node =>
  typeof node === 'object' && node !== null && !Array.isArray(node);

const lastOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

const resolved = (node: Node): Node =>
  typeof node['$ref'] === 'string'
    ? node['$ref']
        .split('/')
        .slice(1)
        .reduce((at: Node, key: string) => at[key], document)
    : node;

/**
 * A schema that refuses fields it does not name. The contract itself is open, so that answers can grow; the relay of today must not say
 * more than the contract of today tells. Parts of an allOf stay open: the whole is closed.
 */
const closed = (node: unknown, isPart = false): unknown => {
  if (Array.isArray(node)) return node.map((one) => closed(one, isPart));
  if (!isObject(node)) return node;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref') copy[key] = `${isPart ? 'open' : 'closed'}:${lastOf(String(value))}`;
    else copy[key] = DATA.has(key) ? value : closed(value, key === 'allOf');
  }
  const isClosable = 'properties' in copy || 'allOf' in copy;
  return isClosable && !isPart && !('additionalProperties' in copy)
    ? { ...copy, unevaluatedProperties: false }
    : copy;
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
for (const [name, schema] of Object.entries(document['components'].schemas)) {
  ajv.addSchema(closed(schema) as Node, `closed:${name}`);
  ajv.addSchema(closed(schema, true) as Node, `open:${name}`);
}

const validators = new Map<Node, ValidateFunction>();
const validatorOf = (schema: Node): ValidateFunction => {
  const known = validators.get(schema) ?? ajv.compile(closed(schema) as Node);
  validators.set(schema, known);
  return known;
};

/** Every `METHOD /path/{parameter}` of the contract. */
export const operations: readonly string[] = Object.entries(document['paths'] as Node).flatMap(
  ([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
);

/** Problem codes that the contract knows. */
export const problemCodes: readonly string[] = document['components'].schemas.Problem.properties.code.enum;

/** Examples of the answers of one operation, by status, each with what is wrong with it. */
export const brokenExamples = (): string[] =>
  operations.flatMap((operation) => {
    const [method = '', path = ''] = operation.split(' ');
    const responses: Node = document['paths'][path][method.toLowerCase()].responses;
    return Object.entries(responses).flatMap(([status, response]) =>
      Object.values(resolved(response)['content'] as Node).flatMap((media: Node) => {
        const examples = Object.values((media['examples'] ?? {}) as Node).map(({ value }) => value);
        const all = 'example' in media ? [media['example'], ...examples] : examples;
        return all.flatMap((example) => faultOf(media['schema'], example, `${operation} ${status}`) ?? []);
      }),
    );
  });

const faultOf = (schema: Node, value: unknown, where: string): string | undefined => {
  const validate = validatorOf(schema);
  return validate(value)
    ? undefined
    : `${where}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`;
};

const pathOf = (path: string): string | undefined => {
  const [bare = ''] = path.split('?');
  const paths = Object.keys(document['paths']);
  const fits = (template: string) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(bare);
  return paths.find((template) => template === bare) ?? paths.find(fits);
};

/** What is wrong with an answer by the contract; undefined when it fits. Answers of paths that are not in it must be problems. */
export const contractFault = ({ method, path, status, headers, text }: SeenAnswer): string | undefined => {
  const where = `${method} ${path} ${status}`;
  const template = pathOf(path);
  const operation = template === undefined ? undefined : document['paths'][template][method.toLowerCase()];
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  if (operation === undefined) {
    return type === 'application/problem+json'
      ? faultOf({ $ref: '#/components/schemas/Problem' }, JSON.parse(text), where)
      : `${where}: not in the contract, and no problem`;
  }
  const response = operation.responses[status];
  if (response === undefined) return `${where}: this status is not in the contract`;
  const missing = Object.keys(resolved(response)['headers'] ?? {}).filter((name) => !headers.has(name));
  if (missing.length > 0) return `${where}: without ${missing.join(', ')}`;
  const media = resolved(response)['content'][type];
  if (media === undefined) return `${where}: ${type} is not in the contract`;
  return faultOf(media.schema, type.endsWith('json') ? JSON.parse(text) : text, where);
};
