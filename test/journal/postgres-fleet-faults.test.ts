import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRandom, randomInteger, randomOf } from '../../src/simulator/random.ts';
import { isShared, openReplica, slotsOf } from './postgres-fleet-rig.ts';
import { schemaOfTest } from './postgres-rig.ts';

describe('replicas whose connections fail', () => {
  it('never claim from one slot at the same time, whatever fails, and share the slots again', async () => {
    const { url, schema } = await schemaOfTest();
    const replicas = [await openReplica(url, schema), await openReplica(url, schema)];
    replicas.push(await openReplica(url, schema));
    const changes: number[] = [];
    for (const { fleet } of replicas) fleet.leases.onChange(({ gained }) => changes.push(...gained));
    let samples = 0;
    const sampling = setInterval(() => {
      samples += 1;
      const slots = slotsOf(replicas);
      if (new Set(slots).size < slots.length) throw new Error(`two owners: ${slots.join(' ')}`);
    }, 2);
    onTestFinished(() => clearInterval(sampling));
    const random = createRandom(7);
    for (let fault = 0; fault < 12; fault += 1) {
      const { proxy } = randomOf(random, replicas);
      proxy[randomOf(random, ['cut', 'silence', 'refuse'] as const)]();
      await sleep(randomInteger(random, 0, 1_200));
      proxy.restore();
    }
    await isShared(replicas);
    expect(samples).toBeGreaterThan(100);
    expect(changes).not.toEqual([]);
  }, 60_000);

  it('are taken over when they are cut off, and take part again afterwards', async () => {
    const { url, schema } = await schemaOfTest();
    const [a, b] = [await openReplica(url, schema), await openReplica(url, schema)];
    await isShared([a, b]);
    a.proxy.silence();
    await isShared([b]);
    expect(slotsOf([a])).toEqual([]);
    a.proxy.restore();
    await isShared([a, b]);
  }, 60_000);
});
