import { describe, expect, it } from 'vitest';
import type { Json } from '../adobe-client.ts';
import { MAPPED_FLOW, setUp } from './flow-rig.ts';

const IDENTITY = { unifiedIdentity: ['enabled:true'] };
const PROFILE = { unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] };
const CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/** A raw connection whose mapping set copies names and identities. */
async function setUpRaw() {
  const rig = await setUp({ kind: 'profile' });
  const { adobe, make, simulator, schemaId, datasetId } = rig;
  const connection = await make.connection({ dataType: 'raw' });
  const attribute = (name: string) => ({ sourceType: 'ATTRIBUTE', source: name, destination: name });
  const set = await adobe.post('/data/foundation/conversion/mappingSets', {
    outputSchema: { schemaRef: { id: schemaId, contentType: CONTENT_TYPE } },
    mappings: [attribute('person'), attribute('identityMap')],
  });
  const mapping = { name: 'Mapping', params: { mappingId: String(set.json['id']), mappingVersion: 0 } };
  const flowId = await make.flow(await make.source(connection), await make.target(datasetId, schemaId), {
    flowSpec: MAPPED_FLOW,
    transformations: [mapping],
  });
  const inlet = simulator.platform.sandbox('dev')?.connections.get(connection)?.inletId;
  const profile = async (id: string, namespace = 'crmId') =>
    adobe.get(
      `/data/core/ups/access/entities?schema.name=_xdm.context.profile&entityId=${id}&entityIdNS=${namespace}`,
    );
  return {
    ...rig,
    dataset: async (tags: Json, schema = schemaId) => {
      const schemaRef = { id: schema, contentType: CONTENT_TYPE };
      const answer = await adobe.post('/data/foundation/catalog/dataSets', { name: 'i', schemaRef, tags });
      return String((answer.json as unknown as string[])[0]).replace('@/dataSets/', '');
    },
    /** Sends a payload of the customer `c`, and returns what has become of it. */
    upsert: async (name: Json, operations: Json) => {
      const identityMap = { crmId: [{ id: 'c', primary: true }], Email: [{ id: 'c@example.org' }] };
      const answer = await fetch(`${simulator.url}/collection/${inlet}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          header: { flowId, datasetId, operations },
          body: { person: { name }, identityMap },
        }),
      });
      expect(answer.status).toBe(200);
      await rig.settled();
      return simulator.landed().at(-1);
    },
    profile,
    names: async () => {
      const { json } = await profile('c');
      const [found] = Object.values(json) as { entity?: { person?: { name: Json } } }[];
      return found?.entity?.person?.name;
    },
  };
}

describe('an upsert', () => {
  it('updates the profile, links no identity without a dataset for them, and is never in the lake', async () => {
    const rig = await setUpRaw();
    await rig.upsert({ firstName: 'Tara', lastName: 'Rao' }, { data: 'merge' });
    const record = await rig.upsert({ lastName: 'Sen' }, { data: 'merge' });
    expect(record).toMatchObject({ fate: { inLake: false, inProfile: true }, dropped: [] });
    expect(await rig.names()).toEqual({ firstName: 'Tara', lastName: 'Sen' });
    expect((await rig.profile('c@example.org', 'Email')).status).toBe(404);
    const identityDatasetId = await rig.dataset(IDENTITY);
    await rig.upsert({ lastName: 'Das' }, { data: 'merge', identity: 'create', identityDatasetId });
    expect((await rig.profile('c@example.org', 'Email')).status).toBe(200);
  });

  it('overwrites the profile if the dataset of the identities is enabled for Profile', async () => {
    const rig = await setUpRaw();
    await rig.upsert({ firstName: 'Tara' }, { data: 'merge' });
    const identityDatasetId = await rig.dataset(PROFILE);
    await rig.upsert({ lastName: 'Sen' }, { data: 'merge', identity: 'create', identityDatasetId });
    expect(await rig.names()).toEqual({ lastName: 'Sen' });
  });

  it('deletes the profile, not the lake', async () => {
    const rig = await setUpRaw();
    await rig.upsert({ firstName: 'Tara' }, { data: 'create' });
    const record = await rig.upsert({ firstName: 'Tara' }, { data: 'delete' });
    expect(record).toMatchObject({ fate: { state: 'ingested', inLake: false } });
    expect(await rig.names()).toBeUndefined();
    expect(rig.simulator.lake()).toHaveLength(1);
  });

  it.each<[string, (rig: Awaited<ReturnType<typeof setUpRaw>>) => Promise<Json> | Json]>([
    ['needs an identityDatasetId', () => ({ data: 'merge', identity: 'create' })],
    ['data must be create, merge or delete', () => ({ data: 'update' })],
    [
      'does not exist',
      () => ({ data: 'merge', identity: 'create', identityDatasetId: '66f0c1d2e3a4b5c6d7e8f902' }),
    ],
    [
      'is that of the records',
      ({ datasetId }) => ({ data: 'merge', identity: 'create', identityDatasetId: datasetId }),
    ],
    [
      'is not enabled for identities',
      async ({ dataset }) => ({ data: 'merge', identity: 'create', identityDatasetId: await dataset({}) }),
    ],
    [
      'has another schema',
      async ({ addDataset }) => ({
        data: 'merge',
        identity: 'create',
        identityDatasetId: (await addDataset('profile')).datasetId,
      }),
    ],
  ])('fails if the operations are wrong: %s', async (reason, operations) => {
    const rig = await setUpRaw();
    const record = await rig.upsert({ firstName: 'Tara' }, await operations(rig));
    expect(record).toMatchObject({ fate: { state: 'failed', inProfile: false } });
    expect(record?.dropped).toEqual([expect.stringContaining(reason)]);
  });
});
