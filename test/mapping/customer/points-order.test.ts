import { describe, expect, it } from 'vitest';
import { createHistory, type HistoryEvent, issued, joined, lotsOf, pointsEvent } from './history-rig.ts';

const SECOND_IS_NULL = 'event.data.programCurrentPoints = 101 ? { "loyalty": { "points": null } }';

describe('points events of the same millisecond', () => {
  const at = (event: HistoryEvent, eventId: string): HistoryEvent => ({ ...event, day: 5, eventId });
  const expired = pointsEvent('pointsExpired', 5, { pointsExpired: 60 });

  it.each(['a', 'b', 'c', 'd', 'e', 'f'])('are ordered by their balances (%s)', async (seed) => {
    const events = [
      at(issued(5, [[60, 400]], 60), `${seed}1`),
      at(issued(5, [[20, 410]], 80), `${seed}2`),
      at(issued(5, [[5, 420]], 85), `${seed}3`),
      at(expired, `${seed}4`),
    ];
    for (const order of [events, events.toReversed()]) {
      const { loyalty } = await createHistory().send(joined(), ...order);
      expect(loyalty).toMatchObject({ points: 25, pointsRedeemed: 0 });
      expect(lotsOf(loyalty)).toEqual([
        [20, 410],
        [5, 420],
      ]);
    }
  });

  it.each(['a', 'b', 'c', 'd'])('begin with the balance that was known before (%s)', async (seed) => {
    // 40 of 100 expired before 10 were issued: else the balance would be 110 in between.
    const taken = at(pointsEvent('pointsExpired', 5, { pointsExpired: 40 }), `${seed}1`);
    const { loyalty } = await createHistory().send(
      joined(),
      issued(1, [[100, 400]], 100),
      at(issued(5, [[10, 410]], 70), `${seed}2`),
      taken,
    );

    expect(loyalty['points']).toBe(70);
  });

  it.each(['a', 'b', 'c', 'd'])('state the lifetime points of the last one (%s)', async (seed) => {
    const stating = (points: number, balance: number, eventId: string): HistoryEvent => {
      const event = issued(5, [[points, 400]], balance);
      const data = { ...event.data, programLifetimePoints: balance + 1_000 };
      return { ...event, data, eventId };
    };
    const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
    const { loyalty } = await history.send(
      stating(20, 80, `${seed}2`),
      stating(60, 60, `${seed}1`),
      stating(5, 85, `${seed}3`),
    );

    expect(loyalty).toMatchObject({ points: 85, lifetimePoints: 1_085 });
  });

  it.each(['a', 'b', 'c', 'd'])('are ordered although others were not seen before (%s)', async (seed) => {
    const { loyalty } = await createHistory().send(
      joined(),
      issued(1, [[100, 400]], 100),
      at(issued(5, [[10, 410]], 70), `${seed}2`),
      at(issued(5, [[20, 410]], 90), `${seed}1`),
    );

    expect(loyalty['points']).toBe(90);
  });
});

describe('an override that drops the balance of an event', () => {
  it('leaves the one before', async () => {
    const history = createHistory({
      source: { overrides: { pointsIssued: { profile: SECOND_IS_NULL } } },
    });
    const { loyalty } = await history.send(
      joined(),
      issued(1, [[100, 400]], 100),
      issued(2, [[1, 400]], 101),
    );

    expect(loyalty['points']).toBe(100);
  });
});
