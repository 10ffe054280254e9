import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { createHistory, type HistoryEvent, joined, pointsEvent } from '../customer/history-rig.ts';
import { answered, bill, found, GOLD_UNTIL, INES, SILVER } from './snapshot-rig.ts';

const NEW = { destination: { schemaFeatures: { loyalty2026: true } } };
const iso = (at: number): string => new Date(at).toISOString();

function identitiesIn(record: object): unknown {
  const { identityMap = {} } = record as { identityMap?: Record<string, readonly { id: string }[]> };
  return Object.fromEntries(
    Object.entries(identityMap).map(([namespace, items]) => [namespace, items.map(({ id }) => id)]),
  );
}

function renamed(day: number, firstName: string, email?: string): HistoryEvent {
  const person: JsonObject = email === undefined ? {} : { instore: { email } };
  return {
    eventName: 'customerUpdated',
    day,
    data: { firstName, customerIdentifiers: { customerId: 1, ...person } },
  };
}

describe('what the API says about a customer', () => {
  it('is the whole profile after an event that says nothing about it', async () => {
    const { record, event, loyalty, notes } = await createHistory(NEW).send(bill(1, found(1.1)));

    expect(record).toMatchObject({
      person: { name: { firstName: 'Ines', lastName: 'Okafor' } },
      personalEmail: { address: 'ines@example.net' },
      mobilePhone: { number: '+919812004567' },
      _acme: {
        capillary: {
          active: true,
          loyaltyType: 'LOYALTY',
          member: true,
          tier: {
            gapsToUpgrade: [{ by: 'CURRENT_POINTS', gap: 1855 }],
            gapsToRenew: [{ by: 'PURCHASE', gap: 355 }],
          },
        },
      },
    });
    expect(loyalty).toEqual({
      joinDate: iso(INES.joinedAt ?? 0),
      loyaltyID: ['LOY-77120', 'NWC0001'],
      points: 145,
      pointsExpiration: [{ pointsExpiring: 45, pointsExpirationDate: '2026-12-31T18:29:59.999Z' }],
      pointsRedeemed: 1100,
      program: 'Pine Circle',
      status: 'Active',
      tier: 'Silver',
      tierExpiryDate: iso(GOLD_UNTIL),
      tierUpgradeDate: iso(SILVER.tierChanges?.[0]?.at ?? 0),
      nextTier: 'Gold',
      pointsToNextTier: 1855,
      adjustedPoints: 0,
      expiredPoints: 100,
      lifetimePoints: 1345,
      lifetimePurchases: 1834.5,
      promisedPoints: 3,
      returnedPoints: 0,
    });
    expect(identitiesIn(record)).toEqual({
      capillaryId: ['1'],
      loyaltyId: ['LOY-77120'],
      Email: ['ines@example.net'],
      Phone: ['+919812004567'],
    });
    expect(identitiesIn(event)).toEqual({ capillaryId: ['1'] });
    expect(event).not.toHaveProperty('loyalty');
    expect(notes).toEqual([]);
  });

  it('is sent once for the events of one purchase, and again only if a value is another', async () => {
    const history = createHistory(NEW);
    const first = await history.send(bill(1, found(1.1)));
    const second = await history.send(bill(1.05, found(1.1)));
    const later = await history.send(bill(2, found(2.1)));
    const changed = await history.send(bill(3, found(3.1, { firstName: 'Inès' })));

    expect(first.record).not.toEqual({});
    expect(second.record).toEqual({});
    expect(later.record).toEqual({});
    expect(changed.record).toMatchObject({ person: { name: { firstName: 'Inès' } } });
  });

  it('is sent again once a name has become known', async () => {
    const history = createHistory(NEW);
    const { name: _name, isDefault: _default, tier: _tier, ...unnamed } = SILVER;
    const first = await history.send(bill(1, found(1, { programs: [{ ...unnamed, tier: { number: 2 } }] })));
    const second = await history.send(bill(2, found(2)));

    expect(first.loyalty).not.toHaveProperty('program');
    expect(second.loyalty).toMatchObject({ program: 'Pine Circle', tier: 'Silver' });
  });

  it('cannot be rolled back by a late webhook, and does not go over something newer', async () => {
    const late = renamed(1, 'Old', 'old@example.net');
    const newer = renamed(5, 'New', 'new@example.net');
    const snapshot = bill(3, found(3.1));
    for (const order of [
      [late, snapshot],
      [snapshot, late],
    ]) {
      const history = createHistory(NEW);
      await history.send(...order);
      const { record } = await history.send(renamed(3.05, 'Late'));

      expect(record).toMatchObject({
        person: { name: { firstName: 'Ines' } },
        personalEmail: { address: 'ines@example.net' },
      });
      expect(identitiesIn(record)).toMatchObject({ Email: ['ines@example.net'] });
    }
    const history = createHistory(NEW);
    const { record } = await history.send(snapshot, newer);
    expect(record).toMatchObject({
      person: { name: { firstName: 'New' } },
      personalEmail: { address: 'new@example.net' },
    });
    expect((await history.send(bill(4, found(4)))).record).toEqual({});
  });

  it('takes away contacts that the customer has no longer, unless they are masked', async () => {
    const withEmail = renamed(1, 'Ines', 'old@example.net');
    const { identifiers } = INES;
    const withoutContacts = identifiers.filter(({ kind }) => kind === 'externalId');

    const gone = await createHistory().send(withEmail, bill(2, found(2.1, { identifiers: withoutContacts })));
    expect(gone.record).not.toHaveProperty('personalEmail');
    expect(identitiesIn(gone.record)).toEqual({ capillaryId: ['1'], loyaltyId: ['LOY-77120'] });

    const masked = await createHistory().send(
      withEmail,
      bill(2, found(2.1, { identifiers: withoutContacts, isMasked: true })),
    );
    expect(masked.record).toMatchObject({ personalEmail: { address: 'old@example.net' } });
    expect(identitiesIn(masked.record)).toMatchObject({ Email: ['old@example.net'] });
  });

  it('says who is in no program', async () => {
    const { record } = await createHistory().send(joined(), bill(1, answered(1.1, { kind: 'no-loyalty' })));

    expect(record).toMatchObject({ _acme: { capillary: { member: false, loyaltyType: 'NON_LOYALTY' } } });
    expect(record).not.toHaveProperty('loyalty');
  });

  it('erases a customer whom the API calls erased, with the deletion event alone', async () => {
    const history = createHistory();
    await history.send(bill(1, found(1.1)));
    const erased = await history.send(bill(2, answered(2.1, { kind: 'erased' }), { firstName: 'Ines' }));

    expect(erased.event).toEqual({
      _id: expect.any(String),
      timestamp: iso(answered(2.1, { kind: 'erased' }).customer?.at ?? 0),
      eventType: 'loyalty.customerDeleted',
      identityMap: { capillaryId: [{ id: '1', authenticatedState: 'ambiguous', primary: true }] },
      _acme: {
        capillary: {
          event: { name: 'transactionAdded', id: expect.any(String), orgId: '50' },
          customerId: '1',
        },
      },
    });
    expect(erased.record).toEqual({});
    await expect(history.send(renamed(2.05, 'Ines'))).rejects.toThrow('customer-deleted');
    await expect(history.send(bill(3, answered(3.1, { kind: 'erased' })))).rejects.toThrow(
      'customer-deleted',
    );
  });

  it('leaves points of events that came after it to the log', async () => {
    const { loyalty } = await createHistory(NEW).send(
      bill(1, found(1.1)),
      pointsEvent('pointsIssued', 2, { totalPointsIssued: 10, regularPointsIssued: 10 }),
    );

    expect(loyalty).toMatchObject({ points: 155 });
    expect(loyalty).not.toHaveProperty('pointsToNextTier');
  });
});
