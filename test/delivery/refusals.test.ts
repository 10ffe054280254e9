import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDestinationState, type DestinationState } from '../../src/delivery/destination-state.ts';
import type { OutgoingMessage } from '../../src/delivery/outcome.ts';
import { createRefusals, type Refusals, type Rejected } from '../../src/delivery/refusals.ts';

let state: DestinationState;
let refusals: Refusals;

beforeEach(() => {
  vi.useFakeTimers();
  state = createDestinationState({
    retry: { minDelay: 1_000, maxDelay: 8_000 },
    clocks: { now: () => 0, monotonic: () => 0 },
    onChange: () => undefined,
  });
  refusals = createRefusals({ state });
});
afterEach(() => {
  vi.useRealTimers();
});

function message(lane: string, kind: OutgoingMessage['kind'] = 'event', receipt = lane): OutgoingMessage {
  return {
    receipt,
    source: 'acme',
    kind,
    receivedAt: 0,
    lane,
    json: '{}',
    bytes: 2,
    isSuspect: false,
    ageMs: 0,
    isExpired: false,
  };
}
const rejected: Rejected = {
  kind: 'rejected',
  reason: 'rejected',
  detail: '400 no',
  attempt: {
    request: { id: 'q1', at: 0, kind: 'event', durationMs: 1, batchSize: 1 },
    outcome: 'rejected',
  },
};
/** Adobe refuses the message at this time. */
function refuse(one: OutgoingMessage, at: number) {
  refusals.noteMessage(one, at, '400 no');
  return Promise.resolve(refusals.decide(one, rejected)).then(({ kind }) => kind);
}

describe('a refused message', () => {
  it('is rejected after a while if nothing else is sent', async () => {
    const outcome = refuse(message('a'), 10);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toBe('rejected');
    expect(state.status().state).toBe('flowing');
  });

  it('is sent again once another one passed, and rejected if it is refused again', async () => {
    const first = refuse(message('a'), 10);
    refusals.notePass('event', 11);
    expect(await first).toBe('held');
    expect(await refuse(message('a'), 20)).toBe('rejected');
  });

  it.each([
    ['was sent before the refusal', 'event', 9],
    ['is of the other kind', 'profile', 11],
  ] as const)('is not judged by a pass that %s', async (_what, kind, sentAt) => {
    refusals.notePass(kind, sentAt);
    const first = refuse(message('a'), 10);
    await vi.advanceTimersByTimeAsync(1_999);
    refusals.close();
    expect(await first).toBe('held');
  });

  it('is held, with the others, once messages of three customers are refused and none passed', async () => {
    const outcomes = [refuse(message('a'), 10), refuse(message('b'), 11), refuse(message('c'), 12)];
    expect(await Promise.all(outcomes)).toEqual(['held', 'held', 'held']);
    expect(state.status()).toMatchObject({ state: 'paused', reason: 'everything-refused', detail: '400 no' });
  });

  it.each([
    [
      'of one customer',
      [message('a', 'event', 'r1'), message('a', 'event', 'r2'), message('a', 'event', 'r3')],
    ],
    ['of two customers', [message('a'), message('b'), message('a', 'event', 'r3')]],
    ['of both kinds', [message('a'), message('b'), message('a', 'profile'), message('b', 'profile')]],
  ])('does not pause the destination with others %s', async (_what, messages) => {
    const outcomes = messages.map((one, at) => refuse(one, at));
    expect(state.status().state).toBe('flowing');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['rejected']));
  });

  it('counts customers since the last pass only', async () => {
    const before = [refuse(message('a'), 10), refuse(message('b'), 11)];
    refusals.notePass('event', 12);
    const after = [refuse(message('c'), 13), refuse(message('d'), 14)];
    await Promise.all(before);
    expect(state.status().state).toBe('flowing');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.all(after)).toEqual(['rejected', 'rejected']);
  });

  it('is held if the destination stops for another reason meanwhile', async () => {
    const outcome = refuse(message('a'), 10);
    state.pauseForFault('unauthorized', '401');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toBe('held');
  });

  it('is rejected at once if it was refused with others before and one of them passed', async () => {
    refusals.noteRequest([message('a'), message('b')], 10);
    refusals.notePass('event', 11);
    expect(await refuse(message('b'), 12)).toBe('rejected');
  });

  it('is rejected at once if Adobe took others of the same request', async () => {
    refusals.noteOwnFault(message('a'));
    expect(await refusals.decide(message('a'), rejected)).toBe(rejected);
  });

  it('of many that were refused before a pass, only two die of it while most requests fail', async () => {
    const all = Array.from({ length: 20 }, (_, at) => message(`c${at}`));
    refusals.noteRequest(all, 10);
    refusals.notePass('event', 11);
    for (let failures = 0; failures < 3; failures += 1) state.recordRefusal();
    const kinds = await Promise.all(all.map((one) => refuse(one, 12)));
    expect(kinds.filter((kind) => kind === 'rejected')).toHaveLength(2);
    expect(state.status().reason).toBe('everything-refused');
  });

  it('dies, with many others, if it was refused before a pass and most requests pass', async () => {
    const all = Array.from({ length: 20 }, (_, at) => message(`c${at}`));
    refusals.noteRequest(all, 10);
    refusals.notePass('event', 11);
    const kinds = await Promise.all(all.map((one) => refuse(one, 12)));
    expect(new Set(kinds)).toEqual(new Set(['rejected']));
    expect(state.status().state).toBe('flowing');
  });

  it('is held after the relay began to stop', async () => {
    refusals.close();
    expect(await refuse(message('a'), 10)).toBe('held');
  });
});
