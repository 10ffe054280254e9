import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { first, resultOf, setUpByHand } from './drift-rig.ts';
import { countsOf, setUpTwin } from './twin-rig.ts';

const NO_IDS = { inletUrl: undefined, events: undefined, profile: undefined, tenant: undefined };

it('renamed connection and dataflow, no state file, no ids: found by their source, nothing twice', async () => {
  const rig = await setUpTwin({ profile: undefined });
  await rig.apply();
  const before = countsOf(rig.sandbox);
  const { connections, flows } = rig.sandbox;
  for (const object of [first(connections), first(flows)]) object.body = { ...object.body, name: 'renamed' };
  rmSync(rig.stateFile);
  for (let runs = 0; runs < 2; runs += 1) {
    const { objects } = await rig.apply();
    expect(resultOf(objects, 'connection')).toMatchObject({ outcome: 'found', id: first(connections).id });
    expect(resultOf(objects, 'flow:event')).toMatchObject({ outcome: 'found', id: first(flows).id });
  }
  expect(countsOf(rig.sandbox)).toEqual(before);
});

it("somebody else's objects are used only as long as the configuration names them", async () => {
  const rig = await setUpByHand();
  const before = countsOf(rig.sandbox);
  await rig.apply();
  expect(countsOf(rig.sandbox)).toEqual(before);
  rig.configure(NO_IDS);
  const { objects } = await rig.apply();
  const made = objects.filter(({ outcome }) => outcome === 'made').map(({ key }) => key);
  expect(made).toEqual([
    'group:event',
    'schema:event',
    'dataset:event',
    'connection',
    'source:event',
    'target:event',
    'flow:event',
  ]);
});

it('a dataflow whose parts were exchanged by hand names what the configuration can use', async () => {
  const rig = await setUpTwin({ profile: undefined });
  await rig.apply();
  const target = first(rig.sandbox.targetConnections);
  const dataset = first(rig.sandbox.datasets);
  rig.sandbox.datasets.set('66f1', { ...dataset, id: '66f1', name: 'other' });
  target.body = { ...target.body, params: { dataSetId: '66f1' } };
  const source = first(rig.sandbox.sourceConnections);
  source.body = { ...source.body, baseConnectionId: 'other' };
  const { objects } = await rig.plan();
  expect(resultOf(objects, 'target:event').fixes.join()).toContain('write `events.datasetId: 66f1`');
  expect(resultOf(objects, 'source:event').fixes.join()).toContain('the inlet of the connection other');
});
