import { describe, expect, it } from 'vitest';
import { fieldViolations } from '../../../../src/simulator/adobe/field-violations.ts';
import type { SchemaFields } from '../../../../src/simulator/adobe/platform/sandbox.ts';
import { schemaFields } from '../../../../src/simulator/adobe/platform/schema-fields.ts';
import { XDM_CLASSES } from '../../../../src/xdm/standard-groups.ts';
import { tenantFieldGroups } from '../../../../src/xdm/tenant-field-groups.ts';
import { anEvent, type Json, simulate } from '../adobe-client.ts';
import { platformClient } from './platform-client.ts';

const REGISTRY = '/data/foundation/schemaregistry/tenant';
const COMMERCE = 'https://ns.adobe.com/xdm/context/experienceevent-commerce';

async function sandbox() {
  const simulator = await simulate({ platform: { tenantId: 'tealeaf' } });
  const adobe = await platformClient(simulator);
  const make = async (kind: string, body: unknown): Promise<string> => {
    const answer = await adobe.post(`${REGISTRY}/${kind}`, body);
    if (answer.status !== 201) throw new Error(answer.text);
    return (answer.json['$id'] ?? answer.json['@id']) as string;
  };
  const schema = (title: string, references: readonly string[], more: Json = {}) =>
    make('schemas', { type: 'object', title, allOf: references.map((ref) => ({ $ref: ref })), ...more });
  const fields = (id: string): SchemaFields => {
    const known = simulator.platform.sandbox('dev');
    const found = known && schemaFields(known, id);
    if (!found) throw new Error(`no schema ${id}`);
    return found;
  };
  const violations = (id: string, entity: Json): string[] =>
    [...fieldViolations(entity, fields(id).accepted)].map(({ pointer, keyword }) => `${pointer} ${keyword}`);
  return { ...adobe, simulator, make, schema, fields, violations };
}

describe('schemaFields', () => {
  it('has the class, Adobe’s groups and the tenant’s fields with their types', async () => {
    const { make, schema, fields, violations } = await sandbox();
    const group = await make('fieldgroups', tenantFieldGroups('_tealeaf').event);
    const id = await schema('Tea', [XDM_CLASSES.event, COMMERCE, group], { 'meta:immutableTags': ['union'] });
    expect(fields(id)).toMatchObject({ kind: 'event', isUnion: true });
    const capillary = { customerId: '1', unknownThing: 1 };
    expect(
      violations(id, anEvent('a', 'c', { commerce: { purchases: { value: 1 } }, _tealeaf: { capillary } })),
    ).toEqual(['#/_tealeaf/capillary additionalProperties']);
    expect(violations(id, anEvent('a', 'c', { _tealeaf: { capillary: { customerId: 5 } } }))).toEqual([
      '#/_tealeaf/capillary/customerId type',
    ]);
  });

  it('refuses fields of a group that the schema lacks, and of another tenant', async () => {
    const { schema, violations } = await sandbox();
    const id = await schema('Tea', [XDM_CLASSES.event]);
    expect(violations(id, anEvent('a'))).toEqual([]);
    const more = { commerce: { purchases: { value: 1 } }, _other: { a: 'b' } };
    expect(violations(id, anEvent('a', 'c', more))).toEqual([
      '# additionalProperties',
      '# additionalProperties',
    ]);
    expect(violations(id, { eventType: 'loyalty.x' })).toEqual(['# required', '# required']);
  });

  it('knows a profile schema, and none that does not exist', async () => {
    const { schema, fields, simulator } = await sandbox();
    const id = await schema('People', [XDM_CLASSES.profile]);
    expect(fields(id)).toMatchObject({ kind: 'profile', isUnion: false });
    const known = simulator.platform.sandbox('dev');
    expect(known && schemaFields(known, `${id}0`)).toBeUndefined();
  });

  it('follows a change of the schema and of its group', async () => {
    const adobe = await sandbox();
    const group = tenantFieldGroups('_tealeaf').event;
    const groupId = await adobe.make('fieldgroups', group);
    const id = await adobe.schema('Tea', [XDM_CLASSES.event, groupId]);
    const entity = anEvent('a', 'c', { _tealeaf: { capillary: { shelf: 'top' } } });
    expect(adobe.violations(id, entity)).toEqual(['#/_tealeaf/capillary additionalProperties']);
    const path = `${REGISTRY}/fieldgroups/${encodeURIComponent(groupId)}`;
    const place = '/definitions/customFields/properties/_tealeaf/properties/capillary/properties/shelf';
    const added = await adobe.patch(path, [{ op: 'add', path: place, value: { type: 'string' } }]);
    expect(added.status).toBe(200);
    expect(adobe.violations(id, entity)).toEqual([]);
  });
});

it('sample data fits its schema', async () => {
  const { make, schema, violations, get } = await sandbox();
  const group = await make('fieldgroups', tenantFieldGroups('_tealeaf').event);
  const id = await schema('Tea', [XDM_CLASSES.event, COMMERCE, group]);
  const path = '/data/foundation/schemaregistry/rpc/sampledata';
  const accept = { accept: 'application/vnd.adobe.xed+json; version=1' };
  const sample = await get(`${path}/${encodeURIComponent(id)}`, accept);
  expect(sample.json).toMatchObject({ commerce: { purchases: { value: 12.5 } }, _tealeaf: {} });
  expect(violations(id, sample.json)).toEqual([]);
  expect((await get(`${path}/none`, accept)).status).toBe(404);
});

describe('descriptors', () => {
  const LINK = { accept: 'application/vnd.adobe.xdm-link+json' };

  function identity(schemaId: string, more: Json = {}): Json {
    return {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': schemaId,
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': '/_tealeaf/capillary/customerId',
      'xdm:namespace': 'Email',
      'xdm:property': 'xdm:code',
      'xdm:isPrimary': true,
      ...more,
    };
  }

  async function withSchema() {
    const adobe = await sandbox();
    const group = await adobe.make('fieldgroups', tenantFieldGroups('_tealeaf').event);
    return { ...adobe, id: await adobe.schema('Tea', [XDM_CLASSES.event, group]) };
  }

  it('a primary identity makes its field required in each record', async () => {
    const { id, make, violations, get } = await withSchema();
    expect(violations(id, anEvent('a'))).toEqual([]);
    const descriptor = await make('descriptors', identity(id));
    expect(violations(id, anEvent('a'))).toEqual(['# required']);
    const list = await get(`${REGISTRY}/descriptors`, LINK);
    expect(list.json).toEqual({ 'xdm:descriptorIdentity': [`/tenant/descriptors/${descriptor}`] });
    expect((await get(`${REGISTRY}/descriptors/${descriptor}`)).json).toMatchObject(identity(id));
    const wrong = await get(`${REGISTRY}/descriptors`, { accept: 'application/vnd.adobe.xed-id+json' });
    expect(wrong.text).toContain('XDM-1006-400');
  });

  it('enables a schema without an identity map for Profile', async () => {
    const { make, schema, patch } = await sandbox();
    const group = await make('fieldgroups', tenantFieldGroups('_tealeaf').profile);
    const id = await schema('People', [XDM_CLASSES.profile, group]);
    const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
    const path = `${REGISTRY}/schemas/${encodeURIComponent(id)}`;
    expect((await patch(path, union)).text).toContain('XDM-1528-400');
    await make('descriptors', identity(id, { 'xdm:sourceProperty': '/_tealeaf/capillary/loyaltyType' }));
    expect((await patch(path, union)).status).toBe(200);
  });

  it.each([
    ['an unknown schema', { 'xdm:sourceSchema': 'https://ns.adobe.com/tealeaf/schemas/1' }],
    ['an unknown field', { 'xdm:sourceProperty': '/_tealeaf/capillary/nothing' }],
    ['a field that is no text', { 'xdm:sourceProperty': '/_tealeaf/capillary' }],
    ['a code in another case', { 'xdm:namespace': 'email' }],
    ['an id as a code', { 'xdm:namespace': 6 }],
  ])('refuses %s', async (_name, more) => {
    const { id, post } = await withSchema();
    expect((await post(`${REGISTRY}/descriptors`, identity(id, more))).status).toBe(400);
  });

  it('a schema has one primary identity; others can be added and removed', async () => {
    const { id, make, post, put, del, get } = await withSchema();
    const first = await make('descriptors', identity(id, { 'xdm:namespace': 6, 'xdm:property': 'xdm:id' }));
    expect((await post(`${REGISTRY}/descriptors`, identity(id))).status).toBe(400);
    const path = `${REGISTRY}/descriptors/${first}`;
    expect(await put(path, identity(id, { 'xdm:isPrimary': false }))).toMatchObject({ status: 201 });
    await make('descriptors', identity(id));
    expect((await del(path)).status).toBe(204);
    expect((await get(path)).status).toBe(404);
  });
});
