import { describe, expect, test } from 'vitest';
import {
  createSlotTally,
  emptyAccount,
  newlyFound,
  type SlotEntry,
} from '../../../src/reconciliation/capillary/slot-account.ts';

const SLOT = { from: 900_000, until: 1_800_000 };

function lost(eventId: string, isOpen = false): SlotEntry {
  const difference = { kind: 'given-up', cause: 'relay-refused', isOpen, detail: 'lost', eventId } as const;
  return { outcome: isOpen ? 'missing' : 'recovered', isUnsettled: false, difference };
}

describe('the tally of a slot', () => {
  test('names 20 differences of a kind, and counts the others', () => {
    const tally = createSlotTally(SLOT);
    for (let index = 0; index < 500; index += 1) tally.add(lost(`event-${index}`));
    for (let index = 0; index < 3; index += 1) tally.add(lost(`open-${index}`, true));
    expect(tally.differences).toHaveLength(24);
    expect(tally.differences[20]).toMatchObject({ kind: 'given-up', isOpen: false, count: 480 });
    expect(tally.differences[20]).not.toHaveProperty('eventId');
    expect(tally.account).toMatchObject({
      rows: 503,
      recovered: 500,
      missing: 3,
      open: { 'given-up': 3 },
      found: { 'given-up relay-refused': 503 },
    });
  });

  test('continued from what it was is as if it had not been interrupted', () => {
    const whole = createSlotTally(SLOT);
    const first = createSlotTally(SLOT);
    for (let index = 0; index < 15; index += 1) {
      whole.add(lost(`event-${index}`));
      first.add(lost(`event-${index}`));
    }
    const { account, differences } = first;
    const second = createSlotTally(SLOT, JSON.parse(JSON.stringify({ account, differences })));
    for (let index = 15; index < 40; index += 1) {
      whole.add(lost(`event-${index}`));
      second.add(lost(`event-${index}`));
    }
    expect(second.account).toEqual(whole.account);
    expect(second.differences).toEqual(whole.differences);
  });

  test('finds nothing new in what was found before', () => {
    const tally = createSlotTally(SLOT);
    tally.add(lost('1'));
    tally.add(lost('2'));
    expect(newlyFound(tally.account, tally.account)).toEqual([]);
    expect(newlyFound(tally.account, emptyAccount(SLOT))).toEqual([
      { kind: 'given-up', cause: 'relay-refused', count: 2 },
    ]);
  });
});
