import { describe, expect, it } from 'vitest';
import type { Simulator } from '../../../../src/simulator/simulator.ts';
import type { Json } from '../adobe-client.ts';
import {
  connectionBody,
  FLOW_SERVICE,
  itemOf,
  itemsOf,
  MAPPED_FLOW,
  PLAIN_FLOW,
  platform,
  STREAMING,
  targetBody,
} from './flow-rig.ts';

const SCHEMA = 'https://ns.adobe.com/demo/schemas/aaaa';
const DATASET = '66f0c1d2e3a4b5c6d7e8f901';
const CONNECTIONS = `${FLOW_SERVICE}/connections`;
const FLOWS = `${FLOW_SERVICE}/flows`;
const MAPPING_SETS = '/data/foundation/conversion/mappingSets';

/** A dataset of a schema, as if the platform API had made both. */
function addDataset(simulator: Simulator, id = DATASET, schemaId = SCHEMA): void {
  const sandbox = simulator.platform.sandbox('dev');
  const times = { createdAt: 0, updatedAt: 0, version: '1.0' };
  sandbox?.schemas.set(schemaId, { id: schemaId, altId: schemaId, body: {}, ...times });
  sandbox?.datasets.set(id, { id, name: id, schemaId, tags: {}, body: {}, ...times });
}

function code(answer: { readonly json: Json }): string {
  return String(answer.json['type']).replace('https://ns.adobe.com/aep/errors/FLOW-', '');
}

describe('connections', () => {
  it('are made with an inlet, which GET shows', async () => {
    const { adobe, simulator } = await platform();
    const made = await adobe.post(CONNECTIONS, connectionBody({ authenticationRequired: true }));
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      etag: expect.stringMatching(/^"[0-9a-f]{8}-0000-0200-0000-[0-9a-f]{12}"$/),
    });
    const { auth, ...item } = itemOf(await adobe.get(`${CONNECTIONS}/${String(made.json['id'])}`));
    expect(item).toMatchObject({ state: 'enabled', name: 'Capillary relay', etag: made.json['etag'] });
    const { params } = auth as { params: Json };
    expect(params).toMatchObject({
      authenticationRequired: true,
      dataType: 'xdm',
      sourceId: 'capillary-relay',
    });
    expect(params['inletId']).toMatch(/^[0-9a-f]{64}$/);
    expect(params['inletUrl']).toBe(`${simulator.url}/collection/${String(params['inletId'])}`);
  });

  it.each([
    ['an empty body', {}, '1405-400'],
    ['no name', connectionBody({}, { name: '' }), '1100-400'],
    ['an unknown specification', connectionBody({}, { connectionSpec: { id: 'x' } }), '1413-400'],
    ['another authentication', connectionBody({}, { auth: { specName: 'Basic' } }), '1415-400'],
    ['an unknown data type', connectionBody({ dataType: 'csv' }), '1100-400'],
  ])('are refused with %s', async (_name, body, expected) => {
    const { adobe } = await platform();
    const answer = await adobe.post(CONNECTIONS, body);
    expect([answer.status, code(answer)]).toEqual([400, expected]);
  });

  it('can have one name, and are found by it', async () => {
    const { adobe, make } = await platform();
    const ids = [await make.connection(), await make.connection()];
    await make.connection({}, { name: 'another' });
    const found = await adobe.get(`${CONNECTIONS}?property=${encodeURIComponent('name==Capillary relay')}`);
    expect(itemsOf(found).map(({ id }) => id)).toEqual(ids);
    expect(itemsOf(await adobe.get(`${CONNECTIONS}?property=name==nothing`))).toEqual([]);
  });

  it('test their connection', async () => {
    const { adobe, make } = await platform();
    const answer = await adobe.get(`${CONNECTIONS}/${await make.connection()}/test`);
    expect(answer).toMatchObject({ status: 200, json: { result: true } });
    const missing = await adobe.get(`${CONNECTIONS}/nothing/test`);
    expect([missing.status, code(missing)]).toEqual([404, '1439-404']);
  });

  it('change only with the current version', async () => {
    const { adobe, make } = await platform();
    const path = `${CONNECTIONS}/${await make.connection()}`;
    const { etag } = itemOf(await adobe.get(path));
    const change = [{ op: 'replace', path: '/name', value: 'Renamed' }];
    const none = await adobe.patch(path, change);
    expect([none.status, code(none)]).toEqual([400, '1403-400']);
    const first = await adobe.patch(path, change, { 'if-match': String(etag) });
    expect(first.status).toBe(200);
    expect(first.json['etag']).not.toBe(etag);
    const stale = await adobe.patch(path, change, { 'if-match': String(etag) });
    expect([stale.status, code(stale)]).toEqual([412, '1404-412']);
    expect(itemOf(await adobe.get(path))).toMatchObject({ name: 'Renamed', etag: first.json['etag'] });
  });

  it.each([
    ['no instruction', [], '1405-400'],
    ['another operation', [{ op: 'move', path: '/name' }], '1434-400'],
    ['a missing member', [{ op: 'replace', path: '/nothing', value: 1 }], '1455-400'],
    ['the specification', [{ op: 'replace', path: '/connectionSpec', value: {} }], '1414-400'],
    ['the state', [{ op: 'replace', path: '/state', value: 'disabled' }], '1455-400'],
  ])('do not change by %s', async (_name, change, expected) => {
    const { adobe, make } = await platform();
    const path = `${CONNECTIONS}/${await make.connection()}`;
    const { etag } = itemOf(await adobe.get(path));
    expect(code(await adobe.patch(path, change, { 'if-match': String(etag) }))).toBe(expected);
  });

  it('cannot be deleted while a flow uses them', async () => {
    const { adobe, make, simulator } = await platform();
    addDataset(simulator);
    const connection = await make.connection();
    const source = await make.source(connection);
    const flow = await make.flow(source, await make.target(DATASET, SCHEMA));
    expect(code(await adobe.del(`${CONNECTIONS}/${connection}`))).toBe('1418-400');
    expect(code(await adobe.del(`${FLOW_SERVICE}/sourceConnections/${source}`))).toBe('1447-400');
    expect((await adobe.del(`${FLOWS}/${flow}`)).status).toBe(204);
    expect((await adobe.del(`${CONNECTIONS}/${connection}`)).status).toBe(204);
    expect((await adobe.get(`${CONNECTIONS}/${connection}`)).status).toBe(404);
  });
});

describe('the sandbox of Flow Service', () => {
  it.each([
    ['is missing', { 'x-sandbox-name': '' }, '2105-400'],
    ['is named by its id', { 'x-sandbox-id': '1' }, '2110-400'],
    ['does not exist', { 'x-sandbox-name': 'other' }, '2100-404'],
  ])('%s', async (_name, headers, expected) => {
    const { adobe } = await platform({ platform: { sandboxes: ['dev'] } });
    expect(code(await adobe.get(CONNECTIONS, headers))).toBe(expected);
  });

  it('has its own objects', async () => {
    const { adobe, make } = await platform();
    const id = await make.connection();
    expect((await adobe.get(`${CONNECTIONS}/${id}`, { 'x-sandbox-name': 'prod' })).status).toBe(404);
  });
});

describe('listings', () => {
  it('have pages, and the token keeps the query', async () => {
    const { adobe, make } = await platform();
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.push(await make.connection({}, { name: `c${n % 2}` }));
    const seen: unknown[] = [];
    let query = '?property=name==c0&limit=2';
    for (let pages = 0; pages < 5 && query !== ''; pages += 1) {
      const answer = await adobe.get(CONNECTIONS + query);
      seen.push(...itemsOf(answer).map(({ id }) => id));
      const { next } = answer.json['_links'] as { next?: { href: string } };
      query = next?.href.replace('/connections', '') ?? '';
    }
    expect(seen).toEqual([made[0], made[2], made[4]]);
  });

  it('are counted, ordered and filtered by several conditions', async () => {
    const { adobe, make } = await platform();
    const [b, a] = [await make.connection({}, { name: 'b' }), await make.connection({}, { name: 'a' })];
    expect((await adobe.get(`${CONNECTIONS}?count=true`)).json).toEqual({ count: 2 });
    expect(code(await adobe.get(`${CONNECTIONS}?count=true&limit=1`))).toBe('1401-400');
    const ids = async (query: string) => itemsOf(await adobe.get(CONNECTIONS + query)).map(({ id }) => id);
    expect(await ids('?orderby=name')).toEqual([a, b]);
    expect(await ids('?orderby=-name')).toEqual([b, a]);
    expect(await ids('?property=name==a,b&property=state==enabled')).toEqual([b, a]);
    expect(await ids('?property=name==a&property=state==disabled')).toEqual([]);
    expect(await ids('?property=name!=a')).toEqual([b]);
    expect(await ids('?property=createdAt>1')).toEqual([b, a]);
    expect(await ids('?property=createdAt<1')).toEqual([]);
    expect(code(await adobe.get(`${CONNECTIONS}?property=name~a`))).toBe('1450-400');
    expect(code(await adobe.get(`${CONNECTIONS}?property=name==`))).toBe('1453-400');
  });

  it('can lag behind', async () => {
    let now = 1_764_000_000_000;
    const { adobe, make } = await platform({ listLagMs: 5_000, now: () => now });
    const id = await make.connection();
    expect(itemsOf(await adobe.get(CONNECTIONS))).toEqual([]);
    expect(itemOf(await adobe.get(`${CONNECTIONS}/${id}`))).toMatchObject({ id });
    now += 5_000;
    expect(itemsOf(await adobe.get(CONNECTIONS))).toHaveLength(1);
  });
});

describe('source and target connections', () => {
  it('belong to a base connection, and to a dataset with its schema', async () => {
    const { adobe, make, simulator } = await platform();
    addDataset(simulator);
    const base = await make.connection();
    const source = await make.source(base);
    const found = await adobe.get(`${FLOW_SERVICE}/sourceConnections?property=baseConnectionId==${base}`);
    expect(itemsOf(found)).toMatchObject([{ id: source, baseConnectionId: base }]);
    const lost = { name: 's', baseConnectionId: 'x', connectionSpec: STREAMING };
    expect(code(await adobe.post(`${FLOW_SERVICE}/sourceConnections`, lost))).toBe('1101-404');
    const targets = `${FLOW_SERVICE}/targetConnections`;
    const target = await make.target(DATASET, SCHEMA);
    expect(itemOf(await adobe.get(`${targets}/${target}`))).toMatchObject({ params: { dataSetId: DATASET } });
    expect(code(await adobe.post(targets, targetBody('nothing', SCHEMA)))).toBe('1101-404');
    expect(code(await adobe.post(targets, targetBody(DATASET, 'https://other')))).toBe('1425-400');
  });
});

describe('flows', () => {
  async function parts(params: Json = {}) {
    const rig = await platform();
    addDataset(rig.simulator);
    const source = await rig.make.source(await rig.make.connection(params));
    return { ...rig, source, target: await rig.make.target(DATASET, SCHEMA) };
  }

  it('connect a source and a target, and are found by them', async () => {
    const { adobe, make, source, target } = await parts();
    const flow = await make.flow(source, target);
    const item = itemOf(await adobe.get(`${FLOWS}/${flow}`));
    expect(item).toMatchObject({
      state: 'enabled',
      runs: `/runs?property=flowId==${flow}`,
      options: { inletUrl: expect.stringContaining('/collection/') },
      inheritedAttributes: { sourceConnections: [{ id: source }], targetConnections: [{ id: target }] },
    });
    const found = await adobe.get(`${FLOWS}?property=sourceConnectionIds[]==${source}`);
    expect(itemsOf(found).map(({ id }) => id)).toEqual([flow]);
  });

  it.each([
    ['a state', { state: 'enabled' }, '1410-400'],
    ['an unknown specification', { flowSpec: { id: 'x' } }, '1413-400'],
    ['no source', { sourceConnectionIds: [] }, '1100-400'],
    ['a missing target', { targetConnectionIds: ['x'] }, '1101-404'],
    ['the specification with a mapping, and none', { flowSpec: MAPPED_FLOW }, '1100-400'],
  ])('are refused with %s', async (_name, more, expected) => {
    const { adobe, source, target } = await parts();
    const body = {
      name: 'f',
      flowSpec: PLAIN_FLOW,
      sourceConnectionIds: [source],
      targetConnectionIds: [target],
    };
    expect(code(await adobe.post(FLOWS, { ...body, ...more }))).toBe(expected);
  });

  it('are disabled and enabled by an action, which needs no body', async () => {
    const { adobe, make, source, target } = await parts();
    const path = `${FLOWS}/${await make.flow(source, target)}`;
    const before = itemOf(await adobe.get(path));
    const act = (op: string, headers = {}) =>
      adobe.call('POST', `${path}/action?op=${op}`, undefined, headers);
    expect(code(await act('enable'))).toBe('1422-400');
    expect(code(await act('vanish'))).toBe('1434-400');
    expect(code(await act('disable', { 'if-match': '"old"' }))).toBe('1404-412');
    const answer = await act('disable');
    expect(answer.status).toBe(200);
    expect(itemOf(await adobe.get(path))).toMatchObject({ state: 'disabled', etag: answer.json['etag'] });
    expect(answer.json['etag']).not.toBe(before['etag']);
    expect((await act('ENABLE')).status).toBe(200);
  });

  it('of raw data need a mapping set of the schema of the dataset', async () => {
    const { adobe, source, target, simulator } = await parts({ dataType: 'raw' });
    addDataset(simulator, 'other', 'https://ns.adobe.com/demo/schemas/bbbb');
    const body = {
      name: 'f',
      flowSpec: PLAIN_FLOW,
      sourceConnectionIds: [source],
      targetConnectionIds: [target],
    };
    expect(code(await adobe.post(FLOWS, body))).toBe('1100-400');
    const set = async (id: string) => {
      const answer = await adobe.post(MAPPING_SETS, {
        outputSchema: { schemaRef: { id, contentType: 'application/vnd.adobe.xed-full+json;version=1' } },
        mappings: [{ sourceType: 'ATTRIBUTE', source: 'customer.mobile', destination: 'mobilePhone.number' }],
      });
      expect(answer).toMatchObject({ status: 200, json: { version: 0 } });
      return String(answer.json['id']);
    };
    const mapped = (mappingId: string, mappingVersion = 0) => ({
      ...body,
      flowSpec: MAPPED_FLOW,
      transformations: [{ name: 'Mapping', params: { mappingId, mappingVersion } }],
    });
    const id = await set(SCHEMA);
    expect(code(await adobe.post(FLOWS, mapped('nothing')))).toBe('1419-400');
    expect(code(await adobe.post(FLOWS, mapped(id, 3)))).toBe('1412-400');
    expect(code(await adobe.post(FLOWS, mapped(await set('https://ns.adobe.com/demo/schemas/bbbb'))))).toBe(
      '1425-400',
    );
    expect((await adobe.post(FLOWS, mapped(id))).status).toBe(201);
    expect((await adobe.get(`${MAPPING_SETS}/${id}`)).json).toMatchObject({ id, version: 0 });
    expect((await adobe.get(MAPPING_SETS)).json).toMatchObject({ _page: { count: 2 } });
  });
});

describe('mapping sets', () => {
  it.each([
    ['no mappings', { mappings: [] }],
    ['a mapping without a source', { mappings: [{ destination: 'x' }] }],
    [
      'an unknown schema',
      { outputSchema: { schemaRef: { id: 'x' } }, mappings: [{ source: 'a', destination: 'b' }] },
    ],
  ])('are refused with %s', async (_name, body) => {
    const { adobe } = await platform();
    expect((await adobe.post(MAPPING_SETS, body)).status).toBe(400);
    expect((await adobe.post(`${MAPPING_SETS}/validate`, body)).status).toBe(400);
  });

  it('can be written in the older form, at both addresses', async () => {
    const { adobe, simulator } = await platform();
    addDataset(simulator);
    const old = {
      version: 0,
      xdmSchema: SCHEMA,
      xdmVersion: '1.0',
      mappings: [{ destinationXdmPath: 'person.name.firstName', sourceAttribute: 'name', version: 0 }],
    };
    const answer = await adobe.post('/data/foundation/mappingSets', old);
    expect(answer.status).toBe(200);
    const set = (await adobe.get(`${MAPPING_SETS}/${String(answer.json['id'])}`)).json;
    expect(set).toMatchObject({ outputSchema: { schemaRef: { id: SCHEMA } } });
  });
});
