import { describe, expect, it } from 'vitest';
import type { MessageOutcome, OutMessage } from '../../src/delivery/message.ts';
import { type Result, settlementOf } from '../../src/delivery/settlement.ts';
import type { Attempt, ClaimedEvent, MessageKind } from '../../src/journal/journal.ts';

const NOW = 1_790_000_000_000;
const RULES = { minDelay: 1_000, maxDelay: 300_000, maxAge: 7 * 86_400_000, poisonAttempts: 3 };

const claimed = (more: Partial<ClaimedEvent> = {}): ClaimedEvent =>
  ({
    receipt: 'r1',
    receivedAt: NOW - 1_000,
    failures: 0,
    charged: 0,
    delivered: [],
    ...more,
  }) as ClaimedEvent;
const attempt = (kind: MessageKind): Attempt => ({
  at: NOW,
  kind,
  outcome: 'x',
  durationMs: 1,
  batchSize: 1,
});
const message = (kind: MessageKind): OutMessage => ({
  receipt: 'r1',
  kind,
  json: `{"${kind}":1}`,
  bytes: 11,
  suspect: false,
  age: 0,
  expired: false,
});

const outcomes = (kind: MessageKind) => ({
  delivered: { kind: 'delivered', attempt: attempt(kind) } as const,
  rejected: { kind: 'rejected', reason: 'rejected', detail: '400 no', attempt: attempt(kind) } as const,
  retry: { kind: 'retry', charged: false, detail: '503', jitter: 0.5, attempt: attempt(kind) } as const,
  charged: { kind: 'retry', charged: true, detail: '500', jitter: 0.5, attempt: attempt(kind) } as const,
  held: { kind: 'held', detail: '401', attempt: attempt(kind) } as const,
});
type Name = keyof ReturnType<typeof outcomes>;
const result = (kind: MessageKind, name: Name): Result => ({
  message: message(kind),
  outcome: outcomes(kind)[name] satisfies MessageOutcome,
});

describe('joining the outcomes of an event and its profile', () => {
  const table: [Name, Name, string][] = [
    ['delivered', 'delivered', 'delivered'],
    ['delivered', 'rejected', 'dead'],
    ['rejected', 'rejected', 'dead'],
    ['delivered', 'retry', 'pending'],
    ['rejected', 'retry', 'pending'],
    ['held', 'delivered', 'pending'],
    ['held', 'rejected', 'pending'],
    ['held', 'retry', 'pending'],
    ['charged', 'delivered', 'pending'],
  ];
  it.each(table)('event %s, profile %s: %s', (event, profile, state) => {
    const results = [result('event', event), result('profile', profile)];
    expect(settlementOf(claimed(), results, {}, RULES, NOW).state).toBe(state);
  });

  it('remembers what was delivered, so that a retry sends the rest', () => {
    const results = [result('event', 'delivered'), result('profile', 'retry')];
    expect(settlementOf(claimed(), results, {}, RULES, NOW)).toMatchObject({
      delivered: ['event'],
      failures: 1,
    });
  });

  it('keeps only what was not delivered with a dead letter', () => {
    const results = [result('event', 'rejected'), result('profile', 'delivered')];
    expect(settlementOf(claimed(), results, {}, RULES, NOW)).toMatchObject({
      state: 'dead',
      reason: 'rejected',
      detail: '400 no',
      sent: [{ kind: 'event', json: '{"event":1}' }],
    });
  });
});

describe('what a failure costs', () => {
  it('costs nothing when the destination is at fault', () => {
    const event = claimed({ failures: 4, charged: 2 });
    expect(settlementOf(event, [result('event', 'held')], {}, RULES, NOW)).toMatchObject({
      state: 'pending',
      failures: 4,
      charged: 2,
      dueAt: NOW,
    });
  });

  it('waits longer with each failure, as the jitter says', () => {
    const waitAfter = (failures: number): number => {
      const settled = settlementOf(claimed({ failures }), [result('event', 'retry')], {}, RULES, NOW);
      return settled.state === 'pending' ? settled.dueAt - NOW : Number.NaN;
    };
    expect([0, 1, 2, 20].map(waitAfter)).toEqual([500, 1_000, 2_000, 150_000]);
  });

  it('never waits less than Adobe asks', () => {
    const asked: Result = {
      message: message('event'),
      outcome: { ...outcomes('event').retry, retryAfter: 60_000 },
    };
    expect(settlementOf(claimed(), [asked], {}, RULES, NOW)).toMatchObject({ dueAt: NOW + 60_000 });
  });

  it('buries poison after so many charged failures, not one sooner', () => {
    const results = [result('event', 'charged')];
    expect(settlementOf(claimed({ charged: 1 }), results, {}, RULES, NOW)).toMatchObject({
      state: 'pending',
      charged: 2,
    });
    expect(settlementOf(claimed({ charged: 2 }), results, {}, RULES, NOW)).toMatchObject({
      state: 'dead',
      reason: 'poison',
    });
  });

  it('gives an old event up at its own fault, and never at that of the destination', () => {
    const old = claimed({ receivedAt: NOW - RULES.maxAge - 1 });
    expect(settlementOf(old, [result('event', 'charged')], {}, RULES, NOW)).toMatchObject({
      reason: 'expired',
    });
    expect(settlementOf(old, [result('event', 'retry')], {}, RULES, NOW).state).toBe('pending');
    expect(settlementOf(old, [result('event', 'held')], {}, RULES, NOW).state).toBe('pending');
  });
});

describe('what is written with the outcome', () => {
  const kept = {
    profiles: [{ lane: 'l', state: '{}' }],
    alias: { from: 'v', to: 'l', profile: null },
  };
  const effects = { ...kept, erase: ['l'], eraseOwn: true, withProfile: true };

  it('writes the assembled profile when Adobe took it, even if the event must wait', () => {
    const results = [result('event', 'retry'), result('profile', 'delivered')];
    const settlement = settlementOf(claimed(), results, effects, RULES, NOW);
    expect(settlement).toMatchObject({ state: 'pending', ...kept });
    expect(settlement).not.toHaveProperty('erase');
    expect(settlement).not.toHaveProperty('eraseOwn');
  });

  it('writes it again when the rest is delivered: what is erased then would take it along', () => {
    const event = claimed({ delivered: ['profile'] });
    expect(settlementOf(event, [result('event', 'delivered')], effects, RULES, NOW)).toMatchObject({
      state: 'delivered',
      ...kept,
      erase: ['l'],
      eraseOwn: true,
    });
  });

  it('does not write a profile that Adobe did not take', () => {
    const results = [result('event', 'delivered'), result('profile', 'rejected')];
    const settlement = settlementOf(claimed(), results, effects, RULES, NOW);
    expect(settlement).not.toHaveProperty('profiles');
    expect(settlement).not.toHaveProperty('alias');
  });

  it('writes with the delivery what no record tells', () => {
    const quiet = { ...effects, withProfile: false };
    const [sent, waits, refused] = (['delivered', 'retry', 'rejected'] as const).map((name) =>
      settlementOf(claimed(), [result('event', name)], quiet, RULES, NOW),
    );
    expect(sent).toMatchObject({ ...kept, erase: ['l'], eraseOwn: true });
    for (const settlement of [waits, refused]) {
      for (const written of ['profiles', 'alias', 'erase', 'eraseOwn'])
        expect(settlement).not.toHaveProperty(written);
    }
  });
});
