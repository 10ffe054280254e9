import { describe, expect, it } from 'vitest';
import { loadCommandConfig } from '../../../src/cli/command-config.ts';
import { changedOf, DRIFTS, resultOf, setUpApplied, setUpByHand } from './drift-rig.ts';
import { type Destination, keysOf, setUpTwin } from './twin-rig.ts';

describe('of an object that somebody else has made', () => {
  it.each(DRIFTS)('%s is named with what to do, and never changed', async (_what, drift, key, detail) => {
    const rig = await setUpByHand();
    drift(rig.sandbox);
    const writes = rig.writes();
    const { objects } = await rig.plan();
    expect(changedOf(objects)).toEqual([key]);
    const { outcome, details, fixes } = resultOf(objects, key);
    expect(outcome).toBe('by hand');
    expect(details.join()).toContain(detail);
    expect(fixes).toHaveLength(details.length);
    expect(resultOf((await rig.apply()).objects, key).outcome).toBe('by hand');
    expect(rig.writes()).toBe(writes);
  });

  it('nothing is different without a drift', async () => {
    const rig = await setUpByHand();
    const { objects, configuration } = await rig.plan();
    expect(changedOf(objects)).toEqual([]);
    expect(configuration).toEqual({ values: [], hints: [] });
  });
});

describe('what nobody can change is named with what to do, and stops apply', () => {
  it.each<readonly [what: string, keys: Destination, key: string, detail: RegExp, fix: RegExp]>([
    [
      'an id that does not exist',
      { events: { datasetId: '66f0' } },
      'dataset:event',
      /no dataset 66f0/,
      /correct events\.datasetId/,
    ],
    ['another tenant', { tenant: '_other' }, 'tenant', /_other.*_demo/, /tenant: _demo/],
    [
      'another inlet',
      { inletUrl: 'https://dcs.adobedc.net/collection/66f0' },
      'connection',
      /no connection/,
      /correct inletUrl/,
    ],
    [
      'a connection of the other format',
      { format: 'raw' },
      'connection',
      /"xdm", not raw/,
      /correct `format`/,
    ],
  ])('%s', async (_what, keys, key, detail, fix) => {
    const rig = await setUpTwin();
    const { configuration } = await rig.apply();
    const before = keysOf(configuration.values);
    rig.configure(before);
    rig.configure(
      Object.fromEntries(
        Object.entries(keys).map(([name, value]) => [
          name,
          typeof value === 'object' ? { ...(before[name] as object), ...value } : value,
        ]),
      ),
    );
    const result = resultOf((await rig.plan()).objects, key);
    expect(result.outcome).toBe('by hand');
    expect(result.details.join()).toMatch(detail);
    expect(result.fixes.join()).toMatch(fix);
    const writes = rig.writes();
    await expect(rig.apply()).rejects.toThrow(detail);
    expect(rig.writes()).toBe(writes);
  });

  it('a dataflow that writes to another dataset', async () => {
    const rig = await setUpApplied();
    const [event, profile] = [...rig.sandbox.datasets.keys()];
    const target = [...rig.sandbox.targetConnections.values()].find(({ body }) =>
      JSON.stringify(body).includes(event!),
    )!;
    target.body = { ...target.body, params: { dataSetId: profile! } };
    const result = resultOf((await rig.plan()).objects, 'target:event');
    expect(result).toMatchObject({
      outcome: 'by hand',
      details: [`the dataflow writes to the dataset ${profile}, not ${event}`],
      fixes: [expect.stringContaining('correct events.flowId or events.datasetId')],
    });
  });

  it('a dataset for identities that is enabled for Profile', async () => {
    const rig = await setUpApplied();
    const [, profile] = [...rig.sandbox.datasets.values()];
    const body = { ...profile!.body, name: 'identities' };
    rig.sandbox.datasets.set('66f1', { ...profile!, id: '66f1', name: 'identities', body });
    const { configuration } = await rig.plan();
    expect(configuration.values).toEqual([]);
    const { config } = await loadCommandConfig(rig.file, {});
    rig.configure({ profile: { ...config.destinations[0]!.profile, identityDatasetId: '66f1' } });
    const result = resultOf((await rig.plan()).objects, 'dataset:identity');
    expect(result).toMatchObject({
      outcome: 'by hand',
      details: ['it is enabled for Profile: each upsert would replace the profile'],
    });
  });

  it('a namespace of another type, and one of another case', async () => {
    const rig = await setUpTwin();
    const add = (code: string, idType: string): void => {
      rig.sandbox.namespaces.push({
        ...rig.sandbox.namespaces[0]!,
        id: 10_000_000 + rig.sandbox.namespaces.length,
        code,
        name: code,
        idType,
        custom: true,
      });
    };
    add('capillaryId', 'Non_people');
    add('LoyaltyID', 'Non_people');
    const { objects } = await rig.plan();
    expect(resultOf(objects, 'namespace:customerId')).toMatchObject({
      outcome: 'by hand',
      details: ['the namespace capillaryId has the type Non_people, not Cross_device'],
    });
    expect(resultOf(objects, 'namespace:externalId')).toMatchObject({
      outcome: 'by hand',
      fixes: [expect.stringContaining('write LoyaltyID')],
    });
  });
});
