import { describe, expect, it } from 'vitest';
import type { DestinationStatus } from '../../src/delivery/destination-state.ts';
import { type ClaimRequest, StoreError } from '../../src/journal/journal.ts';
import { createHealthChecks } from '../../src/monitoring/health-checks.ts';

const NOW = 1_000_000_000;

function rig() {
  const state = {
    pulseAge: 900,
    stall: 10,
    refusal: undefined as { code: 'store-full'; detail: string; retryAfter: number } | undefined,
    stillFor: 3_600_000,
    inFlight: 0,
    flow: 'flowing' as DestinationStatus['state'],
    nextDueAt: undefined as number | undefined,
    readable: true,
  };
  const claims: ClaimRequest[] = [];
  const checks = createHealthChecks({
    journal: {
      pulseAge: () => state.pulseAge,
      claim: async (request) => {
        claims.push(request);
        if (!state.readable) throw new StoreError('disk I/O error');
        return { events: [], ...(state.nextDueAt === undefined ? {} : { nextDueAt: state.nextDueAt }) };
      },
    },
    gate: { refusal: () => state.refusal },
    sources: [
      { name: 'acme', destination: 'aep' },
      { name: 'beta', destination: 'elsewhere' },
    ],
    destinations: {
      all: [
        {
          config: { name: 'aep' },
          dispatcher: {
            get stillFor() {
              return state.stillFor;
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
    takeStall: () => state.stall,
  });
  const failing = async (): Promise<string[]> =>
    (await checks.ready()).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  return { state, checks, claims, failing };
}

describe('liveness', () => {
  it('names what it looked at', () => {
    const { checks } = rig();
    expect(checks.live()).toEqual([
      { name: 'event-loop', ok: true },
      { name: 'storage-thread', ok: true },
    ]);
  });

  it('bears a long step of the storage thread, and fails when it has gone silent', () => {
    const { checks, state } = rig();
    state.pulseAge = 6_000;
    expect(checks.live()[1]).toMatchObject({ ok: true });
    state.pulseAge = 16_000;
    expect(checks.live()[1]).toMatchObject({ ok: false, detail: 'has shown no sign of life for 16 s' });
  });

  it('fails when the event loop was held up', () => {
    const { checks, state } = rig();
    state.stall = 5_100;
    expect(checks.live()[0]).toMatchObject({ ok: false, detail: 'was held up for 5 s' });
  });
});

describe('readiness', () => {
  it('is there at rest', async () => {
    const { checks, claims } = rig();
    expect((await checks.ready()).map(({ name, ok }) => [name, ok])).toEqual([
      ['journal', true],
      ['storage-thread', true],
      ['delivery/aep', true],
    ]);
    // It takes nothing, and asks for the sources of that destination only.
    expect(claims).toMatchObject([{ destination: 'aep', sources: ['acme'], limit: 0, replays: 0 }]);
  });

  it('fails while the journal cannot take', async () => {
    const { failing, state } = rig();
    state.refusal = { code: 'store-full', detail: 'the disk is full', retryAfter: 30 };
    expect(await failing()).toEqual(['journal: the disk is full']);
  });

  it('asks nothing of a storage thread that is silent', async () => {
    const { failing, claims, state } = rig();
    state.pulseAge = 20_000;
    expect(await failing()).toEqual(['storage-thread: has shown no sign of life for 20 s']);
    expect(claims).toEqual([]);
  });

  it('fails when nothing has moved for a minute although something is due or under way', async () => {
    const { failing, state } = rig();
    state.stillFor = 75_000;
    state.nextDueAt = NOW - 61_000;
    const stuck = 'delivery/aep: events are due, but none has got an outcome for 75 s';
    expect(await failing()).toEqual([stuck]);
    state.nextDueAt = undefined;
    state.inFlight = 3;
    expect(await failing()).toEqual([stuck]);
    state.inFlight = 0;
    state.readable = false;
    expect(await failing()).toEqual([stuck]);
  });

  it.each([
    ['something moved', { stillFor: 59_000, inFlight: 3, nextDueAt: NOW - 90_000 }],
    [
      'the destination is down, which is not our fault',
      { flow: 'waiting' as const, nextDueAt: NOW - 90_000 },
    ],
    ['an operator paused it', { flow: 'paused' as const, nextDueAt: NOW - 90_000 }],
    ['what waits is due later', { nextDueAt: NOW + 1_000 }],
    ['what waits has become due just now', { nextDueAt: NOW - 1_000 }],
  ])('is there while %s', async (_why, change) => {
    const { failing, state } = rig();
    Object.assign(state, change);
    expect(await failing()).toEqual([]);
  });
});
