import fc, { type Arbitrary } from 'fast-check';
import { type Node, examplesOf, operationOf, parametersOf, resolveRef } from '../helpers/openapi.ts';

/** A request to send. */
export interface Call {
  readonly method: string;
  /** Percent-encoded, with the query. */
  readonly path: string;
  /** Latin-1 characters only, as in HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

const INJECTIONS = [
  "' OR 1=1 --",
  '"; DROP TABLE events; --',
  '%_',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '${7*7}',
  '{{7*7}}',
  '\r\nX-Injected: 1',
  '\u0000',
  '\u202e\ufeff\u200b',
  '\ud800',
  '𝕊'.repeat(150),
  '__proto__',
  'constructor',
  'toString',
  '-0',
  '1e999',
  '9007199254740993',
  '253402300800000',
  '9007199254740991',
  '9999-99-99',
  '2026-02-30T25:61:61Z',
  'null',
];

/** Values outside of every schema. */
const nasty: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...INJECTIONS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 301, maxLength: 320 }),
  fc.constantFrom(null, true, false, 0, -1, 0.5, 1e308, [], {}, [[[]]], { a: { b: {} } }),
  fc.integer(),
  fc.array(fc.string(), { maxLength: 3 }),
);

/** Values that match a schema of the contract. */
export function valueOf(given: Node): Arbitrary<unknown> {
  const schema = resolveRef(given);
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  const types = [schema['type'] ?? 'object'].flat() as string[];
  return fc.oneof(...types.map((type) => typed(type, schema)));
}

function typed(type: string, schema: Node): Arbitrary<unknown> {
  const { minimum = 0, maximum = 4e12, minLength = 0, maxLength = 60 } = schema;
  if (type === 'integer' || type === 'number') return fc.integer({ min: minimum, max: maximum });
  if (type === 'boolean') return fc.boolean();
  if (type === 'array')
    return fc.array(valueOf(schema['items']), { minLength: schema['minItems'] ?? 0, maxLength: 4 });
  if (type === 'object') return objectOf(schema);
  return 'pattern' in schema
    ? fc.stringMatching(new RegExp(schema['pattern']))
    : fc.string({ minLength, maxLength: Math.min(maxLength, 60), unit: 'grapheme' });
}

function objectOf(schema: Node): Arbitrary<unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Node).map(
    ([name, property]) => [name, valueOf(property)] as const,
  );
  const some = fc.record(Object.fromEntries(properties), { requiredKeys: [] });
  const alternatives = (schema['oneOf'] ?? []) as Node[];
  if (alternatives.length === 0) return some;
  // Exactly one of the mutually exclusive fields.
  const exclusive = alternatives.flatMap(({ required }) => required as string[]);
  return fc.tuple(some, fc.constantFrom(...exclusive)).chain(([value, chosen]) => {
    const rest = Object.entries(value).filter(([name]) => !exclusive.includes(name));
    const one = properties.find(([name]) => name === chosen)?.[1] ?? fc.constant(undefined);
    return one.map((made) => ({ ...Object.fromEntries(rest), [chosen]: made }));
  });
}

/** A value with a part changed, added or removed. */
function mutated(value: unknown): Arbitrary<unknown> {
  if (Array.isArray(value))
    return fc.oneof(
      nasty.map((bad) => [...value, bad]),
      nasty,
    );
  if (typeof value !== 'object' || value === null) return nasty;
  const names = [...Object.keys(value), 'unknown', '__proto__'];
  return fc.oneof(
    { weight: 1, arbitrary: nasty },
    {
      weight: 6,
      arbitrary: fc.constantFrom(...names).chain((name) => {
        const inner = (value as Record<string, unknown>)[name];
        const bad =
          typeof inner === 'object' && inner !== null && name !== '__proto__' ? mutated(inner) : nasty;
        // Not an assignment, which would set the prototype.
        return bad.map((changed) => Object.fromEntries([...Object.entries(value), [name, changed]]));
      }),
    },
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Percent-encoded. A lone surrogate, which cannot be encoded, becomes an invalid URL. */
function encoded(value: unknown): string {
  const text = textOf(value);
  return text.isWellFormed() ? encodeURIComponent(text) : '%ff';
}

function headerText(value: unknown): string {
  return textOf(value).replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}

/**
 * Values that exist in the test data, by parameter or field name; random ones would rarely match.
 */
export type Known = Readonly<Record<string, readonly string[]>>;

function parameterOf({ name, schema }: Node, known: Known): Arbitrary<unknown> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...(known[name] ?? ['x'])) },
    { weight: 2, arbitrary: valueOf(schema) },
    { weight: 2, arbitrary: nasty },
  );
}

/** A valid body or example of the contract, or a mutation of it. */
function bodyOf(media: Node): Arbitrary<string | Uint8Array> {
  const valid = fc.oneof(valueOf(media['schema']), fc.constantFrom(...examplesOf(media)));
  return fc.oneof(
    { weight: 4, arbitrary: valid.map((value) => JSON.stringify(value)) },
    {
      weight: 5,
      arbitrary: valid.chain(mutated).map((value) => JSON.stringify(value) ?? ''),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(valid, fc.nat(80)).map(([value, length]) => JSON.stringify(value).slice(0, length)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        ' ',
        '[',
        '{"a":'.repeat(2_000),
        '['.repeat(50_000),
        `"${'x'.repeat(70_000)}"`,
      ),
    },
  );
}

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'nonsense',
  '/',
  '',
];

interface Parts {
  readonly path: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  /** An unexpected parameter. */
  readonly more?: readonly [name: string, value: unknown] | undefined;
  readonly headers: Record<string, unknown>;
  readonly type: string;
  readonly body?: string | Uint8Array | undefined;
}

function partsOf(operation: string, inPlace: (place: string) => Record<string, Arbitrary<unknown>>) {
  return {
    path: fc.record<Record<string, unknown>>(inPlace('path')),
    query: fc.record<Record<string, unknown>, never>(inPlace('query'), { requiredKeys: [] }),
    headers: fc.record<Record<string, unknown>, never>(inPlace('header'), { requiredKeys: [] }),
    media: Object.values((operationOf(operation)['requestBody']?.content ?? {}) as Node)[0] as
      | Node
      | undefined,
  };
}

/** Valid calls: known values and the examples. */
function validParts(operation: string, known: Known): Arbitrary<Parts> {
  const { media, ...places } = partsOf(operation, (place) =>
    Object.fromEntries(
      parametersOf(operation)
        .filter((one) => one['in'] === place && one['name'] in known)
        .map(({ name }) => [name, fc.constantFrom(...(known[name] ?? []))]),
    ),
  );
  const examples = media === undefined ? [undefined] : examplesOf(media).map((one) => JSON.stringify(one));
  return fc.record({ ...places, type: fc.constant('application/json'), body: fc.constantFrom(...examples) });
}

/** Calls of which any part may be invalid. */
function anyParts(operation: string, known: Known): Arbitrary<Parts> {
  const { media, ...places } = partsOf(operation, (place) =>
    Object.fromEntries(
      parametersOf(operation)
        .filter((one) => one['in'] === place)
        .map((one) => [one['name'], parameterOf(one, known)]),
    ),
  );
  return fc.record({
    ...places,
    more: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('unknown', '__proto__', 'limit', 'state'), nasty) },
    ),
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
    ),
    body:
      media === undefined ? fc.constant(undefined) : fc.option(bodyOf(media), { nil: undefined, freq: 12 }),
  });
}

/** Valid and invalid calls of one operation. */
export function callsOf(operation: string, known: Known): Arbitrary<Call> {
  return fc
    .oneof(
      { weight: 1, arbitrary: validParts(operation, known) },
      { weight: 3, arbitrary: anyParts(operation, known) },
    )
    .map((parts) => callOf(operation, parts));
}

function callOf(operation: string, { path, query, more, headers, type, body }: Parts): Call {
  const [method = '', template = ''] = operation.split(' ');
  const pairs = [...Object.entries(query), ...(more === undefined ? [] : [more])];
  const search = pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  const named = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encoded(path[name]) || '%20');
  const sent = Object.entries(headers).map(([name, value]) => [name, headerText(value)]);
  return {
    method,
    path: search === '' ? named : `${named}?${search}`,
    headers: { ...Object.fromEntries(sent), ...(body === undefined ? {} : { 'content-type': type }) },
    body,
  };
}
