import { describe, expect, it } from 'vitest';
import type { MessageResult } from '../../src/delivery/event-settlement.ts';
import { withWatch } from '../../src/delivery/watch-choice.ts';
import type { MessageKind, Settlement } from '../../src/journal/journal.ts';

function delivered(receipt: string): Settlement {
  return { receipt, attempts: [], delivered: ['event'], state: 'delivered' };
}

function result(kind: MessageKind, bytes: number): MessageResult {
  return { message: { kind, bytes }, outcome: { kind: 'delivered' } } as unknown as MessageResult;
}

function isWatched(receipt: string, readBack: number, results = [result('event', 100)]): boolean {
  const settlement = withWatch(delivered(receipt), results, { readBack });
  return 'watch' in settlement && settlement.watch === true;
}

describe('an event that is read back', () => {
  it('is one of the configured share, the same ones everywhere', () => {
    const receipts = Array.from({ length: 20_000 }, (_, place) => `01K8${String(place).padStart(22, '0')}`);
    for (const share of [0.001, 0.1, 0.5]) {
      const chosen = receipts.filter((receipt) => isWatched(receipt, share));
      expect(chosen.length / receipts.length).toBeGreaterThan(share * 0.6);
      expect(chosen.length / receipts.length).toBeLessThan(share * 1.5);
      expect(chosen.every((receipt) => isWatched(receipt, share))).toBe(true);
    }
    expect(receipts.every((receipt) => isWatched(receipt, 1))).toBe(true);
  });

  it.each([
    ['event', 7_999, false],
    ['event', 8_000, true],
    ['profile', 79_999, false],
    ['profile', 80_000, true],
  ] as const)('can be one with a large %s of %i bytes: %s', (kind, bytes, expected) => {
    expect(isWatched('r1', 1e-12, [result('event', 100), result(kind, bytes)])).toBe(expected);
  });

  it('is none without `readBack`, without `reconcile`, without messages, or that is not delivered', () => {
    expect(isWatched('r1', 0, [result('event', 9_000)])).toBe(false);
    expect(withWatch(delivered('r1'), [result('event', 9_000)], undefined)).toEqual(delivered('r1'));
    expect(isWatched('r1', 1, [])).toBe(false);
    const ignored: Settlement = {
      receipt: 'r1',
      attempts: [],
      delivered: [],
      state: 'ignored',
      reason: 'unmapped',
    };
    expect(withWatch(ignored, [result('event', 9_000)], { readBack: 1 })).toBe(ignored);
  });
});
