import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { createHistory, issued, joined, lotsOf, noon, pointsEvent, redeemed } from './history-rig.ts';

const UNKNOWN = 'lots-unknown loyalty.pointsExpiration';

/** Three lots of a customer whose registration was seen. */
const THREE = [
  joined(),
  issued(1, [[100, 400]], 100),
  issued(2, [[50, 410]], 150),
  issued(3, [[25, 420]], 175),
];

describe('the points that will expire', () => {
  it('are all lots: three issued and then one more are four', async () => {
    const { loyalty, notes } = await createHistory().send(...THREE, issued(4, [[10, 405]], 185));

    expect(lotsOf(loyalty)).toEqual([
      [100, 400],
      [10, 405],
      [50, 410],
      [25, 420],
    ]);
    expect(notes).toEqual([]);
  });

  it('add up for one date, and have the promotional points', async () => {
    const both = issued(5, [[5, 400]], 190);
    const data = {
      ...both.data,
      totalPointsIssued: 15,
      promotionalPointsIssued: [
        { promotionPoints: 10, promotionPointsExpiryDateInMillis: noon(300), promotionIdentifier: 'm' },
      ],
    };
    const { loyalty } = await createHistory().send(...THREE, { ...both, data });

    expect(lotsOf(loyalty)).toEqual([
      [10, 300],
      [105, 400],
      [50, 410],
      [25, 420],
    ]);
  });

  it('are not listed if the customer had points before the relay knew it', async () => {
    const { loyalty, notes } = await createHistory().send(issued(1, [[100, 400]], 300));

    expect(loyalty['points']).toBe(300);
    expect(lotsOf(loyalty)).toBeUndefined();
    expect(notes).toContain(UNKNOWN);
  });

  it('are not listed if the customer registered long after the first points', async () => {
    const { loyalty } = await createHistory().send(issued(1, [[100, 400]]), joined(40));

    expect(loyalty).toMatchObject({ program: 'Pine Circle', joinDate: expect.any(String) });
    expect(lotsOf(loyalty)).toBeUndefined();
  });

  it('are not listed after a reminder alone', async () => {
    const { loyalty, notes } = await createHistory().send(
      pointsEvent('pointsExpiryReminder', 2, {
        pointsScheduledForExpiry: 200,
        scheduledExpiryDateInMillis: noon(30),
      }),
    );

    expect(lotsOf(loyalty)).toBeUndefined();
    expect(notes).toContain(UNKNOWN);
  });

  it('are listed once the balance is the sum of all lots', async () => {
    const history = createHistory();
    expect(lotsOf((await history.send(issued(1, [[100, 400]], 300))).loyalty)).toBeUndefined();
    const reminder = pointsEvent('pointsExpiryReminder', 2, {
      pointsScheduledForExpiry: 200,
      scheduledExpiryDateInMillis: noon(30),
    });

    const { loyalty, notes } = await history.send(reminder);
    expect(lotsOf(loyalty)).toEqual([
      [200, 30],
      [100, 400],
    ]);
    expect(notes).toEqual([]);
  });

  it('are unknown again after a balance with points that no event named', async () => {
    const history = createHistory();
    await history.send(...THREE);

    const { loyalty, notes } = await history.send(issued(5, [[10, 405]], 200));
    expect(lotsOf(loyalty)).toBeUndefined();
    expect(notes).toContain(UNKNOWN);
  });

  it('are unknown after a redemption from several lots, and known where it does not matter', async () => {
    const history = createHistory();
    await history.send(...THREE);

    expect(lotsOf((await history.send(redeemed(5, 30, 145))).loyalty)).toBeUndefined();
    // On day 401 the first lot expires: it had 70 left, so the redemption took nothing else.
    const expired = pointsEvent('pointsExpired', 401, { pointsExpired: 70 });
    const { loyalty } = await history.send(expired);
    expect(loyalty['points']).toBe(75);
    expect(lotsOf(loyalty)).toEqual([
      [50, 410],
      [25, 420],
    ]);
  });

  it('of a single date are what a redemption leaves', async () => {
    const { loyalty } = await createHistory().send(
      joined(),
      issued(1, [[100, 400]], 100),
      redeemed(2, 30, 70),
    );

    expect(lotsOf(loyalty)).toEqual([[70, 400]]);
  });

  it('are corrected by a reminder', async () => {
    const history = createHistory();
    await history.send(...THREE, redeemed(5, 30, 145));
    const reminder = pointsEvent('pointsExpiryReminder', 370, {
      pointsScheduledForExpiry: 70,
      scheduledExpiryDateInMillis: noon(400),
    });

    expect(lotsOf((await history.send(reminder)).loyalty)).toEqual([
      [70, 400],
      [50, 410],
      [25, 420],
    ]);
  });

  it.each([
    [
      'corrects the points of its date',
      [80, 400],
      [
        [80, 400],
        [50, 410],
        [25, 420],
      ],
    ],
    [
      'adds a date that no event named',
      [10, 401],
      [
        [100, 400],
        [10, 401],
        [50, 410],
        [25, 420],
      ],
    ],
  ])('are all known, so a reminder %s and leaves the others', async (_, [points = 0, day = 0], expected) => {
    const history = createHistory();
    const { loyalty, notes } = await history.send(
      ...THREE,
      pointsEvent('pointsExpiryReminder', 5, {
        pointsScheduledForExpiry: points,
        scheduledExpiryDateInMillis: noon(day),
      }),
    );

    expect(loyalty).toMatchObject({ points: 175, pointsRedeemed: 0 });
    expect(lotsOf(loyalty)).toEqual(expected);
    expect(notes).toEqual([]);
    // A later balance that disagrees with the reminder makes the lots unknown.
    expect(lotsOf((await history.send(issued(6, [[5, 430]], 180))).loyalty)).toBeUndefined();
  });

  it('are not added twice by a reminder with the date of another time zone', async () => {
    const { loyalty } = await createHistory().send(
      ...THREE,
      pointsEvent('pointsExpiryReminder', 5, {
        pointsScheduledForExpiry: 100,
        scheduledExpiryDateInMillis: noon(400) - 6 * 3_600_000,
      }),
    );

    expect(lotsOf(loyalty)).toBeUndefined();
  });

  it('are known beside promised points, which the total has and the balance has not', async () => {
    const more = issued(5, [[10, 430]], 185);
    const promisedPointsIssued = [{ promisedPoints: 3.3 }];
    const both = { ...more, data: { ...more.data, totalPointsIssued: 13.3, promisedPointsIssued } };
    const only = { loyaltyProgramId: 973, totalPointsIssued: 3.3, promisedPointsIssued };
    const history = createHistory();
    const { loyalty } = await history.send(...THREE, both);
    expect(lotsOf(loyalty)).toHaveLength(4);
    expect(loyalty).toMatchObject({ points: 185, pointsRedeemed: 0 });

    const { event, loyalty: later } = await history.send(pointsEvent('pointsIssued', 6, only));
    expect(lotsOf(later)).toHaveLength(4);
    expect(later).toMatchObject({ points: 185, pointsRedeemed: 0 });
    expect(event['loyalty']).toBeUndefined();
  });

  it('take a reminder of a day as that of its lots', async () => {
    const lot = issued(1, [], 100);
    const regularPointsBreakup = [{ points: 100, expiryAt: '2027-10-31 10:00:00' }];
    const data = { ...lot.data, totalPointsIssued: 100, regularPointsBreakup };
    const { loyalty } = await createHistory().send(
      joined(),
      { ...lot, data },
      pointsEvent('pointsExpiryReminder', 2, {
        pointsScheduledForExpiry: 100,
        scheduledExpiryDate: '2027-10-31',
      }),
    );

    expect(loyalty['pointsExpiration']).toEqual([
      { pointsExpiring: 100, pointsExpirationDate: '2027-10-31T18:29:59.999Z' },
    ]);
  });

  it.each([
    [
      20,
      [
        [80, 400],
        [50, 410],
        [25, 420],
        [20, 500],
      ],
    ],
    [
      null,
      [
        [50, 410],
        [25, 420],
        [100, 500],
      ],
    ],
  ])('are moved to another date: %s points', async (points, expected) => {
    const change = {
      pointAwardedRefID: 7,
      points,
      pointsPreviousExpiryDateInMillis: noon(400),
      newExpiryDateInMillis: noon(500),
      expiryUpdateReasonType: 'EXTEND_EXPIRY',
    };
    const { loyalty } = await createHistory().send(
      ...THREE,
      pointsEvent('pointsExpiryChange', 5, { updatedPointsExpiryBreakup: [change] }),
    );

    expect(lotsOf(loyalty)).toEqual(expected);
  });

  it('are unknown if one of two awards of a date was moved, and it is not said how many points', async () => {
    const change = { pointsPreviousExpiryDateInMillis: noon(400), newExpiryDateInMillis: noon(500) };
    const { loyalty } = await createHistory().send(
      ...THREE,
      issued(4, [[1, 400]], 176),
      pointsEvent('pointsExpiryChange', 5, { updatedPointsExpiryBreakup: [change] }),
    );

    expect(lotsOf(loyalty)).toBeUndefined();
  });

  it('are not listed once they never expire, and belong to the only program if none is said', async () => {
    const { loyalty, notes } = await createHistory().send(...THREE, {
      eventName: 'singlePointsExpiryUpdated',
      day: 5,
      data: {
        updatedPointsExpiry: [{ points: 50, oldExpiryDateInMillis: noon(410), newExpiryDate: 'never' }],
      },
    });

    expect(lotsOf(loyalty)).toEqual([
      [100, 400],
      [25, 420],
    ]);
    expect(notes).toContain('unknown-program data.loyaltyProgramId');
  });

  it.each<[JsonObject]>([
    [{ newExpiryDate: '2126-11-06' }],
    [{ newExpiryDateInMillis: Date.UTC(2126, 10, 6) }],
  ])('are not listed once they expire in a hundred years: %j', async (never) => {
    const { loyalty } = await createHistory().send(
      ...THREE,
      pointsEvent('pointsExpiryChange', 5, {
        updatedPointsExpiryBreakup: [{ points: 50, pointsPreviousExpiryDateInMillis: noon(410), ...never }],
      }),
    );

    expect(lotsOf(loyalty)).toEqual([
      [100, 400],
      [25, 420],
    ]);
  });

  it('lose an expired lot, and all lots at a balance of zero', async () => {
    const history = createHistory();
    await history.send(...THREE);

    const { loyalty } = await history.send(pointsEvent('pointsExpired', 401, { pointsExpired: 100 }));
    expect(lotsOf(loyalty)).toEqual([
      [50, 410],
      [25, 420],
    ]);
    expect(loyalty['points']).toBe(75);
    const { loyalty: empty, notes } = await history.send(redeemed(402, 75, 0));
    expect(empty['pointsExpiration']).toBeUndefined();
    expect(empty['points']).toBe(0);
    expect(notes).toEqual([]);
  });

  it('lose the next lot if points expire before any date has come', async () => {
    const { loyalty } = await createHistory().send(
      ...THREE,
      pointsEvent('pointsExpired', 10, { pointsExpired: 100 }),
    );

    expect(loyalty['points']).toBe(75);
    expect(lotsOf(loyalty)).toEqual([
      [50, 410],
      [25, 420],
    ]);
  });

  it('are known after a balance of zero, of an old customer too', async () => {
    const { loyalty } = await createHistory().send(
      issued(1, [[100, 400]], 300),
      redeemed(2, 300, 0),
      issued(3, [[40, 430]], 40),
    );

    expect(lotsOf(loyalty)).toEqual([[40, 430]]);
  });

  it('do not have dates that are past', async () => {
    const { loyalty } = await createHistory().send(...THREE, issued(405, [[10, 500]], 185));

    expect(lotsOf(loyalty)).toEqual([
      [50, 410],
      [25, 420],
      [10, 500],
    ]);
  });

  it('are at most 500, the first ones', async () => {
    const lots = Array.from({ length: 600 }, (_, at) => [1, 400 + at] as const);
    const sixTimes = [0, 1, 2, 3, 4, 5].map((part) =>
      issued(1 + part, lots.slice(part * 100, (part + 1) * 100), (part + 1) * 100),
    );
    const { loyalty } = await createHistory().send(joined(), ...sixTimes);

    expect(lotsOf(loyalty)).toEqual(lots.slice(0, 500).map(([points, day]) => [points, day]));
  });

  it('are those of the main program', async () => {
    const other = { id: 99, name: 'Tea Club', isDefault: false };
    const { loyalty, record } = await createHistory().send(...THREE, issued(4, [[5, 300]], 5, other));

    expect(lotsOf(loyalty)).toHaveLength(3);
    expect(loyalty).toMatchObject({ points: 175, program: 'Pine Circle' });
    expect(record).toMatchObject({ _acme: { capillary: { programs: [{ id: '99', points: 5 }] } } });
  });

  it('of a group are not those of the acting person', async () => {
    const ofGroup = issued(4, [[900, 300]], 5_000);
    const entityInformation = { entityType: 'USERGROUP2', entityId: 8 };
    const history = createHistory();
    const { event, record } = await history.send(...THREE, {
      ...ofGroup,
      data: { ...ofGroup.data, entityInformation },
    });

    expect(event['loyalty']).toBeUndefined();
    expect(event).toMatchObject({ _acme: { capillary: { points: { issued: 900, balance: 5_000 } } } });
    expect(record['loyalty']).toBeUndefined();
    const { loyalty } = await history.send(issued(6, [[1, 421]]));
    expect(loyalty['points']).toBe(176);
    expect(lotsOf(loyalty)).toEqual([
      [100, 400],
      [50, 410],
      [25, 420],
      [1, 421],
    ]);
  });
});

describe('a merge', () => {
  const merge = (day: number, summary: object) => ({
    eventName: 'loyaltyCustomerMerge',
    day,
    data: {
      survivorCustomerIdentifiers: { customerId: 1 },
      victimCustomerIdentifiers: { customerId: 2 },
      survivorCustomerLoyaltySummary: [{ loyaltyProgramId: 973, ...summary }],
    },
  });
  const second = [
    { ...joined(), customerId: 2, eventId: 'j2' },
    { ...issued(4, [[30, 415]], 30), customerId: 2, eventId: 'i2' },
  ];

  it('sets the balance, the lifetime points and the tier of the survivor, and joins the lots', async () => {
    const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
    const { loyalty, notes } = await history.send(
      ...THREE,
      ...second,
      merge(6, { currentPoints: 205, lifetimePoints: 1_545, promisedPoints: 7, tierNumber: 2 }),
    );

    expect(loyalty).toMatchObject({
      points: 205,
      lifetimePoints: 1_545,
      promisedPoints: 7,
      tier: 'Silver',
      nextTier: 'Gold',
      program: 'Pine Circle',
    });
    expect(lotsOf(loyalty)).toEqual([
      [100, 400],
      [50, 410],
      [30, 415],
      [25, 420],
    ]);
    expect(notes).toEqual([]);
  });

  it('leaves the lots unknown if the balance has points that no event named', async () => {
    const { loyalty } = await createHistory().send(...THREE, ...second, merge(6, { currentPoints: 305 }));

    expect(loyalty['points']).toBe(305);
    expect(lotsOf(loyalty)).toBeUndefined();
  });

  it('that states no balance leaves that of the survivor, and the lots are known with the next one', async () => {
    const history = createHistory();
    const { loyalty } = await history.send(...THREE, ...second, merge(6, {}));
    expect(loyalty['points']).toBe(175);
    expect(lotsOf(loyalty)).toBeUndefined();

    const { loyalty: later } = await history.send(issued(7, [[1, 430]], 206));
    expect(later['points']).toBe(206);
    expect(lotsOf(later)).toHaveLength(5);
  });

  it('gives the survivor the balance of the other customer if it has none', async () => {
    const { loyalty } = await createHistory().send(joined(), ...second, merge(6, {}));

    expect(loyalty['points']).toBe(30);
  });
});
