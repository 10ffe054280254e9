import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIngestion, type PendingRecord } from '../../../src/simulator/adobe/ingestion.ts';
import { createLandedStore } from '../../../src/simulator/adobe/landed-store.ts';
import {
  createPlatformState,
  resolvePlatformOptions,
} from '../../../src/simulator/adobe/platform/platform-state.ts';
import { PENDING } from '../../../src/simulator/adobe/record-fate.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function rig(maxLanded = 100) {
  const landed = createLandedStore(maxLanded);
  const platform = createPlatformState(resolvePlatformOptions());
  const sandbox = platform.sandbox('dev');
  if (!sandbox) throw new Error('no sandbox');
  const changed = vi.fn<() => void>();
  const ingestion = createIngestion({
    landed,
    validationDelayMs: 2_000,
    maxPeople: 100,
    now: Date.now,
    inProfile: () => undefined,
    batchEnded: () => undefined,
    changed,
  });
  const record = (id: string): PendingRecord => ({
    record: landed.add({
      at: 0,
      kind: 'event',
      inletId: 'i',
      datasetId: 'd',
      flowId: 'f',
      id,
      entity: { _id: id },
      dropped: [],
      fate: PENDING,
      requestId: 'r',
      position: 0,
    }),
    verdict: { state: 'ingested', inLake: true, inProfile: false, dropped: [], violations: [] },
  });
  return { landed, platform, sandbox, ingestion, record, changed };
}

describe('ingestion', () => {
  it('shows the fate of records after the delay, and says so', () => {
    const { landed, sandbox, ingestion, record, changed } = rig();
    ingestion.accept(sandbox, [record('a')]);
    vi.advanceTimersByTime(1_999);
    expect(ingestion.counts()).toMatchObject({ pending: 1, inLake: 0 });
    expect(changed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ingestion.counts()).toMatchObject({ pending: 0, inLake: 1 });
    expect(landed.list({ inLake: true })).toMatchObject([{ id: 'a', fate: { state: 'ingested' } }]);
    expect(changed).toHaveBeenCalledOnce();
  });

  it('has no timer after it is closed', () => {
    const { sandbox, ingestion, record } = rig();
    ingestion.accept(sandbox, [record('a')]);
    ingestion.accept(sandbox, []);
    expect(vi.getTimerCount()).toBe(1);
    ingestion.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forgets batches, runs and what is pending', () => {
    const { sandbox, platform, ingestion, record } = rig();
    ingestion.accept(sandbox, [record('a')]);
    vi.runAllTimers();
    expect([sandbox.batches, sandbox.runs]).toMatchObject([[{ status: 'success' }], [{ inputRecords: 1 }]]);
    ingestion.accept(sandbox, [record('b')]);
    ingestion.clear(platform.sandboxes());
    expect(vi.getTimerCount()).toBe(0);
    expect([sandbox.batches, sandbox.runs]).toEqual([[], []]);
    expect(ingestion.counts()).toEqual({ pending: 0, inLake: 0, inProfile: 0, failed: 0, lost: 0 });
  });

  it('counts records that are not kept any more', () => {
    const { landed, sandbox, ingestion, record } = rig(1);
    ingestion.accept(sandbox, [record('a'), record('b')]);
    vi.runAllTimers();
    expect(ingestion.counts()).toMatchObject({ inLake: 2 });
    expect(landed.list()).toMatchObject([{ id: 'b', fate: { state: 'ingested' } }]);
    expect(landed.get(1)).toBeUndefined();
  });
});
