import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/** A part of the document. Read by name, so a wrong name shows as undefined and fails the test. */
export interface Node {
  readonly [key: string]: ReturnType<typeof JSON.parse>;
}

/** One answer of the relay, as it came over the wire. */
export interface SeenAnswer {
  readonly method: string;
  /** Where it came from, if that is known: a path of the other port is none of this one. */
  readonly port?: 'admin' | 'webhook' | undefined;
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

export const resolved = (node: Node): Node =>
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

/** Every `METHOD /path/{parameter}` that is only there to say 405. */
export const refusedOperations: readonly string[] = Object.entries(document['paths'] as Node).flatMap(
  ([path, item]) => (item['x-other-methods']?.methods ?? []).map((method: string) => `${method} ${path}`),
);

/** Status by code, as the table of problems has it. */
export const problemTable: Readonly<Record<string, number>> = Object.fromEntries(
  [
    ...String(document['components'].schemas.Problem.description).matchAll(
      /^\| `([a-z-]+)` \| (\d+) \| \w/gm,
    ),
  ].map(([, code, status]) => [code, Number(status)]),
);

export const operationOf = (operation: string): Node => {
  const [method = '', path = ''] = operation.split(' ');
  return document['paths'][path][method.toLowerCase()];
};

/** Parameters of an operation, those of its path too. */
export const parametersOf = (operation: string): readonly Node[] => {
  const shared: Node[] = document['paths'][operation.split(' ')[1] ?? ''].parameters ?? [];
  return [...shared, ...(operationOf(operation)['parameters'] ?? [])].map(resolved);
};

/** Examples of a body, an answer or a parameter. */
export const examplesOf = (media: Node): readonly unknown[] => [
  ...('example' in media ? [media['example']] : []),
  ...Object.values((media['examples'] ?? {}) as Node).map(({ value }) => value),
];

/** What is wrong with the examples of all operations; an answer without one is wrong too. */
export const brokenExamples = (): string[] =>
  operations.flatMap((operation) => {
    const { requestBody, responses } = operationOf(operation);
    const sent = Object.values((requestBody?.content ?? {}) as Node).map((media) => ['body', media] as const);
    const answered = Object.entries(responses as Node).flatMap(([status, response]) =>
      Object.values(resolved(response)['content'] as Node).map((media: Node) => [status, media] as const),
    );
    const inBodies = [...sent, ...answered].flatMap(([part, media]) => {
      const examples = examplesOf(media);
      if (examples.length === 0) return [`${operation} ${part}: has no example`];
      return examples.flatMap((example) => faultOf(media['schema'], example, `${operation} ${part}`) ?? []);
    });
    const inParameters = parametersOf(operation).flatMap(({ name, schema, ...parameter }) =>
      examplesOf(parameter).flatMap((example) => faultOf(schema, example, `${operation} ${name}`) ?? []),
    );
    return [...inBodies, ...inParameters];
  });

const faultOf = (schema: Node, value: unknown, where: string): string | undefined => {
  const validate = validatorOf(schema);
  return validate(value)
    ? undefined
    : `${where}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`;
};

const templates = Object.entries(document['paths'] as Node).map(([template, item]) => ({
  item,
  port: 'servers' in item ? 'webhook' : 'admin',
  pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}));

/** The path's part of the contract: the first that fits, and those without a parameter stand first. */
const itemOf = (path: string, port: SeenAnswer['port']): Node | undefined => {
  const [bare = ''] = path.split('?');
  return templates.find((one) => (port ?? one.port) === one.port && one.pattern.test(bare))?.item;
};

/** The answers that a method of a path can give; undefined where the contract has none. */
const responsesOf = ({ method, path, port }: SeenAnswer): Node | undefined => {
  const item = itemOf(path, port);
  if (item === undefined) return undefined;
  const others = item['x-other-methods'];
  const named = item[method.toLowerCase()] ?? (method === 'HEAD' ? item['get'] : undefined);
  if (named !== undefined) return named.responses;
  return others?.methods.includes(method === 'HEAD' ? 'GET' : method) ? others.responses : undefined;
};

/** A problem says of itself what its code and the answer say. */
const problemFault = (text: string, status: number, where: string): string | undefined => {
  const body = JSON.parse(text);
  const isAlike =
    body.status === status &&
    body.type === `urn:capillary-aep-relay:problem:${body.code}` &&
    problemTable[body.code] === status;
  return isAlike ? faultOf(PROBLEM, body, where) : `${where}: the problem does not fit the answer: ${text}`;
};

const PROBLEM: Node = { $ref: '#/components/schemas/Problem' };

/** The files of the reading page, which are its own affair. */
const isPartOfPage = (path: string): boolean => /^\/docs\/./.test(path);

/** What is wrong with an answer by the contract; undefined when it fits. Answers of paths that are not in it must be problems. */
export const contractFault = (answer: SeenAnswer): string | undefined => {
  const { method, path, status, headers, text } = answer;
  const where = `${method} ${path.slice(0, 200)} ${status}`;
  const responses = responsesOf(answer);
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const hasBody = method !== 'HEAD';
  const isProblem = type === 'application/problem+json';
  if (isProblem && hasBody) {
    const fault = problemFault(text, status, where);
    if (fault !== undefined) return fault;
  }
  if (responses === undefined) {
    return isProblem || isPartOfPage(path) ? undefined : `${where}: not in the contract, and no problem`;
  }
  const response = responses[status];
  if (response === undefined) return `${where}: this status is not in the contract: ${text.slice(0, 300)}`;
  const missing = Object.keys(resolved(response)['headers'] ?? {}).filter((name) => !headers.has(name));
  if (missing.length > 0) return `${where}: without ${missing.join(', ')}`;
  const media = resolved(response)['content'][type];
  if (media === undefined) return `${where}: ${type} is not in the contract`;
  return hasBody ? faultOf(media.schema, type.endsWith('json') ? JSON.parse(text) : text, where) : undefined;
};
