import { createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSharedSecrets } from '../../src/monitoring/shared-secrets.ts';
import { until } from '../helpers/until.ts';

interface Held {
  secret: string;
  lastVerifiedAt?: number;
}

/** Replicas that read what the others have posted. */
function replicas(held: readonly (readonly Held[])[]) {
  const posted = new Map<number, string>();
  const stop = new AbortController();
  const all = held.map((secrets, n) => {
    const journal = {
      replicaCount: () => held.length,
      postReport: async (_name: string, json: string) => void posted.set(n, json),
      otherReports: async () => [...posted].filter(([other]) => other !== n).map(([, json]) => json),
    };
    const sources = {
      secrets: () => secrets.map((secret) => ({ source: 'acme', verifier: 'bearer', ...secret })),
    };
    const shared = createSharedSecrets({ sources, journal });
    void shared.post(stop.signal, 5);
    return shared;
  });
  return { all, posted, stop };
}

describe('the secrets of several replicas', () => {
  it('are those that any accepts, with how many do and the last use at any of them', async () => {
    const { all, posted, stop } = replicas([
      [{ secret: 'old', lastVerifiedAt: 100 }, { secret: 'new' }],
      [
        { secret: 'old', lastVerifiedAt: 300 },
        { secret: 'new', lastVerifiedAt: 200 },
      ],
      [{ secret: 'old' }],
    ]);
    await until(() => posted.size === 3);
    stop.abort();
    for (const shared of all) {
      const { replicas: count, secrets } = await shared.report();
      expect(count).toBe(3);
      const rows = secrets.map(({ acceptedBy, lastVerifiedAt }) => [acceptedBy, lastVerifiedAt]);
      expect(rows).toHaveLength(2);
      expect(rows).toEqual(
        expect.arrayContaining([
          [3, 300],
          [2, 200],
        ]),
      );
    }
    expect([...posted.values()].join()).not.toMatch(/old|new/);
  });

  it('are not posted by a single one', async () => {
    const { all, posted, stop } = replicas([[{ secret: 'old' }]]);
    expect(await all[0]?.report()).toMatchObject({ replicas: 1, secrets: [{ acceptedBy: 1 }] });
    stop.abort();
    expect(posted.size).toBe(0);
  });
});

it('are hashed one after the other, and once, so that other work finds a thread of Node', async () => {
  const secrets = ['one', 'two', 'three'].map((source) => ({ source, verifier: 'bearer', secret: 's' }));
  const journal = {
    replicaCount: () => 1,
    postReport: async () => undefined,
    otherReports: async () => [],
  };
  const shared = createSharedSecrets({ sources: { secrets: () => secrets }, journal });
  let hashes = 0;
  const hook = createHook({ init: (_id, type) => void (hashes += type === 'SCRYPTREQUEST' ? 1 : 0) });
  hook.enable();
  onTestFinished(() => void hook.disable());
  const all = shared.report();
  await nextTurn();
  expect(hashes).toBe(1);
  expect((await all).secrets).toHaveLength(3);
  expect((await shared.report('two')).secrets.map(({ source }) => source)).toEqual(['two']);
  expect(hashes).toBe(3);
});
