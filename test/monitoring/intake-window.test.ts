import { describe, expect, it } from 'vitest';
import { createIntakeWindow } from '../../src/monitoring/intake-window.ts';

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 31, 8);

function openWindow() {
  const clock = { now: START };
  const window = createIntakeWindow(() => clock.now);
  return {
    clock,
    counts: () => window.counts(),
    answer: (outcome: string, status: number, source = 'acme') => window.count({ source, outcome, status }),
    outcomes: (source = 'acme') => Object.fromEntries(window.counts().sources.get(source)?.outcomes ?? []),
  };
}

describe('the window of answered webhooks', () => {
  it('counts by source and outcome, and forgets each minute after 15', () => {
    const { clock, answer, outcomes } = openWindow();
    answer('accepted', 200);
    answer('not-verified', 401, 'beta');
    clock.now += 5 * MINUTE_MS;
    answer('accepted', 200);
    answer('oversized', 413);
    expect([outcomes(), outcomes('beta')]).toEqual([{ accepted: 2, oversized: 1 }, { 'not-verified': 1 }]);
    clock.now += 10 * MINUTE_MS;
    expect([outcomes(), outcomes('beta')]).toEqual([{ accepted: 1, oversized: 1 }, {}]);
    clock.now += 5 * MINUTE_MS;
    expect(outcomes()).toEqual({});
  });

  it('begins 15 minutes ago, or with the process', () => {
    const { clock, counts } = openWindow();
    clock.now += 2 * MINUTE_MS;
    expect(counts()).toMatchObject({ minutes: 15, since: START });
    clock.now += 60 * MINUTE_MS;
    expect(counts().since).toBe(clock.now - 14 * MINUTE_MS);
  });

  it('keeps the times of the last answers, and how many were refused in a row', () => {
    const { clock, counts, answer } = openWindow();
    const acme = () => counts().sources.get('acme');
    answer('not-verified', 401);
    answer('rate-limited', 429);
    expect(acme()).toMatchObject({ refusedInARow: 2, lastRefusedAt: START });
    expect(acme()).not.toHaveProperty('lastAcceptedAt');
    clock.now += MINUTE_MS;
    answer('duplicate', 200);
    expect(acme()).toMatchObject({ refusedInARow: 0, lastRefusedAt: START, lastAcceptedAt: clock.now });
    clock.now += 60 * MINUTE_MS;
    expect(acme()).toMatchObject({ lastRefusedAt: START, outcomes: new Map() });
  });

  it('a request to another path is no webhook', () => {
    const { clock, counts, answer } = openWindow();
    answer('not-found', 404, 'unknown');
    answer('unknown-source', 404, 'unknown');
    expect(counts().otherPaths).toBe(1);
    expect(counts().sources.get('unknown')).toMatchObject({
      refusedInARow: 1,
      outcomes: new Map([['unknown-source', 1]]),
    });
    clock.now += 15 * MINUTE_MS;
    expect(counts().otherPaths).toBe(0);
  });

  it('is bounded in time, also when the clock is set back', () => {
    const { clock, answer, outcomes } = openWindow();
    for (let minute = 0; minute < 100; minute += 1) {
      answer('accepted', 200);
      clock.now += MINUTE_MS;
    }
    expect(outcomes()).toEqual({ accepted: 14 });
    clock.now -= 50 * MINUTE_MS;
    answer('accepted', 200);
    expect(outcomes()).toEqual({ accepted: 1 });
  });
});
