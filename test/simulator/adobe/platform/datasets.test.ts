import { describe, expect, it } from 'vitest';
import { XDM_CLASSES } from '../../../../src/xdm/standard-groups.ts';
import { datasetUses } from '../../../../src/simulator/adobe/platform/dataset-tags.ts';
import { type Json, simulate } from '../adobe-client.ts';
import { platformClient } from './platform-client.ts';

const PATH = '/data/foundation/catalog/dataSets';
const V2 = '/data/foundation/catalog/v2/dataSets';
const SCHEMAS = '/data/foundation/schemaregistry/tenant/schemas';
const FULL_TYPE = 'application/vnd.adobe.xed-full+json;version=1';
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const ENABLED = { unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] };

/** A client, and the ids of one schema with the tag union and one without. */
async function catalog() {
  const simulator = await simulate();
  const adobe = await platformClient(simulator);
  const schema = async (title: string, more: Json): Promise<string> => {
    const body = { type: 'object', title, allOf: [{ $ref: XDM_CLASSES.event }], ...more };
    return (await adobe.post(SCHEMAS, body)).json['$id'] as string;
  };
  const union = await schema('Union', { 'meta:immutableTags': ['union'] });
  const plain = await schema('Plain', {});
  const dataset = (name: string, more: Json = {}, id = union): Json => ({
    name,
    schemaRef: { id, contentType: FULL_TYPE },
    ...more,
  });
  const make = async (...args: Parameters<typeof dataset>): Promise<string> => {
    const answer = await adobe.post(`${PATH}?requestDataSource=true`, dataset(...args));
    const [reference = ''] = JSON.parse(answer.text) as string[];
    return reference.replace('@/dataSets/', '');
  };
  const read = async (id: string): Promise<Json> => (await adobe.get(`${PATH}/${id}`)).json[id] as Json;
  return { simulator, ...adobe, union, plain, dataset, make, read };
}

describe('datasets', () => {
  it('are answered with a reference, and read as an object by id', async () => {
    const adobe = await catalog();
    const answer = await adobe.post(PATH, adobe.dataset('Tea', { tags: ENABLED }));
    expect(answer.status).toBe(201);
    const [reference = ''] = JSON.parse(answer.text) as string[];
    expect(reference).toMatch(/^@\/dataSets\/[0-9a-f]{24}$/);
    const id = reference.slice('@/dataSets/'.length);
    expect(await adobe.read(id)).toMatchObject({
      name: 'Tea',
      version: '1.0.0',
      schemaRef: { id: adobe.union },
      tags: { ...ENABLED, 'adobe/pqs/table': [expect.stringContaining('tea_')] },
    });
    expect((await adobe.get(`${PATH}/${'0'.repeat(24)}`)).status).toBe(404);
  });

  it('the same call again makes another one: names are not unique', async () => {
    const adobe = await catalog();
    const [first, second] = [await adobe.make('Tea'), await adobe.make('Tea')];
    await adobe.make('Other');
    const found = await adobe.get(`${PATH}?name=Tea`);
    expect(Object.keys(found.json)).toEqual([first, second]);
    expect((await adobe.get(`${PATH}?name=None`)).json).toEqual({});
  });

  it('a list has 20 unless limit says otherwise, and nothing tells that there are more', async () => {
    const adobe = await catalog();
    for (let count = 0; count < 23; count += 1) await adobe.make(`Tea ${count}`);
    const size = async (query: string) => Object.keys((await adobe.get(`${PATH}?${query}`)).json).length;
    expect(await size('')).toBe(20);
    expect(await size('limit=100')).toBe(23);
    expect(await size('start=20')).toBe(3);
    expect((await adobe.get(`${PATH}?limit=0`)).status).toBe(400);
    expect((await adobe.get(`${PATH}?limit=101`)).status).toBe(400);
    const [first] = Object.values((await adobe.get(`${PATH}?orderBy=desc:name&properties=name`)).json);
    expect(first).toEqual({ name: 'Tea 9' });
  });

  it('are found by tags', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', { tags: ENABLED });
    await adobe.make('Other');
    for (const filter of ['unifiedProfile:enabled:true', 'unifiedIdentity:*,unifiedProfile:enabled*']) {
      expect(Object.keys((await adobe.get(`${PATH}?tags=${filter}`)).json)).toEqual([id]);
    }
  });

  it.each([
    [
      'an unknown schema',
      { schemaRef: { id: 'https://ns.adobe.com/x/schemas/1', contentType: FULL_TYPE } },
      'schemas/1',
    ],
    [
      'a content type without a version',
      { schemaRef: { contentType: 'application/vnd.adobe.xed-full+json' } },
      'contentType',
    ],
    ['tags that are not lists', { tags: { unifiedProfile: 'enabled:true' } }, 'unifiedProfile'],
  ])('refuses %s', async (_name, more: Json, text) => {
    const adobe = await catalog();
    const body = adobe.dataset('Tea');
    const schemaRef = { ...(body['schemaRef'] as Json), ...(more['schemaRef'] as Json | undefined) };
    const answer = await adobe.post(PATH, { ...body, ...more, schemaRef });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
  });

  it('Profile needs a schema with the tag union', async () => {
    const adobe = await catalog();
    const answer = await adobe.post(PATH, adobe.dataset('Tea', { tags: ENABLED }, adobe.plain));
    expect(answer).toMatchObject({
      status: 400,
      json: { detail: 'To enable profile datasets the schema should be valid' },
    });
    expect((await adobe.post(PATH, adobe.dataset('Tea', {}, adobe.plain))).status).toBe(201);
  });
});

describe('PATCH of a dataset', () => {
  it('with fields replaces tags as a whole, but for Adobe’s own', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', { tags: { ...ENABLED, brand: ['tea'] } });
    const answer = await adobe.patch(`${PATH}/${id}`, { tags: { unifiedProfile: ['enabled:false'] } });
    expect(JSON.parse(answer.text)).toEqual([`@/dataSets/${id}`]);
    expect(await adobe.read(id)).toMatchObject({ version: '1.0.1', name: 'Tea' });
    const { tags } = (await adobe.read(id)) as { tags: Record<string, string[]> };
    expect(Object.keys(tags)).toEqual(['adobe/pqs/table', 'unifiedProfile']);
    expect(datasetUses({ tags })).toEqual({ profile: false, identity: false });
  });

  it('with JSON Patch changes one tag, and needs its content type', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', { tags: { brand: ['tea'] } });
    const patch = [{ op: 'add', path: '/tags/unifiedProfile', value: ['enabled:true', 'isUpsert:true'] }];
    expect((await adobe.patch(`${PATH}/${id}`, patch)).status).toBe(400);
    expect((await adobe.patch(`${PATH}/${id}`, patch, JSON_PATCH)).status).toBe(200);
    expect(await adobe.read(id)).toMatchObject({ tags: { brand: ['tea'], unifiedProfile: patch[0]?.value } });
    const missing = [{ op: 'replace', path: '/tags/none', value: [] }];
    expect((await adobe.patch(`${PATH}/${id}`, missing, JSON_PATCH)).status).toBe(400);
  });

  it('of the second version changes nested fields alone', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', { tags: { brand: ['tea'] } });
    expect((await adobe.patch(`${V2}/${id}`, { tags: ENABLED })).status).toBe(200);
    expect(await adobe.read(id)).toMatchObject({ tags: { brand: ['tea'], ...ENABLED } });
  });

  it('with If-Match is refused once the version has changed', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea');
    const rename = (name: string) => adobe.patch(`${V2}/${id}`, { name }, { 'if-match': '1.0.0' });
    expect((await rename('Black tea')).status).toBe(200);
    expect((await rename('Green tea')).status).toBe(412);
  });

  it('cannot change the schema, nor enable a schema without the tag for Profile', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', {}, adobe.plain);
    const other = { schemaRef: { id: adobe.union, contentType: FULL_TYPE } };
    expect((await adobe.patch(`${PATH}/${id}`, other)).status).toBe(400);
    expect((await adobe.patch(`${PATH}/${id}`, { tags: ENABLED })).status).toBe(400);
  });

  it('fails once the dataset is deleted', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea');
    expect((await adobe.del(`${PATH}/${id}`)).status).toBe(200);
    expect((await adobe.patch(`${PATH}/${id}`, { name: 'Other' })).status).toBe(404);
  });
});

describe('a schema with a dataset', () => {
  it('can only be extended', async () => {
    const adobe = await catalog();
    const path = `${SCHEMAS}/${encodeURIComponent(adobe.plain)}`;
    const commerce = {
      op: 'add',
      path: '/allOf/-',
      value: { $ref: 'https://ns.adobe.com/xdm/context/experienceevent-commerce' },
    };
    expect((await adobe.patch(path, [commerce])).status).toBe(200);
    const remove = [{ op: 'remove', path: '/allOf/1' }];
    expect((await adobe.patch(path, remove)).status).toBe(200);
    await adobe.patch(path, [commerce]);
    await adobe.make('Tea', {}, adobe.plain);
    const refused = await adobe.patch(path, remove);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('/commerce');
    expect((await adobe.del(path)).status).toBe(400);
  });
});

describe('GET /_sim/platform', () => {
  it('summarises the objects by sandbox', async () => {
    const adobe = await catalog();
    const id = await adobe.make('Tea', { tags: ENABLED });
    const summary = (await (await fetch(`${adobe.simulator.url}/_sim/platform`)).json()) as Json;
    expect(summary).toMatchObject({
      tenantId: 'demo',
      sandboxes: [
        {
          name: 'dev',
          namespaces: [],
          schemas: [
            { title: 'Union', union: true, class: XDM_CLASSES.event },
            { title: 'Plain', union: false },
          ],
          datasets: [{ id, name: 'Tea', schemaId: adobe.union, profile: true, identity: true }],
          flows: [],
        },
      ],
    });
    await fetch(`${adobe.simulator.url}/_sim/reset?objects=true`, { method: 'POST' });
    const empty = (await (await fetch(`${adobe.simulator.url}/_sim/platform`)).json()) as Json;
    expect(empty['sandboxes']).toEqual([]);
  });
});
