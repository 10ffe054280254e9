import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countsOf, type Destination, keysOf, linesOf, setUpTwin, type TwinRig } from './twin-rig.ts';

const ALL = {
  namespaces: 2,
  fieldGroups: 2,
  schemas: 2,
  datasets: 2,
  connections: 1,
  sourceConnections: 2,
  targetConnections: 2,
  mappingSets: 0,
  flows: 2,
};

function outcomesOf(objects: readonly { readonly outcome: string }[]): string[] {
  return [...new Set(objects.map(({ outcome }) => outcome))];
}

async function applied(rig: TwinRig): Promise<Destination> {
  const { configuration } = await rig.apply();
  return keysOf(configuration.values);
}

describe('apply', () => {
  it('makes everything of a destination with profile records, in the order of its needs', async () => {
    const rig = await setUpTwin();
    const planned = await rig.plan();
    expect(outcomesOf(planned.objects)).toEqual(['found', 'make']);
    expect(planned.configuration.values.find(({ key }) => key === 'events.flowId')?.value).toBeUndefined();
    expect(rig.writes()).toBe(0);

    const { objects } = await rig.apply();
    expect(objects.map(({ key, outcome }) => `${outcome} ${key}`)).toEqual([
      'found tenant',
      'made namespace:customerId',
      'made namespace:externalId',
      'found namespace:email',
      'found namespace:phone',
      'made group:event',
      'made group:profile',
      'made schema:event',
      'made schema:profile',
      'made dataset:event',
      'made dataset:profile',
      'made connection',
      'made source:event',
      'made source:profile',
      'made target:event',
      'made target:profile',
      'made flow:event',
      'made flow:profile',
    ]);
    expect(countsOf(rig.sandbox)).toEqual(ALL);
  });

  it('changes nothing the second time: with state, without it, and with the ids in the configuration', async () => {
    const rig = await setUpTwin();
    const keys = await applied(rig);
    const writes = rig.writes();
    expect(outcomesOf((await rig.apply()).objects)).toEqual(['found']);
    rmSync(rig.stateFile);
    expect(outcomesOf((await rig.apply()).objects)).toEqual(['found']);
    rig.configure(keys);
    rmSync(rig.stateFile);
    const { objects, configuration } = await rig.plan();
    expect(outcomesOf(objects)).toEqual(['found']);
    expect(configuration).toEqual({ values: [], hints: [] });
    expect(outcomesOf((await rig.apply()).objects)).toEqual(['found']);
    expect(rig.writes()).toBe(writes);
    expect(countsOf(rig.sandbox)).toEqual(ALL);
  });

  it('makes the objects as the relay needs them', async () => {
    const rig = await setUpTwin({ authenticated: true });
    const keys = await applied(rig);
    const { schemas, datasets, namespaces, connections } = rig.sandbox;
    expect(namespaces.filter(({ custom }) => custom)).toMatchObject([
      { code: 'capillaryId', idType: 'Cross_device' },
      { code: 'loyaltyId', idType: 'Non_people' },
    ]);
    const event = schemas.get((keys['events'] as { schemaId: string }).schemaId);
    expect(event?.body).toMatchObject({ 'meta:immutableTags': ['union'] });
    for (const { tags } of datasets.values())
      expect(tags).toMatchObject({ unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] });
    const [connection] = [...connections.values()];
    expect(connection?.body).toMatchObject({
      auth: { params: { dataType: 'xdm', authenticationRequired: true } },
    });
    expect(keys['inletUrl']).toBe(rig.simulator.inletUrl(connection?.inletId));
    expect(keys['tenant']).toBe('_demo');
  });

  it('provisions no profile records without the key, and makes them once it is there', async () => {
    const rig = await setUpTwin({ profile: undefined });
    rig.configure(await applied(rig));
    expect(countsOf(rig.sandbox)).toMatchObject({ schemas: 1, datasets: 1, flows: 1, fieldGroups: 1 });
    rig.configure({ profile: {} });
    const { objects } = await rig.plan();
    expect(objects.filter(({ outcome }) => outcome === 'make').map(({ key }) => key)).toEqual([
      'group:profile',
      'schema:profile',
      'dataset:profile',
      'source:profile',
      'target:profile',
      'flow:profile',
    ]);
    await rig.apply();
    expect(countsOf(rig.sandbox)).toEqual(ALL);
  });

  it.each([
    [{ loyalty2026: true }, { loyalty2026: true, placeContext: true, sourceAudit: true }],
    [{ loyalty2026: false }, { placeContext: true, sourceAudit: true }],
    [
      {
        loyalty2026: false,
        withoutGroups: [
          'https://ns.adobe.com/xdm/context/experienceevent-loyalty-details',
          'https://ns.adobe.com/xdm/mixins/profile-consents',
          'https://ns.adobe.com/xdm/common/external-source-system-audit-details',
        ],
      },
      { loyaltyEvents: false, consents: false, placeContext: true },
    ],
  ])('sets schemaFeatures from what the sandbox has: %o', async (platform, features) => {
    const rig = await setUpTwin({}, { platform });
    expect((await applied(rig))['schemaFeatures']).toEqual(features);
  });

  it('sets no feature of a complete configuration, except one that the schema lacks', async () => {
    const rig = await setUpTwin({}, { platform: { loyalty2026: false } });
    rig.configure(await applied(rig));
    rig.configure({ schemaFeatures: { loyalty2026: true, placeContext: false, sourceAudit: true } });
    const { configuration } = await rig.plan();
    expect(configuration.values).toEqual([{ key: 'schemaFeatures.loyalty2026', value: false }]);
    expect(configuration.hints).toEqual([expect.stringContaining('schemaFeatures.placeContext')]);
  });

  it('in format raw it uses the mapping sets of their names, and asks for those that are missing', async () => {
    const rig = await setUpTwin({ format: 'raw', profile: undefined });
    await expect(rig.apply()).rejects.toThrow('format raw needs a mapping set');
    expect(countsOf(rig.sandbox)).toMatchObject({ datasets: 1, targetConnections: 1, flows: 0 });
    const [schemaId = ''] = rig.sandbox.schemas.keys();
    rig.sandbox.mappingSets.set('m-1', {
      id: 'm-1',
      version: 2,
      name: 'Capillary loyalty events [capillary-aep-relay:aep]',
      outputSchema: { schemaRef: { id: schemaId } },
      mappings: [{ sourceType: 'ATTRIBUTE', source: 'eventId', destination: '_id' }],
    });
    await rig.apply();
    const [flow] = [...rig.sandbox.flows.values()];
    expect(flow?.body['transformations']).toEqual([
      { name: 'Mapping', params: { mappingId: 'm-1', mappingVersion: 2 } },
    ]);
    const writes = rig.writes();
    expect(outcomesOf((await rig.apply()).objects)).toEqual(['found']);
    expect(rig.writes()).toBe(writes);
  });

  it('gives two destinations of one sandbox objects of their own, and shares their namespaces', async () => {
    const rig = await setUpTwin();
    await rig.apply();
    rig.configure({ name: 'other' });
    const { objects } = await rig.apply();
    expect(linesOf({ objects, configuration: { values: [], hints: [] } })).toContain('found namespace');
    expect(countsOf(rig.sandbox)).toEqual({
      namespaces: 2,
      fieldGroups: 4,
      schemas: 4,
      datasets: 4,
      connections: 2,
      sourceConnections: 4,
      targetConnections: 4,
      mappingSets: 0,
      flows: 4,
    });
  });
});
