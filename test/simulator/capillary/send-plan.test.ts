import { describe, expect, it } from 'vitest';
import { makeEvents } from '../../../src/simulator/capillary/capillary-events.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { planSends } from '../../../src/simulator/capillary/send-plan.ts';

const names = ['transactionAdded', 'pointsIssued'];
const events = makeEvents({ count: 500, customers: 20, names, awkward: 0 });
function plan(duplicates: number, disorder: number, seed = 1) {
  return [...planSends(events, { count: events.length, duplicates, disorder, random: createRandom(seed) })];
}

describe('planSends', () => {
  it('sends each event once and in order by default', () => {
    expect(plan(0, 0).map(({ event }) => event)).toEqual(events);
  });

  it('sends exactly the given share a second time, after the first', () => {
    const sends = plan(0.1, 0);
    expect(sends).toHaveLength(550);
    const duplicates = sends.filter(({ isDuplicate }) => isDuplicate);
    expect(new Set(duplicates.map(({ event }) => event)).size).toBe(50);
    for (const { event } of duplicates) {
      const places = sends.flatMap((send, place) => (send.event === event ? [place] : []));
      expect(places).toHaveLength(2);
      expect(sends[places[0]!]).toMatchObject({ isDuplicate: false });
    }
  });

  it('holds the given share back until the customer’s next event is sent', () => {
    const sends = plan(0, 0.2);
    const reordered = sends.filter(({ isReordered: isLate }) => isLate);
    // A customer cannot have two events held back at once, so a few may be missing.
    expect(reordered.length).toBeGreaterThan(95);
    expect(reordered.length).toBeLessThanOrEqual(100);
    expect(new Set(sends.map(({ event }) => event))).toEqual(new Set(events));
    const place = new Map(sends.map(({ event }, index) => [event, index]));
    const overtaken = reordered.filter(({ event }) => {
      const next = events.find(
        (other) => events.indexOf(other) > events.indexOf(event) && other.customerId === event.customerId,
      );
      return next !== undefined && place.get(next)! < place.get(event)!;
    });
    expect(overtaken.length).toBeGreaterThan(90);
  });

  it.each([
    [1, 0, 1_000],
    [1, 1, 1_000],
    [0, 1, 500],
  ])('loses nothing with duplicates %d and disorder %d', (duplicates, disorder, count) => {
    const sends = plan(duplicates, disorder);
    expect(sends).toHaveLength(count);
    expect(new Set(sends.map(({ event }) => event)).size).toBe(500);
  });

  it('is the same for the same seed', () => {
    expect(plan(0.3, 0.3, 9)).toEqual(plan(0.3, 0.3, 9));
  });
});
