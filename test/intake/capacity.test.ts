import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Capacity, createCapacity } from '../../src/intake/capacity.ts';
import type { Refusal } from '../../src/intake/gate.ts';
import { costOf } from '../../src/intake/marks.ts';
import { type StoreHealth, StoreError } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';

const MiB = 1_048_576;
const LIMITS = { maxBytes: 100 * MiB, minFree: 50 * MiB };
const BODY = MiB;

/** A store that the test fills by hand. */
async function rig(interval = 20) {
  const health: { -readonly [Key in keyof StoreHealth]: StoreHealth[Key] } = {
    usedBytes: 0,
    freeBytes: 1_000 * MiB,
  };
  const seen = { looks: 0, probes: 0, changes: [] as (Refusal['code'] | 'open')[] };
  const state = { writable: true };
  const capacity: Capacity = createCapacity({
    journal: {
      health: async () => {
        seen.looks += 1;
        return { ...health };
      },
      probe: async () => {
        seen.probes += 1;
        if (!state.writable) throw new StoreError('disk I/O error');
      },
    },
    limits: LIMITS,
    interval,
    changed: (refusal) => void seen.changes.push(refusal?.code ?? 'open'),
  });
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  await capacity.start(stopping.signal);
  return { capacity, health, seen, state };
}

describe('room for what is accepted', () => {
  it('is counted between two looks, which are made only near a mark', async () => {
    const { capacity, seen } = await rig(60_000);
    for (let i = 0; i < 10; i += 1) expect(await capacity.admit(BODY)).toBeUndefined();
    expect(seen.looks).toBe(1);
  });

  it('runs out between two looks of a burst, before the mark is crossed', async () => {
    const { capacity, health, seen } = await rig(60_000);
    let admitted = 0;
    // The worst that can be: each body takes all that it may.
    const take = async (): Promise<Refusal | undefined> => {
      const refusal = await capacity.admit(BODY);
      if (refusal === undefined) {
        health.usedBytes += costOf(BODY);
        admitted += 1;
      }
      return refusal;
    };
    const refusals = (await Promise.all(Array.from({ length: 500 }, take))).filter(Boolean);
    expect(health.usedBytes).toBeLessThan(LIMITS.maxBytes);
    expect(admitted).toBeGreaterThan(40);
    expect(refusals).toHaveLength(500 - admitted);
    expect(refusals[0]).toMatchObject({ code: 'store-full', retryAfter: 30 });
    expect(capacity.refusal()).toMatchObject({ code: 'store-full' });
    expect(seen.changes).toEqual(['store-full']);
  });

  it('is what a look finds, not what was set aside: bodies that took less let more in', async () => {
    const { capacity, health } = await rig(60_000);
    for (let i = 0; i < 500; i += 1) {
      expect(await capacity.admit(BODY)).toBeUndefined();
      health.usedBytes = 10 * MiB;
    }
  });

  it('is that of the volume too', async () => {
    const { capacity, health } = await rig();
    health.freeBytes = 51 * MiB;
    await until(() => capacity.health?.freeBytes === 51 * MiB);
    expect(await capacity.admit(BODY)).toMatchObject({ code: 'store-full' });
  });

  it('comes back by itself, at a distance from the mark', async () => {
    const { capacity, health, seen } = await rig();
    health.usedBytes = LIMITS.maxBytes;
    await until(() => capacity.refusal());
    health.usedBytes = LIMITS.maxBytes - 1;
    const { looks } = seen;
    await until(() => seen.looks > looks);
    await nextTurn();
    expect(capacity.refusal()).toMatchObject({ code: 'store-full' });
    health.usedBytes = LIMITS.maxBytes - 5 * MiB;
    await until(() => capacity.refusal() === undefined);
    expect(seen.changes).toEqual(['store-full', 'open']);
  });
});

describe('a store that refuses a write', () => {
  it('closes the intake until a write has gone well', async () => {
    const { capacity, seen, state } = await rig();
    state.writable = false;
    capacity.writeFailed();
    expect(await until(() => capacity.refusal())).toMatchObject({ code: 'store-failing', retryAfter: 5 });
    expect(await capacity.admit(1)).toMatchObject({ code: 'store-failing' });
    state.writable = true;
    await until(() => capacity.refusal() === undefined);
    expect(seen.changes).toEqual(['store-failing', 'open']);
    const { probes } = seen;
    await until(() => seen.looks > 3);
    expect(seen.probes).toBe(probes);
  });

  it('stays open when only that one write was at fault', async () => {
    const { capacity, seen } = await rig();
    capacity.writeFailed();
    await until(() => seen.probes === 1 && seen.looks >= 2);
    expect(capacity.refusal()).toBeUndefined();
  });
});
