import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type AdmissionControl,
  worstCaseBytes,
  createAdmissionControl,
  type Refusal,
} from '../../src/intake/admission.ts';
import type { StoreStatus } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';

const MiB = 1_048_576;
const LIMITS = { maxBytes: 100 * MiB, minFree: 50 * MiB };
const BODY = MiB;

/** An admission with a store whose status the test sets. */
async function startAdmission(interval = 20) {
  const store: { -readonly [Key in keyof StoreStatus]: StoreStatus[Key] } = {
    isWritable: true,
    silentFor: 0,
    queued: 0,
    overdue: [],
    usedBytes: 0,
    freeBytes: 1_000 * MiB,
    gauges: {},
  };
  const seen = { checks: 0, changes: [] as (Refusal['code'] | 'open')[] };
  const admission: AdmissionControl = createAdmissionControl({
    journal: {
      status: async () => {
        seen.checks += 1;
        return { ...store };
      },
    },
    watermarks: LIMITS,
    checkIntervalMs: interval,
    onChange: (refusal) => void seen.changes.push(refusal?.code ?? 'open'),
  });
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  await admission.start(stopping.signal);
  return { admission, store, seen };
}

describe('the space of the store', () => {
  it('is added up between checks, which are needed only near a watermark', async () => {
    const { admission, seen } = await startAdmission(60_000);
    for (let i = 0; i < 10; i += 1) expect(await admission.admit(BODY)).toBeUndefined();
    expect(seen.checks).toBe(1);
  });

  it('runs out in a burst between two checks, before the watermark is exceeded', async () => {
    const { admission, store, seen } = await startAdmission(60_000);
    let admitted = 0;
    // The worst case: each body takes all the space that it may.
    const admit = async (): Promise<Refusal | undefined> => {
      const refusal = await admission.admit(BODY);
      if (refusal === undefined) {
        store.usedBytes += worstCaseBytes(BODY);
        admitted += 1;
      }
      return refusal;
    };
    const refusals = (await Promise.all(Array.from({ length: 500 }, admit))).filter(Boolean);
    expect(store.usedBytes).toBeLessThan(LIMITS.maxBytes);
    expect(admitted).toBeGreaterThan(30);
    expect(refusals).toHaveLength(500 - admitted);
    expect(refusals[0]).toMatchObject({ code: 'store-full', retryAfter: 30 });
    expect(admission.refusal()).toMatchObject({ code: 'store-full' });
    expect(seen.changes).toEqual(['store-full']);
  });

  it('is measured by the next check, so bodies that took less than reserved admit more', async () => {
    const { admission, store } = await startAdmission(60_000);
    for (let i = 0; i < 500; i += 1) {
      expect(await admission.admit(BODY)).toBeUndefined();
      store.usedBytes = 10 * MiB;
    }
  });

  it('also depends on the free space of the volume', async () => {
    const { admission, store } = await startAdmission();
    store.freeBytes = 51 * MiB;
    await until(() => admission.status?.freeBytes === 51 * MiB);
    expect(await admission.admit(BODY)).toMatchObject({ code: 'store-full' });
  });

  it('is available again only at a distance from the watermark', async () => {
    const { admission, store, seen } = await startAdmission();
    store.usedBytes = LIMITS.maxBytes;
    await until(() => admission.refusal());
    store.usedBytes = LIMITS.maxBytes - 1;
    const { checks } = seen;
    await until(() => seen.checks > checks);
    await nextTurn();
    expect(admission.refusal()).toMatchObject({ code: 'store-full' });
    store.usedBytes = LIMITS.maxBytes - 5 * MiB;
    await until(() => admission.refusal() === undefined);
    expect(seen.changes).toEqual(['store-full', 'open']);
  });
});

describe('a store that refuses a write', () => {
  it('closes the intake until a write succeeds', async () => {
    const { admission, store, seen } = await startAdmission();
    store.isWritable = false;
    admission.recordWriteFailure();
    expect(await until(() => admission.refusal())).toMatchObject({ code: 'store-failing', retryAfter: 5 });
    expect(await admission.admit(1)).toMatchObject({ code: 'store-failing' });
    store.failure = 'relay.db was removed';
    const failing = (): Refusal | undefined => {
      const refusal = admission.refusal();
      return refusal?.cause === undefined ? undefined : refusal;
    };
    // What the sender of a webhook is told stays the same.
    expect(await until(failing)).toMatchObject({
      detail: 'the store cannot write or does not answer',
      cause: 'relay.db was removed',
    });
    store.isWritable = true;
    await until(() => admission.refusal() === undefined);
    expect(seen.changes).toEqual(['store-failing', 'open']);
  });

  it('is asked at once, and does not close the intake if only that write failed', async () => {
    const { admission, seen } = await startAdmission(60_000);
    admission.recordWriteFailure();
    await until(() => seen.checks === 2);
    await nextTurn();
    expect(admission.refusal()).toBeUndefined();
  });
});
