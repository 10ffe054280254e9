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
    clocks: { now: () => clock, monotonic: () => clock },
    onChange: (status) => changes.push(status),
  });
});

function probeAndFail(fail: () => void): number {
  const permit = state.permit();
  if (permit.kind !== 'wait') throw new Error(`expected a wait, got ${permit.kind}`);
  clock += permit.ms;
  expect(state.permit().kind).toBe('probe');
  fail();
  state.endProbe();
  return permit.ms;
}

describe('a destination that fails for a temporary reason', () => {
  it('flows until several requests in a row have failed', () => {
    state.recordFailure('failing', '500');
    state.recordFailure('failing', '500');
    expect(state.permit().kind).toBe('open');
    state.recordFailure('failing', '500');
    expect(state.status()).toMatchObject({ state: 'waiting', reason: 'failing', nextTryAt: clock + 500 });
    expect(state.maySend()).toBe(false);
  });

  it('resets the count after a success', () => {
    for (let round = 0; round < 5; round += 1) {
      state.recordFailure('failing', '500');
      state.recordFailure('failing', '500');
      state.recordSuccess('event');
    }
    expect(state.permit().kind).toBe('open');
  });

  it('waits at once, for as long as Adobe asks', () => {
    state.recordFailure('throttled', '429', 30_000);
    expect(state.permit()).toEqual({ kind: 'wait', ms: 30_000 });
  });

  it('does not end the wait that Adobe asked for after a late success', () => {
    state.recordFailure('throttled', '429', 30_000);
    state.recordSuccess('event');
    expect(state.permit()).toEqual({ kind: 'wait', ms: 30_000 });
  });

  it.each([
    ['as long as Adobe asks', 30_000, [30_000, 30_000, 30_000, 30_000]],
    ['for its own backoff if Adobe asks for less', 1, [1_000, 2_000, 4_000, 8_000]],
    ['for its own backoff if Adobe does not say', undefined, [1_000, 2_000, 4_000, 8_000]],
  ])('waits after a 429 %s', (_what, retryAfterMs, waits) => {
    const fail = () => state.recordThrottling('429', retryAfterMs);
    fail();
    expect(waits.map(() => probeAndFail(fail))).toEqual(waits);
    expect(state.status()).toMatchObject({ state: 'waiting', reason: 'throttled' });
  });

  it.each([
    ['as long as Adobe asks', 30_000, [30_000, 30_000, 30_000, 30_000]],
    ['for its own backoff if Adobe asks for less', 1, [1_000, 2_000, 4_000, 8_000]],
  ])('waits after a 503 with Retry-After %s', (_what, retryAfterMs, waits) => {
    const fail = () => state.recordFailure('failing', '503', retryAfterMs);
    fail();
    expect(waits.map(() => probeAndFail(fail))).toEqual(waits);
    expect(state.status()).toMatchObject({ state: 'waiting', reason: 'failing' });
  });

  it('probes an outage every half of the first delay for 30 s, then with growing waits', () => {
    const fail = () => state.recordFailure('failing', '503');
    for (let request = 0; request < 3; request += 1) fail();
    const begin = clock;
    const waits: number[] = [];
    while (clock < begin + 60_000) waits.push(probeAndFail(fail));
    const early = Array.from({ length: 60 }, () => 500);
    expect(waits).toEqual([...early, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    state.retryNow();
    expect(state.permit().kind).toBe('probe');
    state.recordSuccess('event');
    // The next outage is probed as often as the first.
    for (let request = 0; request < 3; request += 1) fail();
    expect(state.permit()).toEqual({ kind: 'wait', ms: 500 });
  });

  it('probes as often while the answers of an outage differ', () => {
    for (let request = 0; request < 3; request += 1) state.recordFailure('failing', '503');
    const answers = ['items-failing', 'failing'];
    for (const reason of answers) expect(probeAndFail(() => state.recordFailure(reason, 'no'))).toBe(500);
    expect(probeAndFail(() => state.recordThrottling('429'))).toBe(500);
    expect(state.permit()).toEqual({ kind: 'wait', ms: 1_000 });
  });

  it.each([1, 999])('sends few probes in a minute of 503s with a Retry-After of %s ms', (asked) => {
    let probes = 0;
    const fail = () => state.recordFailure('failing', '503', asked);
    for (let request = 0; request < 3; request += 1) fail();
    for (const end = clock + 60_000; clock < end; probes += 1) probeAndFail(fail);
    expect(probes).toBe(10);
  });

  it('waits exactly as long as the backoff of what it lacks', () => {
    const fail = () => state.waitFor('ims-network', 'refused', 250);
    fail();
    expect(Array.from({ length: 12 }, () => probeAndFail(fail))).toEqual(Array(12).fill(250));
    // Those waits do not count for the backoff of another cause.
    state.retryNow();
    expect(state.permit().kind).toBe('probe');
    state.recordFailure('failing', '500', 1);
    expect(state.permit()).toEqual({ kind: 'wait', ms: 1_000 });
  });

  it('waits at least a second after a 429, however short its own delays are', () => {
    state = createDestinationState({
      retry: { minDelay: 10, maxDelay: 400 },
      clocks: { now: () => clock, monotonic: () => clock },
      onChange: () => undefined,
    });
    state.recordThrottling('429');
    expect(state.permit()).toEqual({ kind: 'wait', ms: 1_000 });
  });

  it('counts an outage once, however many requests were in flight', () => {
    for (let request = 0; request < 16; request += 1) state.recordFailure('failing', '500', 1);
    expect(state.permit()).toEqual({ kind: 'wait', ms: 1_000 });
  });
});

describe('a destination with a fault', () => {
  it('probes one event at a time, with growing waits, and recovers by itself', () => {
    state.pauseForFault('unauthorized', '401');
    const fail = () => state.pauseForFault('unauthorized', '401');
    expect([probeAndFail(fail), probeAndFail(fail), probeAndFail(fail), probeAndFail(fail)]).toEqual([
      1_000, 2_000, 4_000, 8_000,
    ]);
    expect(probeAndFail(() => state.recordSuccess('event'))).toBe(8_000);
    expect(state.permit().kind).toBe('open');
    expect(changes.map((status) => status.state)).toEqual(['paused', 'flowing']);
  });

  it('allows only the probe', () => {
    state.pauseForFault('inlet-not-found', '404');
    expect(state.maySend()).toBe(false);
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    expect(state.maySend()).toBe(true);
    expect(state.permit().kind).toBe('wait');
  });

  it('probes with the next event if the first proved nothing', () => {
    state.pauseForFault('inlet-not-found', '404');
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    state.endProbe();
    expect(state.permit().kind).toBe('probe');
  });

  it.each([
    ['a retry was requested', () => state.retryNow()],
    ['an older event ended', () => state.endProbe()],
  ])('recovers with the success of a probe during which %s', (_what, interrupt) => {
    state.pauseForFault('inlet-not-found', '404');
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    interrupt();
    state.recordSuccess('event');
    expect(state.permit().kind).toBe('open');
    expect(changes.map((status) => status.state)).toEqual(['paused', 'flowing']);
  });

  it('of one kind of messages recovers with a message of that kind only', () => {
    state.pauseForFault('everything-refused', '400', { kind: 'profile' });
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    state.recordSuccess('event');
    state.recordAnswer();
    expect(state.status()).toMatchObject({ state: 'paused', reason: 'everything-refused' });
    expect(state.status().lastSuccessAt).toBe(clock);
    state.recordSuccess('profile');
    expect(state.permit().kind).toBe('open');
  });

  it('recovers with an answer of Adobe that refuses the probe, which is no success', () => {
    state.pauseForFault('foreign-answer', '200');
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    state.recordAnswer();
    expect(state.permit().kind).toBe('open');
    expect(state.status().lastSuccessAt).toBeUndefined();
    expect(state.hasSucceededSince(0)).toBe(false);
  });

  it('probes at once when an operator resumes it', () => {
    state.pauseForFault('unauthorized', '401', { waitMs: 600_000 });
    expect(state.permit()).toMatchObject({ kind: 'wait' });
    state.resume();
    expect(state.permit().kind).toBe('probe');
  });
});

describe('the cause of a stop', () => {
  it('stays the first one while answers to earlier requests arrive', () => {
    state.pauseForFault('ims-invalid_client', 'invalid client_secret parameter', { waitMs: 60_000 });
    state.pauseForFault('unauthorized', '401');
    state.recordFailure('failing', 'reset');
    state.recordThrottling('429');
    expect(state.status()).toMatchObject({
      state: 'paused',
      reason: 'ims-invalid_client',
      detail: 'invalid client_secret parameter',
      nextTryAt: clock + 60_000,
    });
    expect(changes).toHaveLength(1);
  });

  it('is kept while an answer to an earlier request prolongs the wait', () => {
    state.pauseForFault('ims-invalid_client', 'wrong', { waitMs: 500 });
    state.recordFailure('failing', '503', 1_000);
    expect(state.status()).toMatchObject({ reason: 'ims-invalid_client', nextTryAt: clock + 1_000 });
    state.recordThrottling('429', 90_000);
    expect(state.status()).toMatchObject({ reason: 'ims-invalid_client', nextTryAt: clock + 90_000 });
  });

  it('becomes a fault if that is known after a temporary failure', () => {
    state.recordThrottling('429', 30_000);
    state.pauseForFault('inlet-not-found', '404');
    expect(state.status()).toMatchObject({
      state: 'paused',
      reason: 'inlet-not-found',
      since: clock,
      nextTryAt: clock + 30_000,
    });
  });

  it('is what a probe finds', () => {
    state.pauseForFault('foreign-answer', '200');
    const since = clock;
    probeAndFail(() => state.recordFailure('failing', 'timeout'));
    expect(state.status()).toMatchObject({ state: 'waiting', reason: 'failing', detail: 'timeout', since });
  });
});

describe('whether the destination is healthy', () => {
  it('depends on the latest requests, so that a flaky network makes no dead letters', () => {
    expect(state.isHealthy()).toBe(true);
    for (let times = 0; times < 20; times += 1) {
      state.recordFailure('failing', 'reset');
      state.recordSuccess('event');
    }
    expect(state.isHealthy()).toBe(false);
    for (let times = 0; times < 10; times += 1) state.recordSuccess('event');
    expect(state.isHealthy()).toBe(true);
    state.recordFailure('failing', 'reset');
    expect(state.isHealthy()).toBe(true);
  });
});

describe('an operator’s pause', () => {
  it('is not ended by the success of a probe that was in flight', () => {
    state.pauseForFault('inlet-not-found', '404');
    clock += 1_000;
    expect(state.permit().kind).toBe('probe');
    state.pauseByOperator('ops', clock);
    state.recordSuccess('event');
    expect(state.status()).toMatchObject({ state: 'paused', reason: 'operator' });
  });

  it('stays until the operator resumes, whatever the outcome of requests in flight', () => {
    state.pauseByOperator('ops', clock);
    state.recordSuccess('event');
    state.recordFailure('failing', '500', 1);
    state.pauseForFault('unauthorized', '401');
    clock += 1e12;
    expect(state.permit()).toEqual({ kind: 'wait', ms: Number.POSITIVE_INFINITY });
    expect(state.status()).toMatchObject({ state: 'paused', reason: 'operator' });
    state.resume();
    expect(state.permit().kind).toBe('open');
  });
});
