import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/** A node of the document. Untyped: a wrong name yields undefined and fails the test. */
export interface Node {
  readonly [key: string]: ReturnType<typeof JSON.parse>;
}

/** A response of the relay as it was received. */
export interface ObservedResponse {
  readonly method: string;
  /** The port that sent it, if known: paths of the other port then do not match. */
  readonly port?: 'admin' | 'webhook' | undefined;
  /** With or without a query string. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  /** The body as text. */
  readonly text: string;
}

const document: Node = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'options', 'head'];
const DATA = new Set(['example', 'examples', 'enum', 'const', 'default', 'required']);

function isObject(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function schemaNameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

export function resolveRef(node: Node): Node {
  return typeof node['$ref'] === 'string'
    ? node['$ref']
        .split('/')
        .slice(1)
        .reduce((parent: Node, key: string) => parent[key], document)
    : node;
}

/**
 * A copy of a schema that rejects unknown fields. The contract is open, so that responses can get
 * new fields, but the relay of this version must not send fields that the contract does not name.
 * Parts of an allOf stay open, because the schema around them is closed.
 */
function closeSchema(node: unknown, isPart = false): unknown {
  if (Array.isArray(node)) return node.map((item) => closeSchema(item, isPart));
  if (!isObject(node)) return node;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref') copy[key] = `${isPart ? 'open' : 'closed'}:${schemaNameOf(String(value))}`;
    else copy[key] = DATA.has(key) ? value : closeSchema(value, key === 'allOf');
  }
  const isClosable = 'properties' in copy || 'allOf' in copy;
  return isClosable && !isPart && !('additionalProperties' in copy)
    ? { ...copy, unevaluatedProperties: false }
    : copy;
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
for (const [name, schema] of Object.entries(document['components'].schemas)) {
  ajv.addSchema(closeSchema(schema) as Node, `closed:${name}`);
  ajv.addSchema(closeSchema(schema, true) as Node, `open:${name}`);
}

const validators = new Map<Node, ValidateFunction>();
function validatorOf(schema: Node): ValidateFunction {
  const known = validators.get(schema) ?? ajv.compile(closeSchema(schema) as Node);
  validators.set(schema, known);
  return known;
}

/** Every `METHOD /path/{parameter}` of the contract. */
export const operations: readonly string[] = Object.entries(document['paths'] as Node).flatMap(
  ([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
);

/** Problem codes of the contract. */
export const problemCodes: readonly string[] = document['components'].schemas.Problem.properties.code.enum;

/** Problem code → HTTP status, from the table in the contract. */
export const problemTable: Readonly<Record<string, number>> = Object.fromEntries(
  [
    ...String(document['components'].schemas.Problem.description).matchAll(
      /^\| `([a-z-]+)` \| (\d+) \| \w/gm,
    ),
  ].map(([, code, status]) => [code, Number(status)]),
);

export function operationOf(operation: string): Node {
  const [method = '', path = ''] = operation.split(' ');
  return document['paths'][path][method.toLowerCase()];
}

/** Parameters of an operation, including those of its path. */
export function parametersOf(operation: string): readonly Node[] {
  const shared: Node[] = document['paths'][operation.split(' ')[1] ?? ''].parameters ?? [];
  return [...shared, ...(operationOf(operation)['parameters'] ?? [])].map(resolveRef);
}

/** Examples of a request body, a response or a parameter. */
export function examplesOf(media: Node): readonly unknown[] {
  return [
    ...('example' in media ? [media['example']] : []),
    ...Object.values((media['examples'] ?? {}) as Node).map(({ value }) => value),
  ];
}

/** Examples in all operations that violate their schema, and bodies and responses without one. */
export function invalidExamples(): string[] {
  return operations.flatMap((operation) => {
    const { requestBody, responses } = operationOf(operation);
    const requestMedia = Object.values((requestBody?.content ?? {}) as Node).map(
      (media) => ['body', media] as const,
    );
    const responseMedia = Object.entries(responses as Node).flatMap(([status, response]) =>
      Object.values(resolveRef(response)['content'] as Node).map((media: Node) => [status, media] as const),
    );
    const inBodies = [...requestMedia, ...responseMedia].flatMap(([part, media]) => {
      const examples = examplesOf(media);
      if (examples.length === 0) return [`${operation} ${part}: has no example`];
      return examples.flatMap(
        (example) => violationOf(media['schema'], example, `${operation} ${part}`) ?? [],
      );
    });
    const inParameters = parametersOf(operation).flatMap(({ name, schema, ...parameter }) =>
      examplesOf(parameter).flatMap((example) => violationOf(schema, example, `${operation} ${name}`) ?? []),
    );
    return [...inBodies, ...inParameters];
  });
}

function violationOf(schema: Node, value: unknown, where: string): string | undefined {
  const validate = validatorOf(schema);
  return validate(value)
    ? undefined
    : `${where}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`;
}

const isVariable = (template: string): number => Number(template.includes('{'));

const templates = Object.entries(document['paths'] as Node)
  .toSorted(([a], [b]) => isVariable(a) - isVariable(b))
  .map(([template, item]) => ({
    item,
    port: 'servers' in item ? 'webhook' : 'admin',
    pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  }));

/** The first path of the contract that matches; paths without parameters come first. */
function itemOf(path: string, port: ObservedResponse['port']): Node | undefined {
  const [bare = ''] = path.split('?');
  return templates.find(
    (template) => (port ?? template.port) === template.port && template.pattern.test(bare),
  )?.item;
}

/** Responses to a method of a path; undefined if the contract does not contain it. */
function responsesOf({ method, path, port }: ObservedResponse): Node | undefined {
  const item = itemOf(path, port);
  if (item === undefined) return undefined;
  return (item[method.toLowerCase()] ?? (method === 'HEAD' ? item['get'] : undefined))?.responses;
}

/** The fields of a problem must agree with its code and with the status of the response. */
function problemViolation(text: string, status: number, where: string): string | undefined {
  const body = JSON.parse(text);
  const isConsistent =
    body.status === status &&
    body.type === `urn:capillary-aep-relay:problem:${body.code}` &&
    problemTable[body.code] === status;
  return isConsistent
    ? violationOf(PROBLEM, body, where)
    : `${where}: the problem does not match the response: ${text}`;
}

const PROBLEM: Node = { $ref: '#/components/schemas/Problem' };

/** What every path answers to a request that is refused before routing, whatever its method. */
const BEFORE_ROUTING = ['bad-request', 'expectation-failed', 'unknown-transfer-coding'];

/** Static files of the API documentation page, which the contract does not describe. */
function isDocumentationFile(path: string): boolean {
  return /^\/docs\/./.test(path);
}

/**
 * How a response violates the contract; undefined if it does not. A response of a path that is not
 * in the contract must be a problem.
 */
export function contractViolation(observed: ObservedResponse): string | undefined {
  const { method, path, status, headers, text } = observed;
  const where = `${method} ${path.slice(0, 200)} ${status}`;
  const responses = responsesOf(observed);
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const hasBody = method !== 'HEAD';
  const isProblem = type === 'application/problem+json';
  if (isProblem && hasBody) {
    const violation = problemViolation(text, status, where);
    if (violation !== undefined) return violation;
    if (BEFORE_ROUTING.includes(JSON.parse(text).code)) return undefined;
  }
  if (responses === undefined) {
    return isProblem || isDocumentationFile(path)
      ? undefined
      : `${where}: not in the contract, and not a problem`;
  }
  const response = responses[status];
  if (response === undefined) return `${where}: the status is not in the contract: ${text.slice(0, 300)}`;
  const missing = Object.keys(resolveRef(response)['headers'] ?? {}).filter((name) => !headers.has(name));
  if (missing.length > 0) return `${where}: missing headers ${missing.join(', ')}`;
  const media = resolveRef(response)['content'][type];
  if (media === undefined) return `${where}: ${type} is not in the contract`;
  return hasBody
    ? violationOf(media.schema, type.endsWith('json') ? JSON.parse(text) : text, where)
    : undefined;
}
