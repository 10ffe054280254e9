import { describe, expect, it } from 'vitest';
import { aProfile, anEvent, type Json, type xdm } from '../adobe-client.ts';
import { FLOW_SERVICE, MAPPED_FLOW, setUp } from './flow-rig.ts';

type Rig = Awaited<ReturnType<typeof setUp>>;

/** Sends one message, which must be accepted, and returns its record when its fate has shown. */
async function fateOf(rig: Rig, message: unknown, query = '', headers: Json = {}) {
  const answer = await rig.send(message, query, headers);
  expect(answer.status).toBe(200);
  await rig.settled();
  return rig.simulator.landed().at(-1);
}

const INGESTED = { state: 'ingested', inLake: true, inProfile: true, batchId: expect.any(String) };
const LAKE_ONLY = { state: 'ingested', inLake: true, inProfile: false, batchId: expect.any(String) };
const FAILED = { state: 'failed', inLake: false, inProfile: false, batchId: expect.any(String) };
const LOST = { state: 'lost', inLake: false, inProfile: false };

describe('a record at the inlet of a connection', () => {
  it('is in the lake after the delay, and in Profile', async () => {
    const rig = await setUp({ validationDelayMs: 50 });
    await rig.sendAll([rig.envelope(anEvent('a')), rig.envelope(anEvent('b'))]);
    expect(rig.simulator.landed()).toMatchObject([{ fate: { state: 'pending' } }, { id: 'b', dropped: [] }]);
    expect(rig.simulator.lake()).toEqual([]);
    const stats = await rig.settled();
    expect(stats.fates).toEqual({ pending: 0, inLake: 2, inProfile: 2, failed: 0, lost: 0 });
    expect(rig.simulator.lake(rig.datasetId).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(rig.simulator.lake('another')).toEqual([]);
    expect(rig.simulator.landed()).toMatchObject([
      { sandbox: 'dev', flowId: rig.flowId, fate: INGESTED },
      { fate: INGESTED },
    ]);
    expect(rig.simulator.profile({ namespace: 'crmId', id: 'tara-1' })).toMatchObject({ events: 2 });
    const lake = (await (
      await fetch(`${rig.simulator.url}/_sim/lake?datasetId=${rig.datasetId}`)
    ).json()) as Json;
    expect(lake).toMatchObject({ records: [{ id: 'a' }, { id: 'b' }], next: 2 });
  });

  it('is forgotten by a reset, also while it is pending', async () => {
    const rig = await setUp({ validationDelayMs: 60_000 });
    await rig.send(rig.envelope(anEvent('a')));
    rig.simulator.reset();
    expect(rig.simulator.stats().fates.pending).toBe(0);
    expect(rig.simulator.platform.inlet(rig.inletId)).toBeDefined();
  });
});

it('a record that is too large for Profile by an option is in the lake only, and nobody is told', async () => {
  const rig = await setUp({ profileEventBytes: 100 });
  const record = await fateOf(rig, rig.envelope(anEvent('a')));
  expect(record).toMatchObject({
    fate: LAKE_ONLY,
    dropped: [expect.stringContaining('over the limit of 100')],
  });
  expect(rig.simulator.profile({ namespace: 'crmId', id: 'tara-1' })?.events ?? 0).toBe(0);
});

describe('the inlet refuses at once', () => {
  const other = { id: 'https://ns.adobe.com/demo/schemas/none', contentType: 'x' };
  it.each([
    [
      'no header',
      (rig: Rig) => ({ body: rig.envelope(anEvent('a'))['body'] }),
      "'header' field is mandatory",
    ],
    ['no dataset', (rig: Rig) => rig.envelope(anEvent('a'), { datasetId: undefined }), 'header.datasetId'],
    [
      'another organisation',
      (rig: Rig) => rig.envelope(anEvent('a'), { imsOrgId: 'F00@AdobeOrg' }),
      'wrong ims org',
    ],
    [
      'an unknown schema',
      (rig: Rig) => rig.envelope(anEvent('a'), { schemaRef: other }),
      'unknown xdm format',
    ],
    ['a bare payload', () => ({ _id: 'a' }), "'header' field is mandatory"],
    [
      'no schema in the body',
      (rig: Rig) => ({ ...rig.envelope(anEvent('a')), body: { xdmEntity: anEvent('a') } }),
      'unknown xdm format',
    ],
  ])('%s', async (_name, messageOf, expected) => {
    const rig = await setUp();
    const answer = await rig.send(messageOf(rig));
    expect(answer).toMatchObject({
      status: 400,
      json: { report: { message: expect.stringContaining(expected) } },
    });
    expect(rig.simulator.landed()).toEqual([]);
  });

  it('a message without a token, if the connection requires one, and only then', async () => {
    const closed = await setUp({ requireAuth: false });
    expect((await closed.send(closed.envelope(anEvent('a')), '', { authorization: '' })).status).toBe(401);
    const open = await setUp({ params: { authenticationRequired: false } });
    expect((await open.send(open.envelope(anEvent('a')), '', { authorization: '' })).status).toBe(200);
  });

  it('everything when its connection is deleted', async () => {
    const rig = await setUp();
    await rig.adobe.del(`${FLOW_SERVICE}/flows/${rig.flowId}`);
    expect((await rig.adobe.del(`${FLOW_SERVICE}/connections/${rig.connection}`)).status).toBe(204);
    expect((await rig.send(rig.envelope(anEvent('a')))).status).toBe(404);
  });
});

describe('the dataflow loses without notice', () => {
  it('what names no flow', async () => {
    const rig = await setUp();
    const record = await fateOf(rig, rig.envelope(anEvent('a'), { flowId: undefined }));
    expect(record).toMatchObject({ fate: LOST, dropped: ['flow: the message names no flow'] });
    expect(rig.simulator.stats()).toMatchObject({ fates: { lost: 1, inLake: 0 }, landed: 1, dropped: 1 });
    const batches = await rig.adobe.get('/data/foundation/catalog/batches');
    expect(batches.json).toEqual({});
  });

  it('what names a flow that does not exist, or one of another connection', async () => {
    const rig = await setUp();
    const source = await rig.make.source(await rig.make.connection());
    const target = await rig.make.target(rig.datasetId, rig.schemaId);
    const foreign = await rig.make.flow(source, target);
    expect(await fateOf(rig, rig.envelope(anEvent('a'), { flowId: foreign }))).toMatchObject({
      fate: LOST,
      dropped: ['flow: it belongs to another connection'],
    });
    expect(await fateOf(rig, rig.envelope(anEvent('b'), { flowId: 'none' }))).toMatchObject({ fate: LOST });
  });

  it('what arrives while it is disabled', async () => {
    const rig = await setUp();
    const act = (op: string) => rig.adobe.call('POST', `${FLOW_SERVICE}/flows/${rig.flowId}/action?op=${op}`);
    await act('disable');
    expect(await fateOf(rig, rig.envelope(anEvent('a')))).toMatchObject({ fate: LOST });
    await act('enable');
    expect(await fateOf(rig, rig.envelope(anEvent('b')))).toMatchObject({ fate: INGESTED });
  });

  it('what arrives within five minutes after it was made or changed', async () => {
    let now = Date.parse('2026-05-01T00:00:00Z');
    const rig = await setUp({ warmUpMs: 300_000, now: () => now });
    expect(await fateOf(rig, rig.envelope(anEvent('a')))).toMatchObject({
      fate: LOST,
      dropped: ['flow: it was made or changed too recently'],
    });
    now += 300_000;
    expect(await fateOf(rig, rig.envelope(anEvent('b')))).toMatchObject({ fate: INGESTED });
    await rig.adobe.call('POST', `${FLOW_SERVICE}/flows/${rig.flowId}/action?op=disable`);
    await rig.adobe.call('POST', `${FLOW_SERVICE}/flows/${rig.flowId}/action?op=enable`);
    expect(await fateOf(rig, rig.envelope(anEvent('c')))).toMatchObject({ fate: LOST });
  });

  it('what is for a dataset that does not exist', async () => {
    const rig = await setUp();
    expect(await fateOf(rig, rig.envelope(anEvent('a'), { datasetId: 'none' }))).toMatchObject({
      fate: LOST,
    });
  });

  it('what is for a disabled dataset', async () => {
    const rig = await setUp();
    const path = `/data/foundation/catalog/dataSets/${rig.datasetId}`;
    expect((await rig.adobe.patch(path, { state: 'DISABLED' })).status).toBe(200);
    expect(await fateOf(rig, rig.envelope(anEvent('a')))).toMatchObject({ fate: LOST });
  });

  it('takes the flow from the query or the request header as well', async () => {
    const rig = await setUp();
    const message = rig.envelope(anEvent('a'), { flowId: undefined });
    expect(await fateOf(rig, message, `?x-adobe-flow-id=${rig.flowId}`)).toMatchObject({ fate: INGESTED });
    const other = rig.envelope(anEvent('b'), { flowId: undefined });
    expect(await fateOf(rig, other, '', { 'x-adobe-flow-id': rig.flowId })).toMatchObject({ fate: INGESTED });
  });
});

describe('a failed batch has', () => {
  it.each([
    ['a wrong type', anEvent('a', 'c', { commerce: { purchases: { value: 'one' } } }), 'DCVS-1104-400'],
    ['a wrong format', anEvent('a', 'c', { timestamp: '2026-13-01' }), 'DCVS-1105-400'],
    ['a missing field', anEvent('a', 'c', { commerce: { purchases: { id: 'x' } } }), 'DCVS-1111-400'],
    ['a missing _id', { ...anEvent('a'), _id: undefined }, 'DCVS-1111-400'],
    ['a field that the schema lacks', anEvent('a', 'c', { loyalty: { pointsGained: [] } }), 'DCVS-0000-400'],
    ['an empty value', anEvent('a', 'c', { eventType: '' }), 'DCVS-0000-400'],
    ['a time in the future', anEvent('a', 'c', { timestamp: '2999-01-01T00:00:00Z' }), 'DCVS-0000-400'],
    ['no entity', undefined, 'DCVS-0000-400'],
  ])('%s', async (_name, entity, code) => {
    const rig = await setUp();
    const record = await fateOf(rig, rig.envelope(entity));
    expect(record).toMatchObject({ fate: FAILED });
    expect(record?.dropped).not.toEqual([]);
    const batches = await rig.adobe.get(`/data/foundation/catalog/batches/${record?.fate?.batchId}`);
    const [batch] = Object.values(batches.json) as Json[];
    expect(batch).toMatchObject({ status: 'failed', failedRecordCount: 1, errors: [{ code }] });
    expect(rig.simulator.stats().fates).toMatchObject({ failed: 1, inLake: 0 });
  });

  it('a record without the field that is the primary identity', async () => {
    const rig = await setUp();
    const sandbox = rig.simulator.platform.sandbox('dev');
    sandbox?.descriptors.set('d', {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': rig.schemaId,
      'xdm:sourceProperty': '/eventType',
      'xdm:isPrimary': true,
    });
    if (sandbox) sandbox.registryRevision += 1;
    const record = await fateOf(rig, rig.envelope(anEvent('a', 'c', { eventType: undefined })));
    expect(record?.dropped).toEqual(['DCVS-1106-400 # required key [eventType] not found']);
  });

  it('a record whose schema is not that of the dataset', async () => {
    const rig = await setUp();
    const { schemaId } = await rig.addDataset('profile');
    const schemaRef = { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
    const record = await fateOf(rig, rig.envelope(anEvent('a'), { schemaRef }));
    expect(record).toMatchObject({ fate: FAILED });
  });

  it('a record for a dataset that the flow does not write', async () => {
    const rig = await setUp();
    const other = await rig.addDataset('event');
    const record = await fateOf(rig, rig.envelope(anEvent('a'), {}, { ...other, flowId: rig.flowId }));
    expect(record).toMatchObject({ fate: FAILED, datasetId: other.datasetId });
  });

  it('a record without a source, if the connection names none either', async () => {
    const rig = await setUp({ params: { sourceId: undefined } });
    expect(await fateOf(rig, rig.envelope(anEvent('a')))).toMatchObject({ fate: FAILED });
    const named = rig.envelope(anEvent('b'), { source: { name: 'relay' } });
    expect(await fateOf(rig, named)).toMatchObject({ fate: INGESTED });
  });
});

describe('the lake has, and Profile has not,', () => {
  it.each([
    ['an event over 10 KB', anEvent('a', 'c', { eventType: 'x'.repeat(10_000) })],
    ['a record without a primary identity', anEvent('a', 'c', { identityMap: { crmId: [{ id: 'c' }] } })],
    ['an unknown namespace', anEvent('a', 'c', { identityMap: { none: [{ id: 'c', primary: true }] } })],
  ])('%s', async (_name, entity) => {
    const rig = await setUp();
    const record = await fateOf(rig, rig.envelope(entity));
    expect(record).toMatchObject({ fate: LAKE_ONLY });
    expect(record?.dropped).toHaveLength(1);
    expect(rig.simulator.lake()).toHaveLength(1);
  });

  it('what is in a dataset that is not enabled for Profile', async () => {
    const rig = await setUp({ tags: {}, isUnion: false });
    expect(await fateOf(rig, rig.envelope(anEvent('a')))).toMatchObject({ fate: LAKE_ONLY, dropped: [] });
  });
});

describe('an event that is older than its dataset keeps it', () => {
  async function expiring(...extensions: string[]) {
    const rig = await setUp({ now: () => Date.parse('2026-05-01T00:00:00Z') });
    const rowExpiration = { ttlValue: 'P30D' };
    const body = { extensions: Object.fromEntries(extensions.map((name) => [name, { rowExpiration }])) };
    const path = `/data/foundation/catalog/dataSets/${rig.datasetId}`;
    expect((await rig.adobe.patch(path, body)).status).toBe(200);
    const at = (timestamp: string) =>
      fateOf(rig, rig.envelope(anEvent(timestamp.slice(0, 10), 'c', { timestamp })));
    return at;
  }

  it('is dropped from the lake', async () => {
    const at = await expiring('adobe_lakeHouse');
    expect(await at('2026-03-31T00:00:00Z')).toMatchObject({
      fate: { state: 'ingested', inLake: false, inProfile: true },
      dropped: ['age: older than the dataset keeps it in the lake'],
    });
    expect(await at('2026-04-02T00:00:00Z')).toMatchObject({ fate: INGESTED });
  });

  it('is lost if Profile does not keep it either', async () => {
    const at = await expiring('adobe_lakeHouse', 'adobe_unifiedProfile');
    expect(await at('2026-03-31T00:00:00Z')).toMatchObject({ fate: LOST });
  });
});

describe('synchronous validation', () => {
  it('uses the schema of the dataset, and stores nothing of an invalid record', async () => {
    const rig = await setUp();
    const bad = await rig.send(
      rig.envelope(anEvent('a', 'c', { loyalty: { x: 1 } })),
      '?syncValidation=true',
    );
    expect(bad.status).toBe(400);
    const good = await rig.send(rig.envelope(anEvent('b')), '?syncValidation=true');
    expect(good.json).toMatchObject({ syncValidation: { status: 'pass' } });
    await rig.settled();
    expect(rig.simulator.lake().map(({ id }) => id)).toEqual(['b']);
  });
});

describe('a raw connection', () => {
  it('maps what it takes by the mapping set of the flow', async () => {
    const rig = await setUp({ kind: 'profile' });
    const connection = await rig.make.connection({ dataType: 'raw' });
    const set = await rig.adobe.post('/data/foundation/conversion/mappingSets', {
      outputSchema: {
        schemaRef: { id: rig.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
      },
      mappings: [
        { sourceType: 'ATTRIBUTE', source: 'customer.names[0]', destination: 'person.name.firstName' },
        { sourceType: 'ATTRIBUTE', source: 'born', destination: 'person.birthDate' },
      ],
    });
    const source = await rig.make.source(connection);
    const params = { mappingId: String(set.json['id']), mappingVersion: 0 };
    const flowId = await rig.make.flow(source, await rig.make.target(rig.datasetId, rig.schemaId), {
      flowSpec: MAPPED_FLOW,
      transformations: [{ name: 'Mapping', params }],
    });
    const inlet = rig.simulator.platform.sandbox('dev')?.connections.get(connection)?.inletId;
    const post = async (payload: Json, header?: Json) => {
      const answer = await fetch(`${rig.simulator.url}/collection/${inlet}?x-adobe-flow-id=${flowId}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(header ? { header, body: payload } : payload),
      });
      expect(answer.status).toBe(200);
      await rig.settled();
    };
    await post({ customer: { names: ['Tara'] }, born: '1990-02-03', ignored: null });
    await post({ customer: { names: ['Tara'] }, born: 'unknown' });
    await post(
      { customerId: '77', customer: { names: ['Tara'] } },
      { datasetId: rig.datasetId, operations: { data: 'merge' } },
    );
    expect(rig.simulator.landed()).toMatchObject([
      { kind: 'raw', datasetId: rig.datasetId, fate: { inLake: true, inProfile: false } },
      {
        kind: 'raw',
        fate: { state: 'failed', batchId: expect.any(String) },
        dropped: [expect.stringContaining('#/person/birthDate')],
      },
      { kind: 'raw', fate: { state: 'ingested', inLake: false, inProfile: true } },
    ]);
    expect(rig.simulator.profile({ namespace: 'capillaryId', id: '77' })).toMatchObject({
      fragments: [{ entity: { person: { name: { firstName: 'Tara' } } } }],
    });
  });
});

describe('inlets without a connection', () => {
  it('keep what they accept, which is in the lake at once', async () => {
    const rig = await setUp();
    const url = rig.simulator.inletUrl();
    const headers = { authorization: `Bearer ${rig.adobe.token}`, 'content-type': 'application/json' };
    const body: ReturnType<typeof xdm> = rig.envelope(aProfile('c', { loyalty: { points: 1 } }));
    await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const [record] = rig.simulator.landed();
    expect(record).not.toHaveProperty('fate');
    expect(rig.simulator.lake()).toHaveLength(1);
    expect(rig.simulator.stats().fates.pending).toBe(0);
  });
});
