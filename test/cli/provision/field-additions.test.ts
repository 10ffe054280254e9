import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { fieldAdditions } from '../../../src/cli/provision/field-additions.ts';
import { tenantFieldGroups } from '../../../src/xdm/tenant-field-groups.ts';

function group(properties: JsonObject): JsonObject {
  return { definitions: { customFields: { type: 'object', properties } } };
}

it('has nothing to add to a field group as it was made', () => {
  const { event, profile } = tenantFieldGroups('_demo');
  expect(fieldAdditions(event, structuredClone(event))).toEqual({ missing: [], conflicts: [] });
  expect(fieldAdditions(profile, structuredClone(profile))).toEqual({ missing: [], conflicts: [] });
});

it('adds a missing field, also below a list, and leaves the fields of others', () => {
  const item = { type: 'object', properties: { code: { type: 'string' }, value: { type: 'number' } } };
  const expected = group({ a: { type: 'string' }, list: { type: 'array', items: item } });
  const actual = group({
    own: { type: 'boolean' },
    list: { type: 'array', items: { type: 'object', properties: { code: { type: 'string' } } } },
  });
  expect(fieldAdditions(expected, actual)).toEqual({
    conflicts: [],
    missing: [
      {
        path: 'a',
        operation: { op: 'add', path: '/definitions/customFields/properties/a', value: { type: 'string' } },
      },
      {
        path: 'list[].value',
        operation: {
          op: 'add',
          path: '/definitions/customFields/properties/list/items/properties/value',
          value: { type: 'number' },
        },
      },
    ],
  });
});

it('names a field of another type, which cannot be changed', () => {
  const expected = group({
    a: { type: 'string', format: 'date-time' },
    b: { type: 'object', properties: {} },
  });
  const actual = group({ a: { type: 'number' }, b: { type: 'array', items: {} } });
  expect(fieldAdditions(expected, actual)).toEqual({
    missing: [],
    conflicts: ['a is number, not string date-time', 'b is array, not object'],
  });
});
