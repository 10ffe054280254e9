import { beforeEach, describe, expect, it } from 'vitest';
import {
  createDestinationState,
  type DestinationState,
  type DestinationStatus,
} from '../../src/delivery/destination-state.ts';

let clock = 0;
let changes: DestinationStatus[] = [];
let state: DestinationState;

beforeEach(() => {
  clock = 1_000_000;
  changes = [];
  state = createDestinationState({
    retry: { minDelay: 1_000, maxDelay: 8_000 },
    clocks: { now: () => clock, steady: () => clock },
    changed: (status) => changes.push(status),
  });
});

const probeAndFail = (fail: () => void): number => {
  const permit = state.permit();
  if (permit.kind !== 'wait') throw new Error(`expected a wait, got ${permit.kind}`);
  clock += permit.ms;
  expect(state.permit().kind).toBe('probe');
  fail();
  state.probeEnded();
  return permit.ms;
};

describe('a destination that fails for a passing reason', () => {
  it('goes on until several requests in a row have failed', () => {
    state.failed('failing', '500');
    state.failed('failing', '500');
    expect(state.permit().kind).toBe('open');
    state.failed('failing', '500');
    expect(state.status()).toMatchObject({ state: 'waiting', reason: 'failing', nextTryAt: clock + 1_000 });
    expect(state.maySend()).toBe(false);
  });

  it('starts counting anew when something passes', () => {
    for (let round = 0; round < 5; round += 1) {
      state.failed('failing', '500');
      state.failed('failing', '500');
      state.succeeded();
    }
    expect(state.permit().kind).toBe('open');
  });

  it('waits at once, and for as long, when Adobe says how long', () => {
    state.failed('throttled', '429', 30_000);
    expect(state.permit()).toEqual({ kind: 'wait', ms: 30_000 });
  });

  it('does not let a late success lift the wait that Adobe asked for', () => {
    state.failed('throttled', '429', 30_000);
    state.succeeded();
    expect(state.permit()).toEqual({ kind: 'wait', ms: 30_000 });
  });

  it('counts an outage once, however many requests were under way', () => {
    for (let request = 0; request < 16; request += 1) state.failed('failing', '500');
    expect(state.permit()).toEqual({ kind: 'wait', ms: 1_000 });
  });
});

describe('a destination at fault', () => {
  it('probes one event at a time, with growing waits, and heals by itself', () => {
    state.fault('unauthorized', '401');
    const fail = () => state.fault('unauthorized', '401');
    expect([probeAndFail(fail), probeAndFail(fail), probeAndFail(fail), probeAndFail(fail)]).toEqual([
      1_000, 2_000, 4_000, 8_000,
    ]);
    expect(probeAndFail(() => state.succeeded())).toBe(8_000);
    expect(state.permit().kind).toBe('open');
    expect(changes.map((status) => status.state)).toEqual(['paused', 'flowing']);
  });

  it('lets only the probe through', () => {
    state.fault('inlet-not-found', '404');
    expect(state.maySend()).toBe(false);
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    expect(state.maySend()).toBe(true);
    expect(state.permit().kind).toBe('wait');
  });

  it('probes with the next event when the first proved nothing', () => {
    state.fault('inlet-not-found', '404');
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    state.probeEnded();
    expect(state.permit().kind).toBe('probe');
  });

  it('tries at once when an operator resumes it', () => {
    state.fault('unauthorized', '401', 600_000);
    expect(state.permit()).toMatchObject({ kind: 'wait' });
    state.resume();
    expect(state.permit().kind).toBe('probe');
  });
});

describe('whether the destination is well', () => {
  it('is judged by the latest requests, so that a flaky network buries nothing', () => {
    expect(state.isWell()).toBe(true);
    for (let times = 0; times < 20; times += 1) {
      state.failed('failing', 'reset');
      state.succeeded();
    }
    expect(state.isWell()).toBe(false);
    for (let times = 0; times < 10; times += 1) state.succeeded();
    expect(state.isWell()).toBe(true);
    state.failed('failing', 'reset');
    expect(state.isWell()).toBe(true);
  });
});

describe('an operator’s pause', () => {
  it('stays until the operator resumes, whatever requests under way bring', () => {
    state.operatorPause('ops', clock);
    state.succeeded();
    state.failed('failing', '500', 1);
    state.fault('unauthorized', '401');
    clock += 1e12;
    expect(state.permit()).toEqual({ kind: 'wait', ms: Number.POSITIVE_INFINITY });
    expect(state.status()).toMatchObject({ state: 'paused', reason: 'operator' });
    state.resume();
    expect(state.permit().kind).toBe('open');
  });
});
