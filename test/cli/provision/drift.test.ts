import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { changedOf, DRIFTS, first, GROUP_DRIFT, resultOf, setUpApplied } from './drift-rig.ts';
import { setUpTwin } from './twin-rig.ts';

describe('of an object that provision has made', () => {
  it.each([...DRIFTS, GROUP_DRIFT])(
    '%s is a change, which apply makes',
    async (_what, drift, key, detail) => {
      const rig = await setUpApplied();
      drift(rig.sandbox);
      const writes = rig.writes();
      const { objects } = await rig.plan();
      expect(rig.writes()).toBe(writes);
      expect(changedOf(objects)).toEqual([key]);
      expect(resultOf(objects, key)).toMatchObject({
        outcome: 'change',
        details: [expect.stringContaining(detail)],
      });
      const applied = await rig.apply();
      expect(resultOf(applied.objects, key)).toMatchObject({ outcome: 'changed', fixes: [] });
      expect(rig.writes()).toBe(writes + 1);
      expect(changedOf((await rig.plan()).objects)).toEqual([]);
    },
  );

  it('a dataset that was renamed gets its name again, by which it is found without the state file', async () => {
    const rig = await setUpTwin();
    await rig.apply();
    const dataset = first(rig.sandbox.datasets);
    dataset.name = 'renamed';
    dataset.body = { ...dataset.body, name: 'renamed' };
    const { objects } = await rig.plan();
    expect(resultOf(objects, 'dataset:event')).toMatchObject({
      outcome: 'change',
      details: [expect.stringContaining('renamed to renamed')],
    });
    await rig.apply();
    expect(dataset.name).toBe('Capillary loyalty events [capillary-aep-relay:aep]');
    expect(rig.sandbox.datasets.size).toBe(2);
  });

  it('other tags of a dataset are kept', async () => {
    const rig = await setUpApplied();
    const dataset = first(rig.sandbox.datasets);
    dataset.tags = { ...dataset.tags, unifiedProfile: ['enabled:false'], own: ['x'] };
    dataset.body = { ...dataset.body, tags: structuredClone(dataset.tags) as JsonObject };
    await rig.apply();
    expect(dataset.tags).toMatchObject({
      own: ['x'],
      unifiedProfile: ['enabled:true'],
      unifiedIdentity: ['enabled:true'],
    });
  });
});
