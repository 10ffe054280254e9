import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { factsIn } from '../../../src/mapping/customer/facts.ts';
import { standingOf } from '../../../src/mapping/customer/program-standing.ts';
import {
  createHistory,
  type HistoryEvent,
  issued,
  joined,
  lotsOf,
  noon,
  pointsEvent,
  PROGRAM,
  redeemed,
} from './history-rig.ts';

const known: readonly HistoryEvent[] = [joined(), issued(1, [[100, 400]], 100)];
const OTHER = { id: 99, name: 'Tea Club', isDefault: false };

function tier(eventName: string, day: number, data: JsonObject, details?: JsonObject): HistoryEvent {
  const described: JsonObject = details === undefined ? {} : { loyaltyProgramDetails: details };
  return pointsEvent(eventName, day, { ...described, ...data });
}

describe('a balance that an event changes without stating it', () => {
  it.each([
    ['pointsExpired', { pointsExpired: 12.5 }, 87.5],
    [
      'manualPointsAdjustment',
      { totalPoinstDeducted: '10.1', programPointsSplit: [{ programId: 973, points: '10.1' }] },
      89.9,
    ],
    ['pointsTransferredReceived', { totalPointsTransferred: '35' }, 135],
    ['pointsTransferredInitiated', { totalPointsTransferred: 20 }, 80],
    ['pointsRedeemed', { totalPointsRedeemed: 30 }, 70],
    ['pointsIssued', { totalPointsIssued: 4 }, 104],
    ['promisedToCurrentPointsConversion', { pointsConverted: 24 }, 124],
    [
      'redeemedPointsReversed',
      { redeemedPointsReversed: 60, redeemedPointsReversedDetails: { available: 55, expired: 5 } },
      155,
    ],
    [
      'redeemedPointsReversed',
      { redeemedPointsReversed: 60, redeemedPointsReversedDetails: { expired: 5 } },
      155,
    ],
  ])('is computed after %s', async (eventName, data, balance) => {
    const { loyalty } = await createHistory().send(...known, pointsEvent(eventName, 2, data));

    expect(loyalty['points']).toBe(balance);
  });

  it.each([
    ['issuedPointsReversed', { totalIssuedPointsReversed: 10 }],
    ['redeemedPointsReversed', { redeemedPointsReversed: 60 }],
    ['manualPointsAdjustment', { totalPoinstDeducted: '-5' }],
    ['pointsExpired', {}],
    ['pointsExpired', { pointsExpired: 101 }],
  ])('is left out after %s %j: it is not certain', async (eventName, data) => {
    const { loyalty, notes } = await createHistory().send(...known, pointsEvent(eventName, 2, data));

    expect(loyalty['points']).toBeUndefined();
    expect(loyalty['program']).toBe('Pine Circle');
    expect(notes).toContain('balance-unknown loyalty.points');
  });

  it('is left out if no event has stated it, and known again with the next one that does', async () => {
    const history = createHistory();
    const first = await history.send(pointsEvent('pointsExpired', 1, { pointsExpired: 5 }));
    expect(first.loyalty['points']).toBeUndefined();
    expect(first.notes).toContain('balance-unknown loyalty.points');

    const { loyalty, notes } = await history.send(redeemed(2, 5, 40));
    expect(loyalty['points']).toBe(40);
    expect(notes).not.toContain('balance-unknown loyalty.points');
  });

  it('is computed in the order of the events, not of their arrival, and duplicates count once', async () => {
    const expired = pointsEvent('pointsExpired', 3, { pointsExpired: 20 });
    const { loyalty } = await createHistory().send(expired, joined(), issued(1, [[100, 400]], 100), expired);
    expect(loyalty['points']).toBe(80);

    const late = await createHistory().send(expired, issued(4, [[10, 400]], 90), ...known);
    expect(late.loyalty['points']).toBe(90);
  });

  it('starts from the balance that an older relay stored', () => {
    const facts = factsIn(new Map([['@p[973].log[a]', { value: { d: -5, e: 5 }, at: 20, by: 'x' }]]));
    const earlier = { value: 60, at: 10, by: '' };

    expect(standingOf(facts, '973', earlier).points).toEqual({ value: 55, at: 20, by: 'x' });
  });

  it('of a member who contributes to a group is not known', async () => {
    const { loyalty } = await createHistory().send(...known, {
      eventName: 'pointsContributionToGroup',
      day: 2,
      data: {
        loyaltyProgramId: 973,
        groupId: 5,
        contributingMember: { customerIdentifiers: { customerId: 1 } },
        pointsContributedToGroup: 50,
      },
    });

    expect(loyalty['points']).toBeUndefined();
  });
});

describe('the loyalty program', () => {
  it('keeps its name and the tier its name after events that have only numbers', async () => {
    const history = createHistory();
    await history.send(
      ...known,
      tier('tierUpgraded', 2, { previousTierNumber: 1, upgradedTierNumber: 2 }, PROGRAM),
    );
    const { loyalty, event, notes } = await history.send(
      pointsEvent('pointsExpired', 3, { pointsExpired: 5 }),
      tier('tierRenewed', 4, { currentTierNumber: 2 }),
    );

    expect(loyalty).toMatchObject({ program: 'Pine Circle', tier: 'Silver', points: 95 });
    expect(event).toMatchObject({
      _acme: { capillary: { program: { name: 'Pine Circle' }, tier: { current: 'Silver' } } },
    });
    expect(notes).toEqual([]);
  });

  it('and its tier have no name until an event says it', async () => {
    const history = createHistory();
    const { loyalty, event, notes } = await history.send(
      tier('tierRenewed', 1, { currentTierNumber: 3, tierExpiryDateInMillis: noon(300) }),
    );

    expect(loyalty).toEqual({});
    expect(JSON.stringify(event)).toContain('"program":{"id":"973"}');
    expect(notes).toEqual(
      expect.arrayContaining([
        'unknown-name loyalty.program',
        'unknown-name loyalty.tier',
        'unknown-name data.loyaltyProgramDetails.name',
        'unknown-name data.loyaltyProgramDetails.tiers',
      ]),
    );
    const { loyalty: later } = await history.send(issued(2, [[100, 400]], 100));
    expect(later).toMatchObject({ program: 'Pine Circle', tier: 'Gold', points: 100 });
  });

  it('is not replaced by another program with 5 points', async () => {
    const { loyalty, record, notes } = await createHistory().send(...known, issued(2, [[5, 300]], 5, OTHER));

    expect(loyalty).toMatchObject({ points: 100, program: 'Pine Circle' });
    expect(record).toMatchObject({ _acme: { capillary: { programs: [{ id: '99', points: 5 }] } } });
    expect(notes).toContain('other-program data.loyaltyProgramId');
  });

  it('is the first one, with a note, until an event says which one is the default', async () => {
    const history = createHistory();
    const first = await history.send(redeemed(1, 5, 7, 99));
    expect(first.loyalty['points']).toBe(7);
    expect(first.notes).toContain('default-program-unknown loyalty.program');

    const { loyalty, record, notes } = await history.send(issued(2, [[100, 400]], 100));
    expect(loyalty['points']).toBe(100);
    expect(record).toMatchObject({ _acme: { capillary: { programs: [{ id: '99', points: 7 }] } } });
    expect(notes).not.toContain('default-program-unknown loyalty.program');
  });

  it('is the configured one', async () => {
    const { loyalty } = await createHistory({ source: { program: 99 } }).send(
      ...known,
      issued(2, [[5, 300]], 5, OTHER),
    );

    expect(loyalty).toMatchObject({ points: 5, program: 'Tea Club' });
  });
});

describe('a tier of an unknown program', () => {
  it.each(['tierUpgraded', 'tierDowngradeReminder'])('is left out with a note (%s)', async (eventName) => {
    const { record, notes } = await createHistory().send(
      ...known,
      pointsEvent(eventName, 2, {
        loyaltyProgramId: null,
        loyaltyProgramDetails: null,
        upgradedTierNumber: 2,
      }),
    );

    expect(record).not.toHaveProperty('loyalty.tier');
    expect(notes).toContain('no-program data.loyaltyProgramId');
  });
});

describe('totals', () => {
  const features = { destination: { schemaFeatures: { loyalty2026: true } } };
  const all: readonly HistoryEvent[] = [
    ...known,
    redeemed(2, 30, 70),
    pointsEvent('redeemedPointsReversed', 3, {
      redemptionReversalToEarningPrograms: [
        {
          programId: 973,
          redeemedPointsReversed: 10,
          redeemedPointsReversedDetails: { available: 10, expired: 0 },
          programCurrentPoints: 80,
        },
      ],
    }),
    pointsEvent('manualPointsAdjustment', 4, { programPointsSplit: [{ programId: 973, points: 4 }] }),
    pointsEvent('issuedPointsReversed', 5, { currentEventTotalPointsReturned: 6, programCurrentPoints: 70 }),
    pointsEvent('pointsIssued', 6, {
      totalPointsIssued: 0,
      programCurrentPoints: 70,
      programLifetimePoints: 100,
      promisedPointsIssued: [{ promisedPoints: 9 }],
    }),
    pointsEvent('pointsExpired', 401, { pointsExpired: 60 }),
  ];

  it('are summed up since the registration', async () => {
    const { loyalty } = await createHistory(features).send(...all);

    expect(loyalty).toMatchObject({
      points: 10,
      pointsRedeemed: 20,
      expiredPoints: 60,
      adjustedPoints: 4,
      returnedPoints: 6,
      promisedPoints: 9,
      lifetimePoints: 100,
    });
  });

  it('are only the classic one without the fields of 2026', async () => {
    const { loyalty } = await createHistory({ destination: { schemaFeatures: { loyalty2026: false } } }).send(
      ...all,
    );

    expect(Object.keys(loyalty).toSorted()).toEqual(['joinDate', 'points', 'pointsRedeemed', 'program']);
    expect(loyalty['pointsRedeemed']).toBe(20);
  });

  it('are left out for a customer whose registration the relay did not see', async () => {
    const { loyalty } = await createHistory(features).send(...all.slice(1));

    expect(loyalty['pointsRedeemed']).toBeUndefined();
    expect(loyalty['expiredPoints']).toBeUndefined();
    expect(loyalty['promisedPoints']).toBeUndefined();
  });

  it('have the points of an event as a whole if its only program does not say them', async () => {
    const one = [{ programId: 973, programCurrentPoints: 70 }];
    const back = [{ programId: 973, programCurrentPoints: 80 }];
    const { loyalty } = await createHistory(features).send(
      ...known,
      pointsEvent('pointsRedeemed', 2, { totalPointsRedeemed: 30, redemptionFromEarningPrograms: one }),
      pointsEvent('redeemedPointsReversed', 3, {
        redeemedPointsReversed: 10,
        redeemedPointsReversedDetails: { available: 10, expired: 0 },
        redemptionReversalToEarningPrograms: back,
      }),
    );

    expect(loyalty).toMatchObject({ points: 80, pointsRedeemed: 20 });
  });

  it.each([
    ['pointsRedeemed', { redemptionFromEarningPrograms: [{ programId: 973, programCurrentPoints: 70 }] }],
    [
      'redeemedPointsReversed',
      {
        redemptionReversalToEarningPrograms: [{ programId: 973, programCurrentPoints: 70 }],
      },
    ],
    ['issuedPointsReversed', { programCurrentPoints: 70 }],
  ])('are left out after %s without an amount', async (eventName, data) => {
    const { loyalty } = await createHistory(features).send(...known, pointsEvent(eventName, 2, data));

    expect(loyalty['points']).toBe(70);
    expect(loyalty).not.toHaveProperty('pointsRedeemed');
    expect(loyalty).not.toHaveProperty('returnedPoints');
  });

  it('are left out if a balance shows that events are missing', async () => {
    const { loyalty } = await createHistory(features).send(...known, redeemed(2, 30, 60));

    expect(loyalty['points']).toBe(60);
    expect(loyalty['pointsRedeemed']).toBeUndefined();
  });

  it('are left out if the customer registered a second time only', async () => {
    const { loyalty } = await createHistory(features).send(
      issued(1, [[100, 400]], 300),
      joined(40),
      redeemed(41, 5, 295),
    );

    expect(loyalty['pointsRedeemed']).toBeUndefined();
    expect(lotsOf(loyalty)).toBeUndefined();
  });
});

describe('a tier', () => {
  const upgraded = tier('tierUpgraded', 1, { previousTierNumber: 1, upgradedTierNumber: 2 }, PROGRAM);
  const reminder = tier('tierDowngradeReminder', 5, {
    currentTierNumber: 2,
    scheduledDowngradeDate: '2026-12-15',
  });

  it('is at risk after a reminder until a newer event about it', async () => {
    const history = createHistory();
    const { record } = await history.send(upgraded, reminder);
    expect(record).toMatchObject({
      loyalty: { tier: 'Silver' },
      _acme: { capillary: { tier: { atRisk: true, downgradeDate: '2026-12-15T18:29:59.999Z' } } },
    });

    const { record: renewed } = await history.send(tier('tierRenewed', 6, { currentTierNumber: 2 }));
    expect(renewed['_acme']).toBeUndefined();
    const { record: late } = await history.send({ ...reminder, eventId: 'again' });
    expect(late['_acme']).toBeUndefined();
  });

  it('has the date of its upgrade until a downgrade, and the next tier', async () => {
    const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
    const { loyalty } = await history.send({
      ...upgraded,
      data: { ...upgraded.data, tierExpiryDateInMillis: noon(300) },
    });
    expect(loyalty).toMatchObject({
      tier: 'Silver',
      nextTier: 'Gold',
      tierUpgradeDate: '2026-10-02T12:00:00.000Z',
      tierExpiryDate: '2027-07-28T12:00:00.000Z',
    });

    const { loyalty: down } = await history.send(
      tier('tierDowngraded', 9, { previousTierNumber: 2, downgradedTierNumber: 1 }),
    );
    expect(down).toMatchObject({ tier: 'Base', nextTier: 'Silver' });
    expect(down['tierUpgradeDate']).toBeUndefined();
  });

  it('has no expiry date if it never expires', async () => {
    const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
    await history.send({ ...upgraded, data: { ...upgraded.data, tierExpiryDateInMillis: noon(300) } });
    const never = { tierExpiryDate: '2126-11-06', tierExpiryDateInMillis: Date.UTC(2126, 10, 6, 18, 29, 59) };
    const { loyalty } = await history.send(
      tier('tierDowngraded', 9, { previousTierNumber: 2, downgradedTierNumber: 1, ...never }),
    );

    expect(loyalty).toMatchObject({ tier: 'Base' });
    expect(loyalty).not.toHaveProperty('tierExpiryDate');
  });

  it('has no next tier at the top', async () => {
    const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
    const { loyalty } = await history.send(
      tier('tierUpgraded', 1, { previousTierNumber: 2, upgradedTierNumber: 3 }, PROGRAM),
    );

    expect(loyalty['tier']).toBe('Gold');
    expect(loyalty['nextTier']).toBeUndefined();
  });

  it('of a group is not that of the acting person', async () => {
    const entityInformation = { entityType: 'USERGROUP2', entityId: 8 };
    const ofGroup = { ...reminder, data: { ...reminder.data, entityInformation } };
    const { record } = await createHistory().send(upgraded, ofGroup);

    expect(record).toEqual({});
  });
});

describe('the redemption of a group', () => {
  it('is not one of the person who is named as its entity', async () => {
    const ofGroup = redeemed(2, 30, 900);
    const { event, record, notes } = await createHistory().send(...known, {
      ...ofGroup,
      data: { ...ofGroup.data, isGroupRedemption: true },
    });

    expect(event['loyalty']).toBeUndefined();
    expect(event).toMatchObject({
      _acme: { capillary: { points: { redeemed: 30, isGroupRedemption: true } } },
    });
    expect(record).toEqual({});
    expect(notes).toContain('group-balance data.isGroupRedemption');
  });
});
