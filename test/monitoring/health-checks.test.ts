import { describe, expect, it } from 'vitest';
import type { DestinationStatus } from '../../src/delivery/destination-state.ts';
import { type ClaimRequest, StoreError } from '../../src/journal/journal.ts';
import { createHealthChecks } from '../../src/monitoring/health-checks.ts';

const NOW = 1_000_000_000;

function rig() {
  const state = {
    heartbeatAge: 900,
    loopDelayMs: 10,
    refusal: undefined as { code: 'store-full'; detail: string; retryAfter: number } | undefined,
    msSinceProgress: 3_600_000,
    inFlight: 0,
    flow: 'flowing' as DestinationStatus['state'],
    nextDueAt: undefined as number | undefined,
    readable: true,
  };
  const claims: ClaimRequest[] = [];
  const checks = createHealthChecks({
    journal: {
      msSinceHeartbeat: () => state.heartbeatAge,
      claim: async (request) => {
        claims.push(request);
        if (!state.readable) throw new StoreError('disk I/O error');
        return { events: [], ...(state.nextDueAt === undefined ? {} : { nextDueAt: state.nextDueAt }) };
      },
    },
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
    now: () => NOW,
    maxLoopDelay: () => state.loopDelayMs,
  });
  const failing = async (): Promise<string[]> =>
    (await checks.ready()).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  return { state, checks, claims, failing };
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
    const { checks, claims } = rig();
    expect((await checks.ready()).map(({ name, ok }) => [name, ok])).toEqual([
      ['journal', true],
      ['storage-thread', true],
      ['delivery/aep', true],
    ]);
    // It claims nothing, and only for the sources of that destination.
    expect(claims).toMatchObject([{ destination: 'aep', sources: ['acme'], limit: 0, replays: 0 }]);
  });

  it('fails while the journal cannot accept events', async () => {
    const { failing, state } = rig();
    state.refusal = { code: 'store-full', detail: 'the disk is full', retryAfter: 30 };
    expect(await failing()).toEqual(['journal: the disk is full']);
  });

  it('sends no calls to a storage thread without heartbeats', async () => {
    const { failing, claims, state } = rig();
    state.heartbeatAge = 20_000;
    expect(await failing()).toEqual(['storage-thread: has sent no heartbeat for 20 s']);
    expect(claims).toEqual([]);
  });

  it('fails after a minute without progress while events are due or in flight', async () => {
    const { failing, state } = rig();
    state.msSinceProgress = 75_000;
    state.nextDueAt = NOW - 61_000;
    const stuck = 'delivery/aep: events are due, but none was settled for 75 s';
    expect(await failing()).toEqual([stuck]);
    state.nextDueAt = undefined;
    state.inFlight = 3;
    expect(await failing()).toEqual([stuck]);
    state.inFlight = 0;
    state.readable = false;
    expect(await failing()).toEqual([stuck]);
  });

  it.each([
    ['there was progress', { msSinceProgress: 59_000, inFlight: 3, nextDueAt: NOW - 90_000 }],
    [
      'the destination is down, which is not a fault of the relay',
      { flow: 'waiting' as const, nextDueAt: NOW - 90_000 },
    ],
    ['an operator paused it', { flow: 'paused' as const, nextDueAt: NOW - 90_000 }],
    ['waiting events are due later', { nextDueAt: NOW + 1_000 }],
    ['waiting events have just become due', { nextDueAt: NOW - 1_000 }],
  ])('passes while %s', async (_why, change) => {
    const { failing, state } = rig();
    Object.assign(state, change);
    expect(await failing()).toEqual([]);
  });
});
