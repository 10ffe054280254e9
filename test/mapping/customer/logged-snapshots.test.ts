import { describe, expect, it } from 'vitest';
import type { PointsLotEntity, ProgramEntity } from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { parseState } from '../../../src/mapping/customer/customer-state.ts';
import { MAX_LOG_ENTRIES } from '../../../src/mapping/customer/points-log.ts';
import { createFetchedHistory } from './fetched-history.ts';
import { daysOf, type HistoryEvent, issued, joined, noon, pointsEvent, redeemed } from './history-rig.ts';
import type { Fetch } from './points-world.ts';

/** Lots as [points, day on which they expire]. */
function lots(...days: readonly (readonly [number, number])[]): readonly PointsLotEntity[] {
  return days.map(([points, day]) => ({ points, expiryDate: dateOf(day) }));
}

function dateOf(day: number): string {
  return new Date(noon(day)).toISOString().slice(0, 10);
}

function fetched(day: number, program: Omit<ProgramEntity, 'programId'>, customerId = 1): Fetch {
  return { day, customerId, programs: [{ programId: '973', ...program }] };
}

function reminder(day: number, points: number, expiry: number): HistoryEvent {
  return pointsEvent('pointsExpiryReminder', day, {
    pointsScheduledForExpiry: points,
    scheduledExpiryDateInMillis: noon(expiry),
  });
}

function moved(day: number, points: number, from: number, to: number): HistoryEvent {
  return pointsEvent('pointsExpiryChange', day, {
    updatedPointsExpiryBreakup: [
      { points, pointsPreviousExpiryDateInMillis: noon(from), newExpiryDateInMillis: noon(to) },
    ],
  });
}

async function loyaltyAfter(...steps: readonly (HistoryEvent | Fetch)[]): Promise<JsonObject> {
  const { loyalty } = await createFetchedHistory().send(...steps);
  return loyalty;
}

const ALL = {
  points: 145,
  lifetimePoints: 1_345,
  redeemed: 1_100,
  expired: 100,
  returned: 7,
  adjusted: 2,
  promised: 3,
  purchases: 1_834.5,
  lots: lots([45, 200], [100, 230]),
};

describe('what the API says about points', () => {
  it('is complete, whatever was known before', async () => {
    expect(await loyaltyAfter(redeemed(1, 5), fetched(2, ALL))).toMatchObject({
      points: 145,
      lifetimePoints: 1_345,
      pointsRedeemed: 1_100,
      expiredPoints: 100,
      returnedPoints: 7,
      adjustedPoints: 2,
      promisedPoints: 3,
      lifetimePurchases: 1_834.5,
      pointsExpiration: [
        { pointsExpiring: 45, pointsExpirationDate: `${dateOf(200)}T18:29:59.999Z` },
        { pointsExpiring: 100, pointsExpirationDate: `${dateOf(230)}T18:29:59.999Z` },
      ],
    });
  });

  it('is continued by later events, and older ones that come later change nothing', async () => {
    const later = [issued(3, [[10, 260]]), pointsEvent('pointsExpired', 201, { pointsExpired: 45 })];
    const older = [issued(1, [[7, 240]], 7), redeemed(0, 3, 0), reminder(1, 80, 200)];
    const loyalty = await loyaltyAfter(fetched(2, ALL), ...later, ...older);

    expect(loyalty).toMatchObject({
      points: 110,
      lifetimePoints: 1_355,
      pointsRedeemed: 1_100,
      expiredPoints: 145,
    });
    expect(daysOf(loyalty)).toEqual([
      [100, 230],
      [10, 260],
    ]);
  });

  it('gives way to a later event that states another balance', async () => {
    const loyalty = await loyaltyAfter(fetched(2, ALL), redeemed(3, 20, 120));

    expect(loyalty['points']).toBe(120);
    // 5 points were taken by an event that was not seen.
    expect(loyalty).not.toHaveProperty('pointsRedeemed');
    expect(loyalty).not.toHaveProperty('pointsExpiration');
  });

  it('leaves out a total that it does not state', async () => {
    const { redeemed: _, ...rest } = ALL;
    const loyalty = await loyaltyAfter(joined(), fetched(2, rest), redeemed(3, 20, 125));

    expect(loyalty).toMatchObject({ points: 125, expiredPoints: 100 });
    expect(loyalty).not.toHaveProperty('pointsRedeemed');
  });

  it('is not known to go on if events after it are no longer kept', async () => {
    const events = Array.from({ length: MAX_LOG_ENTRIES + 1 }, (_, at) => ({
      ...issued(3 + at / 1_000, [[1, 260]]),
      eventId: `i${at}`,
    }));
    const loyalty = await loyaltyAfter(fetched(2, ALL), ...events);

    for (const name of ['points', 'pointsRedeemed', 'pointsExpiration']) {
      expect(loyalty).not.toHaveProperty(name);
    }
  });

  it('ends with the deletion of the customer', async () => {
    const history = createFetchedHistory();
    const deletion = {
      eventName: 'customerUpdated',
      day: 3,
      data: { customerStatus: { currentStatus: 'DELETED' } },
    };
    await history.send(fetched(2, ALL), deletion, fetched(2, ALL));

    expect(history.stateOf(1)).not.toContain('@p[');
  });

  it('removes the older events from the state', async () => {
    const history = createFetchedHistory();
    await history.send(issued(1, [[7, 240]], 7), fetched(2, ALL), issued(3, [[1, 240]], 146), redeemed(0, 1));
    const paths = [...parseState(history.stateOf(1)).own.attributes.keys()];

    expect(paths.filter((path) => path.includes('.log['))).toHaveLength(1);
    expect(paths).toContain('@p[973].snap');
  });
});

describe('points that the API lists by day', () => {
  it('are those of which an event says the time', async () => {
    const start = fetched(2, ALL);
    const list = [
      [45, 200],
      [100, 230],
    ];

    expect(daysOf(await loyaltyAfter(start, reminder(3, 45, 200)))).toEqual(list);
    expect(daysOf(await loyaltyAfter(start, issued(3, [[5, 200]], 150)))).toEqual([
      [50, 200],
      [100, 230],
    ]);
    expect(daysOf(await loyaltyAfter(start, moved(3, 45, 200, 230)))).toEqual([[145, 230]]);
    expect(daysOf(await loyaltyAfter(start, moved(3, 15, 200, 210)))).toEqual([
      [30, 200],
      [15, 210],
      [100, 230],
    ]);
    expect(daysOf(await loyaltyAfter(start, issued(3, [[5, 200]], 150), reminder(4, 50, 200)))).toEqual([
      [50, 200],
      [100, 230],
    ]);
  });

  it('can expire at any time of that day', async () => {
    const all = pointsEvent('pointsExpired', 200, { pointsExpired: 45 });
    const some = pointsEvent('pointsExpired', 200, { pointsExpired: 40 });

    expect(daysOf(await loyaltyAfter(fetched(2, ALL), all))).toEqual([[100, 230]]);
    expect(daysOf(await loyaltyAfter(fetched(2, ALL), some))).toEqual([
      [5, 200],
      [100, 230],
    ]);
  });

  it('need not be all: the others never expire, or are due', async () => {
    const more = fetched(2, { ...ALL, points: 175 });
    const list = [
      [45, 200],
      [100, 230],
    ];
    const expired = (day: number) => pointsEvent('pointsExpired', day, { pointsExpired: 30 });

    expect(daysOf(await loyaltyAfter(more))).toEqual(list);
    expect(await loyaltyAfter(more, expired(3))).toMatchObject({ points: 145, expiredPoints: 130 });
    expect(daysOf(await loyaltyAfter(more, expired(3)))).toEqual(list);
    // Either those of the day, or those that were due before.
    expect(await loyaltyAfter(more, expired(200))).not.toHaveProperty('pointsExpiration');
  });

  it('are not known if they are more than the balance', async () => {
    const loyalty = await loyaltyAfter(fetched(2, { ...ALL, points: 100 }));

    expect(loyalty['points']).toBe(100);
    expect(loyalty).not.toHaveProperty('pointsExpiration');
  });
});

describe('an answer without the points that expire', () => {
  const { lots: _, ...rest } = ALL;
  const start = [joined(), issued(1, [[145, 200]], 145)];

  it('keeps those that are known, if the balance is theirs', async () => {
    const loyalty = await loyaltyAfter(...start, fetched(2, rest));

    expect(loyalty).toMatchObject({ points: 145, pointsRedeemed: 1_100 });
    expect(daysOf(loyalty)).toEqual([[145, 200]]);
  });

  it.each([140, 150])('makes them unknown, if the balance is another one (%i)', async (points) => {
    const loyalty = await loyaltyAfter(...start, fetched(2, { ...rest, points }));

    expect(loyalty).toMatchObject({ points, pointsRedeemed: 1_100 });
    // One lot with less than it had is that lot; with more, the others have an unknown date.
    expect(daysOf(loyalty)).toEqual(points === 140 ? [[140, 200]] : undefined);
  });

  it('does not replace an older one that has them, in any order', async () => {
    const steps = [fetched(2, ALL), fetched(3, rest)];
    const list = [
      [45, 200],
      [100, 230],
    ];

    expect(daysOf(await loyaltyAfter(...steps))).toEqual(list);
    expect(daysOf(await loyaltyAfter(...steps.toReversed()))).toEqual(list);
  });
});

describe('events while an answer is read', () => {
  const second = 1 / 86_400;
  const start = fetched(2, ALL);

  it('are in the answer if they state its balance', async () => {
    const loyalty = await loyaltyAfter(start, issued(2 + second, [[45, 200]], 145));

    expect(loyalty).toMatchObject({ points: 145, pointsRedeemed: 1_100 });
    expect(daysOf(loyalty)).toEqual([
      [45, 200],
      [100, 230],
    ]);
  });

  it('come after it if their balance follows', async () => {
    const loyalty = await loyaltyAfter(start, issued(2 + second, [[5, 200]], 150));

    expect(loyalty).toMatchObject({ points: 150, pointsRedeemed: 1_100 });
    expect(daysOf(loyalty)).toEqual([
      [50, 200],
      [100, 230],
    ]);
  });

  it('make the points unknown if they state no balance, until one is stated', async () => {
    const expired = pointsEvent('pointsExpired', 2 + second, { pointsExpired: 5 });

    expect(await loyaltyAfter(start, expired)).not.toHaveProperty('points');
    expect(await loyaltyAfter(start, expired, redeemed(3, 5, 140))).toMatchObject({ points: 140 });
    expect(await loyaltyAfter(start, expired, fetched(3, ALL))).toMatchObject(await loyaltyAfter(start));
  });
});

describe('an answer about one of several', () => {
  const merge: HistoryEvent = {
    eventName: 'loyaltyCustomerMerge',
    day: 5,
    data: { survivorCustomerIdentifiers: { customerId: 1 }, victimCustomerIdentifiers: { customerId: 2 } },
  };
  const victim = { ...ALL, points: 20, redeemed: 50, lots: lots([20, 200]) };
  const both = { ...ALL, points: 165, redeemed: 1_150, lots: lots([65, 200], [100, 230]) };

  it('customers that are one later covers both, in any order', async () => {
    const steps = [
      { ...joined(), customerId: 2 },
      fetched(2, ALL),
      fetched(3, victim, 2),
      merge,
      fetched(6, both),
    ];
    const expected = await loyaltyAfter(...steps);

    expect(expected).toMatchObject({ points: 165, pointsRedeemed: 1_150, lifetimePoints: 1_345 });
    expect(daysOf(expected)).toEqual([
      [65, 200],
      [100, 230],
    ]);
    const last = { eventName: 'customerUpdated', day: 7, data: { firstName: 'Asha' } };
    const { loyalty } = await createFetchedHistory().send(...steps.toReversed(), last);
    expect(loyalty).toEqual(expected);
  });

  it('customers before their merge is the total of both, but says nothing of their lifetime', async () => {
    const summary = [{ loyaltyProgramId: 973, currentPoints: 165 }];
    const stated = { ...merge, data: { ...merge.data, survivorCustomerLoyaltySummary: summary } };
    const loyalty = await loyaltyAfter(
      { ...joined(), customerId: 2 },
      fetched(2, ALL),
      fetched(3, victim, 2),
      stated,
    );

    expect(loyalty).toMatchObject({ points: 165, pointsRedeemed: 1_150, expiredPoints: 200 });
    expect(daysOf(loyalty)).toEqual([
      [65, 200],
      [100, 230],
    ]);
    for (const name of ['lifetimePoints', 'lifetimePurchases']) {
      expect(loyalty).not.toHaveProperty(name);
    }
  });

  it.each([
    ['states less than the sum of both', [{ loyaltyProgramId: 973, currentPoints: 165 }]],
    ['states no balance', []],
  ])('customers can be of both before the merge that %s: nothing counts twice', async (_, summary) => {
    const late = { ...merge, data: { ...merge.data, survivorCustomerLoyaltySummary: summary } };
    const loyalty = await loyaltyAfter(
      { ...joined(), customerId: 2 },
      fetched(2, victim, 2),
      fetched(4, both),
      late,
    );

    expect(loyalty['points']).toBe(165);
    for (const name of ['pointsRedeemed', 'pointsExpiration', 'promisedPoints']) {
      expect(loyalty).not.toHaveProperty(name);
    }
  });

  it('customers is uncertain once the merged one has events after it', async () => {
    const late = { ...issued(7, [[1, 200]], 21), customerId: 2 };
    const loyalty = await loyaltyAfter(fetched(2, ALL), merge, fetched(6, both), late);

    expect(loyalty['points']).toBe(165);
    expect(loyalty).not.toHaveProperty('pointsRedeemed');
    expect(loyalty).not.toHaveProperty('pointsExpiration');
  });

  it('programs leaves the others as they are', async () => {
    const other: Fetch = { ...fetched(2, ALL), programs: [{ programId: '99', ...ALL }] };
    const { record, loyalty } = await createFetchedHistory().send(issued(1, [[7, 240]], 7), other);

    expect(loyalty['points']).toBe(7);
    expect(record['_acme']).toMatchObject({ capillary: { programs: [{ id: '99', points: 145 }] } });
  });

  it('programs of which an event does not say the program', async () => {
    const unnamed = (day: number): HistoryEvent => ({
      eventName: 'pointsTransferredReceived',
      day,
      data: { totalPointsTransferred: 5 },
    });

    expect(await loyaltyAfter(unnamed(1), fetched(2, ALL))).toMatchObject({ points: 145 });
    expect(await loyaltyAfter(fetched(2, ALL), unnamed(3))).toMatchObject({ points: 150 });
    const two = {
      ...fetched(2, ALL),
      programs: [ALL, ALL].map((all, at) => ({ ...all, programId: `${973 + at}` })),
    };
    expect(await loyaltyAfter(two, unnamed(1))).toMatchObject({ points: 145 });
    expect(await loyaltyAfter(two, unnamed(3))).not.toHaveProperty('points');
  });
});
