import { describe, expect, it } from 'vitest';
import type { DestinationStatus } from '../../src/delivery/destination-state.ts';
import type { Refusal } from '../../src/intake/admission.ts';
import type { Overdue, StoreStatus } from '../../src/journal/journal.ts';
import { createHealthChecks } from '../../src/monitoring/health-checks.ts';

const dueFor = (since: number, source = 'acme', destination = 'aep'): Overdue => ({
  source,
  destination,
  since,
});

function rig(hasStorageThread = true) {
  const state = {
    heartbeatAge: 900,
    loopDelayMs: 10,
    refusal: undefined as Refusal | undefined,
    msSinceProgress: 3_600_000,
    inFlight: 0,
    flow: 'flowing' as DestinationStatus['state'],
    overdue: [] as Overdue[],
  };
  const seen = { statuses: 0 };
  const checks = createHealthChecks({
    journal: {
      silentFor: () => state.heartbeatAge,
      status: async (): Promise<StoreStatus> => {
        seen.statuses += 1;
        const { heartbeatAge: silentFor, overdue } = state;
        return { isWritable: true, silentFor, queued: 0, overdue, usedBytes: 0, freeBytes: 0, gauges: {} };
      },
    },
    hasStorageThread,
    admission: { refusal: () => state.refusal },
    sources: () => [
      { name: 'acme', destination: 'aep' },
      { name: 'beta', destination: 'elsewhere' },
    ],
    destinations: {
      all: [
        {
          config: { name: 'aep' },
          dispatcher: {
            get msSinceProgress() {
              return state.msSinceProgress;
            },
            get inFlight() {
              return state.inFlight;
            },
            state: { status: () => ({ state: state.flow }) },
          },
        },
      ],
    },
    maxLoopDelay: () => state.loopDelayMs,
  });
  const failing = async (): Promise<string[]> =>
    (await checks.ready()).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  return { state, checks, seen, failing };
}

describe('liveness', () => {
  it('names its checks', () => {
    const { checks } = rig();
    expect(checks.live()).toEqual([
      { name: 'event-loop', ok: true },
      { name: 'storage-thread', ok: true },
    ]);
  });

  it('tolerates a long step of the storage thread, and fails when heartbeats stop', () => {
    const { checks, state } = rig();
    state.heartbeatAge = 6_000;
    expect(checks.live()[1]).toMatchObject({ ok: true });
    state.heartbeatAge = 16_000;
    expect(checks.live()[1]).toMatchObject({ ok: false, detail: 'has sent no heartbeat for 16 s' });
  });

  it('fails when the event loop was blocked', () => {
    const { checks, state } = rig();
    state.loopDelayMs = 5_100;
    expect(checks.live()[0]).toMatchObject({ ok: false, detail: 'was blocked for 5 s' });
  });
});

describe('readiness', () => {
  it('passes when idle', async () => {
    const { checks } = rig();
    expect((await checks.ready()).map(({ name, ok }) => [name, ok])).toEqual([
      ['journal', true],
      ['storage-thread', true],
      ['delivery/aep', true],
    ]);
  });

  it('fails while the journal cannot accept events', async () => {
    const { failing, state } = rig();
    state.refusal = { code: 'store-full', detail: 'the disk is full', retryAfter: 30 };
    expect(await failing()).toEqual(['journal: the disk is full']);
    state.refusal = {
      code: 'store-failing',
      detail: 'the store cannot write or does not answer',
      cause: '/data/relay.db was removed',
      retryAfter: 5,
    };
    expect(await failing()).toEqual(['journal: /data/relay.db was removed']);
  });

  it('sends no calls to a storage thread without heartbeats', async () => {
    const { failing, seen, state } = rig();
    state.heartbeatAge = 20_000;
    expect(await failing()).toEqual(['storage-thread: has sent no heartbeat for 20 s']);
    expect(seen.statuses).toBe(0);
  });

  it('fails after a minute without progress while events are due or in flight', async () => {
    const { failing, state } = rig();
    state.msSinceProgress = 75_000;
    state.overdue = [dueFor(61_000)];
    const stuck = 'delivery/aep: events are due, but none was settled for 75 s';
    expect(await failing()).toEqual([stuck]);
    state.overdue = [];
    state.inFlight = 3;
    expect(await failing()).toEqual([stuck]);
  });

  it.each([
    ['there was progress', { msSinceProgress: 59_000, inFlight: 3, overdue: [dueFor(90_000)] }],
    [
      'the destination is down, which is not a fault of the relay',
      { flow: 'waiting' as const, overdue: [dueFor(90_000)] },
    ],
    ['an operator paused it', { flow: 'paused' as const, overdue: [dueFor(90_000)] }],
    ['nothing is due', { overdue: [] }],
    ['waiting events have just become due', { overdue: [dueFor(1_000)] }],
    [
      'what is due goes elsewhere, or comes from a source that no longer goes here',
      { overdue: [dueFor(90_000, 'beta', 'elsewhere'), dueFor(90_000, 'former')] },
    ],
  ])('passes while %s', async (_why, change) => {
    const { failing, state } = rig();
    Object.assign(state, change);
    expect(await failing()).toEqual([]);
  });
});

it('an outage of a database fails readiness only', async () => {
  const { state, checks, failing } = rig(false);
  state.heartbeatAge = 600_000;
  state.refusal = { code: 'store-failing', detail: 'x', cause: 'the database is away', retryAfter: 5 };
  expect(checks.live()).toEqual([{ name: 'event-loop', ok: true }]);
  expect(await failing()).toEqual(['journal: the database is away']);
});
