import { Ajv } from 'ajv/dist/ajv.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { eventShape } from '../../src/xdm/event-shape.ts';
import { profileShape } from '../../src/xdm/profile-shape.ts';
import { isListShape, isObjectShape, type Leaf, type Shape } from '../../src/xdm/shape.ts';
import { referencePath } from '../helpers/reference.ts';
import { asObject, type ClosedSchema, openXdmSchemas } from '../helpers/xdm-files.ts';

const NS = 'https://ns.adobe.com/xdm/';
const ALL = { loyalty2026: true, loyaltyEvents: true, placeContext: true, sourceAudit: true, consents: true };

const root = referencePath('xdm/', 'the writable fields against Adobe’s schemas');

describe.runIf(root)('the fields that the relay may write fit Adobe’s schemas', () => {
  const schemas = root === undefined ? undefined : openXdmSchemas(root);

  it.each([
    [
      'event',
      eventShape(ALL, undefined),
      [
        `${NS}context/experienceevent`,
        `${NS}context/experienceevent-commerce`,
        `${NS}context/experienceevent-loyalty-details`,
        `${NS}context/experienceevent-environment-details`,
      ],
    ],
    [
      'profile',
      profileShape(ALL, undefined),
      [
        `${NS}context/profile`,
        `${NS}context/profile-person-details`,
        `${NS}context/profile-personal-details`,
        `${NS}mixins/profile/profile-loyalty-details`,
        `${NS}context/profile-preferences-details`,
        `${NS}common/external-source-system-audit-details`,
        `${NS}mixins/profile-consents`,
      ],
    ],
  ] as const)('%s', (_name, shape, ids) => {
    expect(differences(shape, schemas?.close(ids) ?? {}, '')).toEqual([]);
  });
});

/** Where our shape allows more than Adobe's schema. */
function differences(shape: Shape, schema: ClosedSchema | undefined, path: string): readonly string[] {
  if (schema === undefined) {
    return [`${path} is not in Adobe's schema`];
  }
  if (isObjectShape(shape)) {
    const properties = asObject(schema['properties']);
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const missing = required.filter((name) => path !== '' && !shape.required.includes(name as string));
    return [
      ...missing.map((name) => `${path} requires ${JSON.stringify(name)}`),
      ...Object.entries(shape.fields).flatMap(([name, inner]) =>
        differences(inner, properties[name] as ClosedSchema | undefined, `${path}.${name}`),
      ),
    ];
  }
  if (isListShape(shape)) {
    return schema['type'] === 'array'
      ? differences(shape.items, asObject(schema['items']), `${path}[]`)
      : [`${path} is not an array`];
  }
  return leafDifferences(shape, schema, path);
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
  const isPlain = leaf === 'string' || leaf === 'number' || leaf === 'integer' || leaf === 'boolean';
  const found = isPlain ? schema['type'] : schema['format'];
  const isOpen = schema['enum'] === undefined && schema['pattern'] === undefined;
  return found === leaf && (isOpen || leaf !== 'string')
    ? []
    : [`${path} is ${JSON.stringify(schema)}, not ${leaf}`];
}

/** Whether Adobe's pattern accepts random strings of ours. */
function matchesPattern({ source }: RegExp, schema: JsonObject): boolean {
  const validate = new Ajv().compile({ type: 'string', ...schema });
  return fc.sample(fc.stringMatching(new RegExp(source)), 200).every((text) => validate(text));
}

it('each schema has its own shape, whatever other destinations use', () => {
  const none = Object.fromEntries(Object.keys(ALL).map((name) => [name, false])) as unknown as typeof ALL;
  const fieldsOf = () =>
    [ALL, none].flatMap((features) =>
      ['_acme', undefined, '_other'].map((tenant) => {
        const { fields } = eventShape(features, tenant);
        return ['loyalty', '_acme', '_other'].filter((name) => Object.hasOwn(fields, name));
      }),
    );
  const expected = [['loyalty', '_acme'], ['loyalty'], ['loyalty', '_other'], ['_acme'], [], ['_other']];
  expect(fieldsOf()).toEqual(expected);
  expect(fieldsOf()).toEqual(expected);
});
