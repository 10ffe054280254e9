import { describe, expect, it } from 'vitest';
import type { MessageOutcome, OutgoingMessage } from '../../src/delivery/outcome.ts';
import { type MessageResult, settlementOf } from '../../src/delivery/event-settlement.ts';
import type { Attempt, ClaimedEvent, MessageKind } from '../../src/journal/journal.ts';

const NOW = 1_790_000_000_000;
const RULES = { minDelay: 1_000, maxDelay: 300_000, maxAge: 7 * 86_400_000, poisonAttempts: 3 };

function claimed(more: Partial<ClaimedEvent> = {}): ClaimedEvent {
  return {
    receipt: 'r1',
    receivedAt: NOW - 1_000,
    failedAttempts: 0,
    ownFaultCount: 0,
    delivered: [],
    ...more,
  } as ClaimedEvent;
}
function attempt(kind: MessageKind): Attempt {
  return {
    request: { id: 'q1', at: NOW, kind, durationMs: 1, batchSize: 1 },
    outcome: 'x',
  };
}
function message(kind: MessageKind): OutgoingMessage {
  return {
    receipt: 'r1',
    kind,
    json: `{"${kind}":1}`,
    bytes: 11,
    isSuspect: false,
    source: 'acme',
    receivedAt: 0,
    ageMs: 0,
    isExpired: false,
  };
}

function outcomes(kind: MessageKind) {
  return {
    delivered: { kind: 'delivered', attempt: attempt(kind) } as const,
    rejected: { kind: 'rejected', reason: 'rejected', detail: '400 no', attempt: attempt(kind) } as const,
    retry: { kind: 'retry', isOwnFault: false, detail: '503', jitter: 0.5, attempt: attempt(kind) } as const,
    ownFault: {
      kind: 'retry',
      isOwnFault: true,
      detail: '500',
      jitter: 0.5,
      attempt: attempt(kind),
    } as const,
    held: { kind: 'held', detail: '401', attempt: attempt(kind) } as const,
  };
}
type Name = keyof ReturnType<typeof outcomes>;
function result(kind: MessageKind, name: Name): MessageResult {
  return {
    message: message(kind),
    outcome: outcomes(kind)[name] satisfies MessageOutcome,
  };
}

describe('combining the outcomes of an event and its profile', () => {
  const table: [Name, Name, string][] = [
    ['delivered', 'delivered', 'delivered'],
    ['delivered', 'rejected', 'dead'],
    ['rejected', 'rejected', 'dead'],
    ['delivered', 'retry', 'pending'],
    ['rejected', 'retry', 'pending'],
    ['held', 'delivered', 'pending'],
    ['held', 'rejected', 'pending'],
    ['held', 'retry', 'pending'],
    ['ownFault', 'delivered', 'pending'],
  ];
  it.each(table)('event %s, profile %s: %s', (event, profile, state) => {
    const results = [result('event', event), result('profile', profile)];
    expect(settlementOf(claimed(), results, {}, RULES, NOW).state).toBe(state);
  });

  it('records what was delivered, so that a retry sends the rest', () => {
    const results = [result('event', 'delivered'), result('profile', 'retry')];
    expect(settlementOf(claimed(), results, {}, RULES, NOW)).toMatchObject({
      delivered: ['event'],
      failedAttempts: 1,
    });
  });

  it('stores only undelivered messages with a dead letter', () => {
    const results = [result('event', 'rejected'), result('profile', 'delivered')];
    expect(settlementOf(claimed(), results, {}, RULES, NOW)).toMatchObject({
      state: 'dead',
      reason: 'rejected',
      detail: '400 no',
      sent: [{ kind: 'event', json: '{"event":1}' }],
    });
  });
});

describe('the cost of a failure', () => {
  it('is nothing if the destination is at fault', () => {
    const event = claimed({ failedAttempts: 4, ownFaultCount: 2 });
    expect(settlementOf(event, [result('event', 'held')], {}, RULES, NOW)).toMatchObject({
      state: 'pending',
      failedAttempts: 4,
      ownFaultCount: 2,
      dueIn: 0,
    });
  });

  it('is a longer wait with each failure, scaled by the jitter', () => {
    const waitAfter = (failedAttempts: number): number => {
      const settled = settlementOf(claimed({ failedAttempts }), [result('event', 'retry')], {}, RULES, NOW);
      return settled.state === 'pending' ? settled.dueIn : Number.NaN;
    };
    expect([0, 1, 2, 20].map(waitAfter)).toEqual([500, 1_000, 2_000, 150_000]);
  });

  it.each([
    ['as after its first failure if its request failed as a whole', 'short', 500],
    ['none if the destination waits', 'none', 0],
  ] as const)('is a wait %s', (_what, ownWait, dueIn) => {
    const failed: MessageResult = {
      message: message('event'),
      outcome: { ...outcomes('event').retry, ownWait },
    };
    const event = claimed({ failedAttempts: 20 });
    expect(settlementOf(event, [failed], {}, RULES, NOW)).toMatchObject({ dueIn, failedAttempts: 21 });
  });

  it('is never a shorter wait than Adobe asks for', () => {
    const asked: MessageResult = {
      message: message('event'),
      outcome: { ...outcomes('event').retry, retryAfterMs: 60_000 },
    };
    expect(settlementOf(claimed(), [asked], {}, RULES, NOW)).toMatchObject({ dueIn: 60_000 });
  });

  it('is a dead letter after poisonAttempts failures by its own fault, not one sooner', () => {
    const results = [result('event', 'ownFault')];
    expect(settlementOf(claimed({ ownFaultCount: 1 }), results, {}, RULES, NOW)).toMatchObject({
      state: 'pending',
      ownFaultCount: 2,
    });
    expect(settlementOf(claimed({ ownFaultCount: 2 }), results, {}, RULES, NOW)).toMatchObject({
      state: 'dead',
      reason: 'poison',
    });
  });

  it('is a dead letter for an old event by its own fault, never by that of the destination', () => {
    const old = claimed({ receivedAt: NOW - RULES.maxAge - 1 });
    expect(settlementOf(old, [result('event', 'ownFault')], {}, RULES, NOW)).toMatchObject({
      reason: 'expired',
    });
    expect(settlementOf(old, [result('event', 'retry')], {}, RULES, NOW).state).toBe('pending');
    expect(settlementOf(old, [result('event', 'held')], {}, RULES, NOW).state).toBe('pending');
  });
});

describe('the effects written with an outcome', () => {
  const customerEffects = {
    profiles: [{ lane: 'l', state: '{}' }],
    alias: { from: 'v', to: 'l', profile: null },
  };
  const effects = { ...customerEffects, erase: ['l'], eraseOwn: true, withProfile: true };

  it('include the assembled profile once Adobe accepted it, even if the event must wait', () => {
    const results = [result('event', 'retry'), result('profile', 'delivered')];
    const settlement = settlementOf(claimed(), results, effects, RULES, NOW);
    expect(settlement).toMatchObject({ state: 'pending', ...customerEffects });
    expect(settlement).not.toHaveProperty('erase');
    expect(settlement).not.toHaveProperty('eraseOwn');
  });

  it('include it again when the rest is delivered, because the erasure would remove it', () => {
    const event = claimed({ delivered: ['profile'] });
    expect(settlementOf(event, [result('event', 'delivered')], effects, RULES, NOW)).toMatchObject({
      state: 'delivered',
      ...customerEffects,
      erase: ['l'],
      eraseOwn: true,
    });
  });

  it('do not include a profile that Adobe did not accept', () => {
    const results = [result('event', 'delivered'), result('profile', 'rejected')];
    const settlement = settlementOf(claimed(), results, effects, RULES, NOW);
    expect(settlement).not.toHaveProperty('profiles');
    expect(settlement).not.toHaveProperty('alias');
  });

  it('are written with the delivery if no profile record is sent', () => {
    const withoutRecord = { ...effects, withProfile: false };
    const [sent, waiting, rejected] = (['delivered', 'retry', 'rejected'] as const).map((name) =>
      settlementOf(claimed(), [result('event', name)], withoutRecord, RULES, NOW),
    );
    expect(sent).toMatchObject({ ...customerEffects, erase: ['l'], eraseOwn: true });
    for (const settlement of [waiting, rejected]) {
      for (const written of ['profiles', 'alias', 'erase', 'eraseOwn'])
        expect(settlement).not.toHaveProperty(written);
    }
  });
});
