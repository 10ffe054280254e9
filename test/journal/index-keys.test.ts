import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueKey } from '../../src/journal/queue-key.ts';
import { identityKey, KeyedPositions } from '../../src/journal/sqlite/engine/index-keys.ts';
import { appendAll, claimReceipts, sampleEvent, settled, settleHeld } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const LANE = 'a'.repeat(64);

describe('the keys of the buffered indexes', () => {
  it('have the values that stores of this format contain', () => {
    expect(identityKey(Buffer.from('0123456789abcdef'.repeat(4), 'hex'))).toBe(0x01_23_45_67_89_ab);
    expect(queueKey('aep', LANE, 0)).toBe(88_779_306_182_550);
    expect(queueKey('aep', LANE, 1)).toBe(49_243_129_600_340);
    expect(queueKey('other', LANE, 0)).toBe(260_399_645_974_811);
  });

  it('distinguish lanes that differ in one digit', () => {
    const lanes = Array.from({ length: 64 * 15 }, (_, n) => {
      const at = n % 64;
      return `${LANE.slice(0, at)}${'0123456789bcdef'[Math.floor(n / 64)]}${LANE.slice(at + 1)}`;
    });
    const keys = lanes.map((lane) => queueKey('aep', lane, 0));
    expect(new Set(keys).size).toBe(lanes.length);
    expect(keys.every((key) => Number.isInteger(key) && key >= 0 && key < 2 ** 48)).toBe(true);
  });
});

describe('lanes whose keys coincide', () => {
  const [one, other] = ['c9q4q', 'chycyl'] as const;

  it('do not wait for each other, whatever is claimed, waits or is merged', async () => {
    expect(queueKey('aep', one, 0)).toBe(queueKey('aep', other, 0));
    const journal = await openJournal(await journalFolder(), { generationSize: 2 });
    const lanes = [one, other, one, other, other, one];
    const receipts = await appendAll(
      journal,
      lanes.map((lane) => sampleEvent({ lane })),
    );
    expect(await claimReceipts(journal)).toEqual([receipts[0], receipts[1]]);
    await settleHeld(journal, settled.waiting(receipts[0]!, 3_600_000));
    for (const [at, next] of [
      [1, 3],
      [3, 4],
    ] as const) {
      await settleHeld(journal, settled.delivered(receipts[at]!));
      expect(await claimReceipts(journal)).toEqual([receipts[next]]);
    }
    await settleHeld(journal, settled.dead(receipts[4]!));
    // A replay has a queue of its own, in which the other lane may have the first event.
    await journal.replay({ filter: { states: ['dead'] }, asNew: false, by: 'olga' });
    expect(await claimReceipts(journal)).toEqual([receipts[4]]);
    const alias = { from: other, to: one, profile: null };
    await settleHeld(journal, { ...settled.delivered(receipts[4]!), alias });
    const [last] = await appendAll(journal, [sampleEvent({ lane: other })]);
    expect((await journal.find(last!))?.event).toMatchObject({ lane: one, ownLane: other });
    expect(await claimReceipts(journal)).toEqual([]);
  });
});

describe('KeyedPositions', () => {
  it('keeps the positions of a key in ascending order, whatever the order of changes', () => {
    const seq = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.array(seq, { maxLength: 12 }), fc.array(seq, { maxLength: 6 }), (added, deleted) => {
        const positions = new KeyedPositions();
        const left = [...added];
        for (const each of added) positions.add(7, each);
        for (const each of deleted) {
          const at = left.indexOf(each);
          expect(positions.delete(7, each)).toBe(at >= 0);
          if (at >= 0) left.splice(at, 1);
        }
        const sorted = left.toSorted((a, b) => a - b);
        expect(positions.positionsOf(7)).toEqual(sorted);
        expect(positions.first(7)).toBe(sorted[0]);
        expect(positions.has(7)).toBe(sorted.length > 0);
      }),
    );
  });
});
