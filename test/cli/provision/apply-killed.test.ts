import { describe, expect, it } from 'vitest';
import type { PlatformClient } from '../../../src/adobe/platform/platform-client.ts';
import { countsOf, setUpTwin } from './twin-rig.ts';

/** Stands for the end of the process. */
class Killed extends Error {}

/** A client whose process ends at its n-th write, before the request or before its answer. */
function killingClient(client: PlatformClient, atWrite: number, isAfter: boolean): PlatformClient {
  let writes = 0;
  const killing = async <T>(send: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes < atWrite) return send();
    if (isAfter) await send();
    throw new Killed();
  };
  return {
    ...client,
    post: (...given) => killing(() => client.post(...given)),
    patch: (...given) => killing(() => client.patch(...given)),
  };
}

/** Everything of a destination with events only, except its two namespaces. */
const WRITES = 7;

function expected(runs: number) {
  return {
    namespaces: 2,
    fieldGroups: runs,
    schemas: runs,
    datasets: runs,
    connections: runs,
    sourceConnections: runs,
    targetConnections: runs,
    mappingSets: 0,
    flows: runs,
  };
}

describe('killed at every write, and run again: one of each object', () => {
  it.each([
    ['before the request', false],
    ['after the object was made, without its answer', true],
  ])('%s', async (_what, isAfter) => {
    const rig = await setUpTwin({ profile: undefined, name: 'first' });
    await expect(rig.apply((client) => killingClient(client, 1, isAfter))).rejects.toThrow(Killed);
    await expect(rig.apply((client) => killingClient(client, 2, isAfter))).rejects.toThrow(Killed);
    await rig.apply();
    expect(rig.writes()).toBe(WRITES + 2);
    for (let write = 1; write <= WRITES; write += 1) {
      // Another destination, so that one twin is enough for all of them.
      rig.configure({ name: `killed-${write}` });
      await expect(rig.apply((client) => killingClient(client, write, isAfter))).rejects.toThrow(Killed);
      await rig.apply();
    }
    expect(countsOf(rig.sandbox)).toEqual(expected(WRITES + 1));
  });

  it('every answer of a write lost after its object was made: one of each, in one run', async () => {
    const rig = await setUpTwin(
      { profile: undefined },
      { faults: [{ on: 'platform', match: { method: 'POST' }, then: { reset: 'before', landed: true } }] },
    );
    await rig.apply();
    expect(countsOf(rig.sandbox)).toEqual(expected(1));
  });

  it('objects that lists show seconds later: one of each, although an answer was lost', async () => {
    const rig = await setUpTwin(
      { profile: undefined },
      {
        listLagMs: 3_000,
        faults: [{ on: 'platform', match: { method: 'POST' }, then: { status: 503, landed: true } }],
      },
    );
    await rig.apply();
    expect(countsOf(rig.sandbox)).toEqual(expected(1));
  });
});
