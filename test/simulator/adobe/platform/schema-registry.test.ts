import { describe, expect, it } from 'vitest';
import { STANDARD_GROUPS, XDM_CLASSES } from '../../../../src/xdm/standard-groups.ts';
import { tenantFieldGroups } from '../../../../src/xdm/tenant-field-groups.ts';
import type { PlatformOptions } from '../../../../src/simulator/adobe/platform/platform-state.ts';
import { type Json, simulate } from '../adobe-client.ts';
import { platformClient } from './platform-client.ts';

const BASE = '/data/foundation/schemaregistry';
const GROUPS = `${BASE}/tenant/fieldgroups`;
const SCHEMAS = `${BASE}/tenant/schemas`;
const FULL = { accept: 'application/vnd.adobe.xed-full+json;version=1' };
const RAW = { accept: 'application/vnd.adobe.xed+json; version=1' };
const IDS = { accept: 'application/vnd.adobe.xed-id+json' };
const IDENTITY_MAP = 'https://ns.adobe.com/xdm/context/identitymap';
const PERSON = 'https://ns.adobe.com/xdm/context/profile-person-details';
const LOYALTY = 'https://ns.adobe.com/xdm/mixins/profile/profile-loyalty-details';

async function registry(options: PlatformOptions = {}) {
  const simulator = await simulate({ platform: { tenantId: 'tealeaf', ...options } });
  const adobe = await platformClient(simulator);
  return { simulator, ...adobe };
}

type Registry = Awaited<ReturnType<typeof registry>>;

function groupBody(properties: Json, more: Json = {}): Json {
  return {
    type: 'object',
    title: 'Tea',
    'meta:intendedToExtend': [XDM_CLASSES.event],
    definitions: {
      customFields: { type: 'object', properties: { _tealeaf: { type: 'object', properties } } },
    },
    allOf: [{ $ref: '#/definitions/customFields', type: 'object', 'meta:xdmType': 'object' }],
    ...more,
  };
}

function schemaBody(title: string, references: readonly string[], more: Json = {}): Json {
  return { type: 'object', title, allOf: references.map((ref) => ({ $ref: ref })), ...more };
}

async function made(adobe: Registry, path: string, body: Json): Promise<string> {
  const answer = await adobe.post(path, body);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json['$id'] as string;
}

function at(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}

describe('Accept', () => {
  it.each([
    ['none', '*/*'],
    ['of a list', 'application/vnd.adobe.xed-id+json'],
    ['without a version', 'application/vnd.adobe.xed-full+json'],
    ['with a version that does not exist', 'application/vnd.adobe.xed-full+json;version=2'],
    ['plain JSON', 'application/json'],
  ])('a look-up is refused: %s', async (_name, accept) => {
    const { get } = await registry();
    const answer = await get(at(`${BASE}/global/classes`, XDM_CLASSES.event), { accept });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      type: expect.stringContaining('XDM-1006-400'),
      title: 'Accept header invalid',
    });
  });

  it('a list is refused with a version, and has ids or whole resources', async () => {
    const { get } = await registry();
    const path = `${BASE}/global/fieldgroups`;
    expect((await get(path, RAW)).status).toBe(400);
    expect((await get(path, { accept: 'application/json' })).status).toBe(400);
    const ids = (await get(path, IDS)).json['results'] as Json[];
    expect(ids).toContainEqual({
      $id: PERSON,
      'meta:altId': '_xdm.context.profile-person-details',
      version: '1.60.2',
      title: 'Demographic Details',
    });
    const whole = (await get(path, { accept: 'application/vnd.adobe.xed+json' })).json['results'] as Json[];
    expect(whole.find(({ $id }) => $id === PERSON)).toMatchObject({
      'meta:intendedToExtend': [XDM_CLASSES.profile, XDM_CLASSES.event],
    });
  });
});

describe('Adobe’s own resources', () => {
  it('every group that the relay needs is there, by $id and by meta:altId, with types', async () => {
    const { get } = await registry();
    for (const { id, fields, title } of STANDARD_GROUPS) {
      const answer = await get(at(`${BASE}/global/fieldgroups`, id), FULL);
      expect(answer).toMatchObject({ status: 200, json: { $id: id, title, 'meta:resourceType': 'mixins' } });
      expect(Object.keys(answer.json['properties'] as Json)).toEqual(expect.arrayContaining([...fields]));
    }
    const loyalty = await get(`${BASE}/global/fieldgroups/_xdm.mixins.profile.profile-loyalty-details`, FULL);
    expect(loyalty.json).toMatchObject({
      properties: {
        loyalty: {
          type: 'object',
          properties: {
            loyaltyID: { type: 'array', items: { type: 'string' } },
            tierUpgradeDate: { type: 'string', format: 'date-time' },
            rewards: {
              properties: { coupons: { items: { properties: { redemptionCount: { type: 'integer' } } } } },
            },
          },
        },
      },
    });
  });

  it('an event has an identity map by its class, a profile does not', async () => {
    const { get } = await registry();
    const classes = `${BASE}/global/classes`;
    expect((await get(at(classes, XDM_CLASSES.event), FULL)).json).toMatchObject({
      required: ['_id', 'timestamp'],
      properties: { identityMap: { type: 'object' } },
    });
    const profile = await get(at(classes, XDM_CLASSES.profile), FULL);
    expect(profile.json['properties']).not.toHaveProperty('identityMap');
  });

  it('a sandbox can lack groups, and the loyalty fields of 2026', async () => {
    const events = 'https://ns.adobe.com/xdm/context/experienceevent-loyalty-details';
    const { get } = await registry({ withoutGroups: [events], loyalty2026: false });
    const missing = await get(at(`${BASE}/global/fieldgroups`, events), FULL);
    expect(missing).toMatchObject({ status: 404, json: { title: 'Resource not found' } });
    const loyalty = await get(at(`${BASE}/global/fieldgroups`, LOYALTY), FULL);
    const { properties } = (loyalty.json['properties'] as { loyalty: { properties: Json } }).loyalty;
    expect(Object.keys(properties)).toHaveLength(9);
  });

  it('cannot be written', async () => {
    const { post } = await registry();
    expect((await post(`${BASE}/global/fieldgroups`, groupBody({}))).status).toBe(404);
  });
});

describe('field groups of the tenant', () => {
  it('takes the relay’s own, and shows them resolved', async () => {
    const adobe = await registry();
    const id = await made(adobe, GROUPS, tenantFieldGroups('_tealeaf').event);
    expect(id).toMatch(/^https:\/\/ns\.adobe\.com\/tealeaf\/mixins\/[0-9a-f]{48}$/);
    const full = await adobe.get(at(GROUPS, id), FULL);
    expect(full.json).toMatchObject({
      version: '1.0',
      'meta:containerId': 'tenant',
      properties: { _tealeaf: { properties: { capillary: { type: 'object' } } } },
    });
    expect(full.json).not.toHaveProperty('allOf');
    const raw = await adobe.get(at(GROUPS, id), RAW);
    expect(raw.json).toHaveProperty('definitions');
    expect(raw.headers.get('etag')).toBe(full.headers.get('etag'));
  });

  it.each([
    [
      'fields outside the tenant',
      groupBody(
        {},
        { definitions: { customFields: { type: 'object', properties: { till: { type: 'string' } } } } },
      ),
      'XDM-1021-400',
    ],
    ['a field without a type', groupBody({ till: { title: 'Till' } }), 'no type'],
    ['a name that begins with _', groupBody({ _till: { type: 'string' } }), '_till'],
    ['no class', groupBody({}, { 'meta:intendedToExtend': [] }), 'meta:intendedToExtend'],
    [
      'an unknown class',
      groupBody({}, { 'meta:intendedToExtend': ['https://ns.adobe.com/xdm/context/nothing'] }),
      'unknown class',
    ],
    [
      'an unknown reference',
      groupBody({ till: { type: 'object', $ref: 'https://ns.adobe.com/tealeaf/datatypes/1' } }),
      'datatypes/1',
    ],
    ['no title', groupBody({}, { title: '' }), 'title'],
  ])('refuses %s', async (_name, body, text) => {
    const { post } = await registry();
    const answer = await post(GROUPS, body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
  });

  it('resolves references between its definitions, also in lists and maps', async () => {
    const adobe = await registry();
    const till = { type: 'string', title: 'Till', enum: ['a', 'b'] };
    const fields = {
      one: { $ref: '#/definitions/till' },
      list: { type: 'array', items: { $ref: '#/definitions/till' } },
      map: { type: 'object', additionalProperties: { $ref: '#/definitions/till' } },
    };
    const body = groupBody(fields);
    const definitions = { ...(body['definitions'] as Json), till };
    const id = await made(adobe, GROUPS, { ...body, definitions });
    const full = await adobe.get(at(GROUPS, id), FULL);
    expect(full.json).toMatchObject({
      properties: {
        _tealeaf: {
          properties: { one: till, list: { items: till }, map: { additionalProperties: till } },
        },
      },
    });
    const circular = {
      ...definitions,
      till: { type: 'object', properties: { self: { $ref: '#/definitions/till' } } },
    };
    const refused = await adobe.post(GROUPS, { ...body, title: 'Other', definitions: circular });
    expect(refused).toMatchObject({ status: 400, json: { detail: 'A reference leads to itself.' } });
  });

  it('refuses a title that any resource of the tenant has', async () => {
    const adobe = await registry();
    const id = await made(adobe, GROUPS, groupBody({ till: { type: 'string' } }));
    const schema = await adobe.post(SCHEMAS, schemaBody('Tea', [XDM_CLASSES.event]));
    expect(schema).toMatchObject({ status: 400, json: { title: 'Title not unique' } });
    expect(schema.text).toContain('XDM-1521-400');
    expect(schema.text).toContain(id);
  });

  it('an unused one can be changed in any way, a used one only extended', async () => {
    const adobe = await registry();
    const id = await made(adobe, GROUPS, groupBody({ till: { type: 'string' } }));
    const put = (properties: Json) => adobe.put(at(GROUPS, id), groupBody(properties));
    expect(await put({ till: { type: 'integer' } })).toMatchObject({ status: 200, json: { version: '1.1' } });
    await made(
      adobe,
      SCHEMAS,
      schemaBody('Tea events', [XDM_CLASSES.event, id], { 'meta:immutableTags': ['union'] }),
    );
    const changed = await put({ till: { type: 'string' } });
    expect(changed.status).toBe(400);
    expect(changed.text).toContain('/_tealeaf/till');
    expect((await put({})).text).toContain('cannot be removed');
    const extended = { till: { type: 'integer' }, shelf: { type: 'string', title: 'Shelf' } };
    expect(await put(extended)).toMatchObject({ status: 200, json: { version: '1.2' } });
    expect((await adobe.get(at(SCHEMAS, await onlySchema(adobe)), FULL)).text).toContain('shelf');
    expect((await adobe.del(at(GROUPS, id))).status).toBe(400);
  });
});

async function onlySchema(adobe: Registry): Promise<string> {
  const { results } = (await adobe.get(SCHEMAS, IDS)).json as { results: [{ $id: string }] };
  return results[0].$id;
}

describe('schemas', () => {
  it('is composed of a class and its groups', async () => {
    const adobe = await registry();
    const id = await made(adobe, SCHEMAS, schemaBody('People', [XDM_CLASSES.profile, IDENTITY_MAP, PERSON]));
    const full = await adobe.get(at(SCHEMAS, id), FULL);
    expect(full.json).toMatchObject({
      'meta:class': XDM_CLASSES.profile,
      'meta:extends': [XDM_CLASSES.profile, IDENTITY_MAP, PERSON],
      properties: { identityMap: {}, person: { properties: { birthDate: { format: 'date' } } } },
    });
    const altId = full.json['meta:altId'] as string;
    expect((await adobe.get(`${SCHEMAS}/${altId}`, FULL)).json['$id']).toBe(id);
  });

  it.each([
    ['no class', [IDENTITY_MAP], 'exactly one class'],
    ['two classes', [XDM_CLASSES.profile, XDM_CLASSES.event], 'exactly one class'],
    ['a group of another class', [XDM_CLASSES.event, LOYALTY], 'not compatible'],
    ['an unknown group', [XDM_CLASSES.event, 'https://ns.adobe.com/xdm/context/none'], 'cannot be resolved'],
  ])('refuses %s', async (_name, references, text) => {
    const { post } = await registry();
    const answer = await post(SCHEMAS, schemaBody('Tea', references));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
  });

  it('refuses a part that is no reference', async () => {
    const { post } = await registry();
    const body = schemaBody('Tea', [XDM_CLASSES.event]);
    const answer = await post(SCHEMAS, { ...body, allOf: [...(body['allOf'] as object[]), {}] });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('must have a $ref');
  });

  it('are found by title, which has to be encoded', async () => {
    const adobe = await registry();
    const title = 'Tea [capillary-aep-relay:aep] & more';
    const id = await made(adobe, SCHEMAS, schemaBody(title, [XDM_CLASSES.event]));
    await made(adobe, SCHEMAS, schemaBody('Other', [XDM_CLASSES.event]));
    const found = await adobe.get(`${SCHEMAS}?property=${encodeURIComponent(`title==${title}`)}`, IDS);
    expect(found.json['results']).toEqual([expect.objectContaining({ $id: id, title })]);
    expect((await adobe.get(`${SCHEMAS}?property=title==None`, IDS)).json['results']).toEqual([]);
  });

  it('pages only in an order, from a value and not from a position', async () => {
    const adobe = await registry();
    for (const title of ['C', 'A', 'D', 'B']) {
      await made(adobe, SCHEMAS, schemaBody(title, [XDM_CLASSES.event]));
    }
    expect((await adobe.get(`${SCHEMAS}?limit=2`, IDS)).status).toBe(400);
    const titles = async (query: string) => {
      const { json } = await adobe.get(`${SCHEMAS}?orderby=title&${query}`, IDS);
      return { titles: (json['results'] as Json[]).map(({ title }) => title), page: json['_page'] };
    };
    expect(await titles('limit=3')).toEqual({
      titles: ['A', 'B', 'C'],
      page: { orderby: 'title', next: 'C', count: 3 },
    });
    expect(await titles('limit=3&start=C')).toMatchObject({ titles: ['D'], page: { next: null } });
  });

  it('If-Match refuses a change of what has changed meanwhile', async () => {
    const adobe = await registry();
    const id = await made(adobe, SCHEMAS, schemaBody('Tea', [XDM_CLASSES.event]));
    const etag = (await adobe.get(at(SCHEMAS, id), RAW)).headers.get('etag') ?? '';
    const setText = (text: string) =>
      adobe.patch(at(SCHEMAS, id), [{ op: 'add', path: '/description', value: text }], { 'if-match': etag });
    expect((await setText('green')).status).toBe(200);
    expect((await setText('black')).status).toBe(412);
  });
});

describe('the tag union', () => {
  it('is added once and never removed, and makes a schema only extensible', async () => {
    const adobe = await registry();
    const body = schemaBody('People', [XDM_CLASSES.profile, IDENTITY_MAP, PERSON]);
    const path = at(SCHEMAS, await made(adobe, SCHEMAS, body));
    const added = await adobe.patch(path, [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }]);
    expect(added).toMatchObject({ status: 200, json: { 'meta:immutableTags': ['union'], version: '1.1' } });
    expect((await adobe.patch(path, [{ op: 'remove', path: '/meta:immutableTags' }])).status).toBe(400);
    expect((await adobe.put(path, body)).json['meta:immutableTags']).toEqual(['union']);
    const removed = await adobe.patch(path, [{ op: 'remove', path: '/allOf/2' }]);
    expect(removed).toMatchObject({ status: 400, json: { title: 'BadRequestError' } });
    expect(removed.text).toContain('/person');
    const extended = await adobe.patch(path, [
      { op: 'add', path: '/meta:extends/-', value: LOYALTY },
      { op: 'add', path: '/allOf/-', value: { $ref: LOYALTY } },
    ]);
    expect(extended).toMatchObject({
      status: 200,
      json: { 'meta:extends': expect.arrayContaining([LOYALTY]) },
    });
    expect((await adobe.del(path)).status).toBe(400);
  });

  it('needs an identity', async () => {
    const { post } = await registry();
    const answer = await post(
      SCHEMAS,
      schemaBody('P', [XDM_CLASSES.profile], { 'meta:immutableTags': ['union'] }),
    );
    expect(answer).toMatchObject({ status: 400, json: { title: 'Union descriptor validation error' } });
    expect(answer.text).toContain('XDM-1528-400');
  });

  it('needs types that fit the other schemas of the class', async () => {
    const adobe = await registry();
    const union = { 'meta:immutableTags': ['union'] };
    const text = await made(adobe, GROUPS, groupBody({ till: { type: 'string' } }, { title: 'Text' }));
    const number = await made(adobe, GROUPS, groupBody({ till: { type: 'number' } }, { title: 'Number' }));
    await made(adobe, SCHEMAS, schemaBody('One', [XDM_CLASSES.event, text], union));
    const answer = await adobe.post(SCHEMAS, schemaBody('Two', [XDM_CLASSES.event, number], union));
    expect(answer).toMatchObject({ status: 400, json: { title: 'Merge Schema Error' } });
    expect(answer.text).toContain('/_tealeaf/till');
    expect(answer.text).toContain('XDM-1413-400');
    await made(adobe, SCHEMAS, schemaBody('Two', [XDM_CLASSES.event, number]));
  });
});

describe('sandboxes and permissions', () => {
  it('another sandbox does not see the objects, and reset removes them only if asked', async () => {
    const adobe = await registry();
    const id = await made(adobe, SCHEMAS, schemaBody('Tea', [XDM_CLASSES.event]));
    const other = await platformClient(adobe.simulator, { sandbox: 'prod' });
    expect((await other.get(at(SCHEMAS, id), FULL)).status).toBe(404);
    adobe.simulator.reset();
    expect((await adobe.get(at(SCHEMAS, id), FULL)).status).toBe(200);
    adobe.simulator.reset(true);
    expect((await adobe.get(at(SCHEMAS, id), FULL)).status).toBe(404);
  });

  it('reading needs View Schemas or Manage Schemas, writing Manage Schemas', async () => {
    const viewer = await registry({ permissions: { 'tealeaf-client': ['View Schemas'] } });
    expect((await viewer.get(SCHEMAS, IDS)).status).toBe(200);
    const refused = await viewer.post(SCHEMAS, schemaBody('Tea', [XDM_CLASSES.event]));
    expect(refused).toMatchObject({ status: 403, json: { title: 'Insufficient permissions' } });
    expect(refused.text).toContain('Manage Schemas');
    const manager = await registry({ permissions: { 'tealeaf-client': ['Manage Schemas'] } });
    expect((await manager.get(SCHEMAS, IDS)).status).toBe(200);
  });
});
