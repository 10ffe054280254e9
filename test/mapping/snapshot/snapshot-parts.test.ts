import { describe, expect, it } from 'vitest';
import type { CustomerEntity, Entities, ProgramEntity } from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { createHistory, type HistoryEvent, noon, pointsEvent } from '../customer/history-rig.ts';
import { codesOf, type ContextChange, contextOf, eventWith, messagesOf } from '../mapping-rig.ts';
import { identify } from '../../../src/mapping/map-event.ts';
import { identitiesToCount } from '../../../src/mapping/snapshot/snapshot-identities.ts';
import { closedXdmValidators } from '../../helpers/xdm-schema.ts';
import { referencePath } from '../../helpers/reference.ts';
import { answered, bill, found, INES, SILVER } from './snapshot-rig.ts';

const NEW = { destination: { schemaFeatures: { loyalty2026: true } } };
const iso = (at: number): string => new Date(at).toISOString();

async function recordOf(events: readonly HistoryEvent[], change: ContextChange = NEW): Promise<JsonObject> {
  const { record } = await createHistory(change).send(...events);
  return record;
}

function tenantOf(record: JsonObject): JsonObject {
  return (record as { _acme?: { capillary: JsonObject } })._acme?.capillary ?? {};
}

function program(change: Partial<ProgramEntity>): Partial<CustomerEntity> {
  return { programs: [{ ...SILVER, ...change }] };
}

describe('consents of the API', () => {
  const subscribed = (day: number, currentStatus: string, sourceAccountId = '01'): HistoryEvent => ({
    eventName: 'customerSubscription',
    day,
    data: { subscriptions: [{ channel: 'EMAIL', currentStatus, priority: 'BULK', sourceAccountId }] },
  });
  const answer = (day: number, isOptedIn: boolean, priority = 'BULK') =>
    bill(day, found(day, { subscriptions: [{ channel: 'EMAIL', priority, isOptedIn }] }));
  const email = async (...events: HistoryEvent[]) =>
    (await recordOf([...events, bill(20, found(20, { lastName: 'End' }))])) as { consents?: unknown };

  it('replace the older answers of all accounts', async () => {
    expect(await email(subscribed(1, 'OPTOUT'), subscribed(2, 'OPTIN', '02'), answer(3, true))).toMatchObject(
      {
        consents: { marketing: { email: { val: 'y', time: iso(noon(2)) } } },
      },
    );
    expect(await email(answer(3, true), subscribed(1, 'OPTOUT'))).toMatchObject({
      consents: { marketing: { email: { val: 'y', time: iso(noon(3)) } } },
    });
  });

  it('are replaced by newer answers, but an opt-out only by its own account', async () => {
    expect(await email(answer(3, true), subscribed(4, 'OPTOUT'))).toMatchObject({
      consents: { marketing: { email: { val: 'n', time: iso(noon(4)) } } },
    });
    expect(await email(answer(3, false), subscribed(4, 'OPTIN'))).toMatchObject({
      consents: { marketing: { email: { val: 'y', time: iso(noon(4)) } } },
    });
    expect(
      await email(subscribed(1, 'OPTOUT', '02'), answer(3, false), subscribed(4, 'OPTIN')),
    ).toMatchObject({
      consents: { marketing: { email: { val: 'n' } } },
    });
  });

  it('are marketing only with the priority BULK', async () => {
    expect(await email(answer(3, false, 'TRANS'))).not.toHaveProperty('consents');
  });
});

describe('tiers of the API', () => {
  it('remove what an event said about the next tier and the expiry', async () => {
    const upgraded = pointsEvent('tierUpgraded', 1, {
      upgradedTierNumber: 2,
      tierExpiryDate: '2027-01-31T00:00:00Z',
    });
    const { nextTier: _next, tierExpiresAt: _expiry, upgradeGaps: _gaps, ...top } = SILVER;
    const record = await recordOf([
      upgraded,
      bill(2, found(2)),
      bill(3, found(3, { programs: [{ ...top, tier: { number: 3, name: 'Gold' } }] })),
    ]);

    expect(record['loyalty']).toMatchObject({ tier: 'Gold' });
    expect(record['loyalty']).not.toHaveProperty('nextTier');
    expect(record['loyalty']).not.toHaveProperty('tierExpiryDate');
    expect(record['loyalty']).not.toHaveProperty('pointsToNextTier');
  });

  it('are followed by those of newer events, without the gaps of the earlier tier', async () => {
    const record = await recordOf([
      bill(2, found(2)),
      pointsEvent('tierUpgraded', 3, { upgradedTierNumber: 3, previousTierNumber: 2 }),
    ]);

    expect(record['loyalty']).toMatchObject({ tier: 'Gold', tierUpgradeDate: iso(noon(3)) });
    expect(record['loyalty']).not.toHaveProperty('pointsToNextTier');
    expect(tenantOf(record)).not.toHaveProperty('tier');
  });

  it('have no date of an upgrade after a downgrade', async () => {
    const tierChanges = [
      { at: noon(1), type: 'DOWNGRADE' as const, to: 'Silver' },
      { at: noon(-30), type: 'UPGRADE' as const, to: 'Gold' },
    ];
    const record = await recordOf([bill(2, found(2, program({ tierChanges })))]);
    expect(record['loyalty']).not.toHaveProperty('tierUpgradeDate');
  });

  const announced = pointsEvent('tierDowngradeReminder', 1, {
    currentTierNumber: 2,
    scheduledDowngradeDate: iso(noon(40)),
  });
  const expiring = { tierExpiresAt: noon(40) };

  it('do not end the risk that an event announced', async () => {
    const events = [announced, bill(1.1, found(1.2, program(expiring)))];
    for (const order of [events, events.toReversed()]) {
      const record = await recordOf([...order, bill(2, found(2, { ...program(expiring), lastName: 'X' }))]);
      expect(tenantOf(record)).toMatchObject({ tier: { atRisk: true, downgradeDate: iso(noon(40)) } });
    }
  });

  it.each([
    ['was renewed', { ...expiring, tierChanges: [{ at: noon(3), type: 'RENEWAL' as const }] }, 4],
    ['expires later', { tierExpiresAt: noon(400) }, 4],
    ['should have been lost by now', expiring, 41],
  ])('end the risk once the tier %s', async (_case, change, day) => {
    const record = await recordOf([announced, bill(day, found(day, program(change)))]);
    expect(tenantOf(record)).not.toHaveProperty('tier.atRisk');
  });

  it('of other programs are below the tenant', async () => {
    const other: ProgramEntity = {
      programId: '4102',
      name: 'Trail Club',
      isDefault: false,
      points: 12,
      lifetimePoints: 20,
      purchases: 70,
      tier: { number: 1, name: 'Walker' },
      tierExpiresAt: noon(90),
      nextTier: { number: 2, name: 'Runner' },
      upgradeGaps: [{ by: 'LIFETIME_POINTS', gap: 80 }],
    };
    const record = await recordOf([bill(1, found(1, { programs: [SILVER, other] }))]);

    expect(record['loyalty']).toMatchObject({ program: 'Pine Circle', points: 145 });
    expect(tenantOf(record)['programs']).toEqual([
      {
        id: '4102',
        points: 12,
        lifetime: 20,
        lifetimePurchases: 70,
        name: 'Trail Club',
        tier: 'Walker',
        tierNumber: 1,
        tierExpiryDate: iso(noon(90)),
        nextTier: 'Runner',
        gapsToUpgrade: [{ by: 'LIFETIME_POINTS', gap: 80 }],
      },
    ]);
    const configured = await recordOf([bill(1, found(1, { programs: [SILVER, other] }))], {
      ...NEW,
      source: { program: 4102 },
    });
    expect(configured['loyalty']).toMatchObject({ program: 'Trail Club', points: 12, tier: 'Walker' });
  });
});

describe('the person of the API', () => {
  it('has cards in the field of 2026, else below the tenant', async () => {
    const cards = [
      { number: 'NWC0001', series: 'Northwind Card', status: 'ACTIVE' },
      { number: 'test-card', status: 'ACTIVE' },
    ];
    const expected = [{ number: 'NWC0001', series: 'Northwind Card', status: 'ACTIVE' }];
    const events = [bill(1, found(1, { cards }))];

    expect(await recordOf(events)).toMatchObject({ loyalty: { cardsDetails: expected } });
    expect(tenantOf(await recordOf(events, {}))).toMatchObject({
      cards: expected,
      lifetimePurchases: 1834.5,
    });
    const none = await recordOf([...events, bill(2, found(2, { cards: [] }))]);
    expect(none['loyalty']).not.toHaveProperty('cardsDetails');
  });

  it('has details and configured fields as customer events have them', async () => {
    const record = await recordOf(
      [
        bill(
          1,
          found(1, {
            customFields: { preferred_store: 'nw.leeds.01' },
            extendedFields: { city: 'Leeds', gender: 'Female', dob: '1990-04-11T00:00:00+05:30' },
          }),
        ),
      ],
      {
        ...NEW,
        source: { fields: { customFields: { preferred_store: '_acme.preferredStore' } } },
      },
    );

    expect(record).toMatchObject({
      person: { gender: 'female', birthDate: '1990-04-11' },
      homeAddress: { city: 'Leeds' },
      _acme: { preferredStore: 'nw.leeds.01' },
    });
  });

  it('has no contact that is nobody’s', async () => {
    const { record, notes } = await createHistory({
      ...NEW,
      source: { contacts: { ignore: ['desk@northwind.example'] } },
    }).send(
      bill(
        1,
        found(1, {
          firstName: 'NA',
          identifiers: [
            { kind: 'email', value: 'Desk@northwind.example', account: 'instore' },
            { kind: 'phone', value: '0000000000', account: 'instore' },
            { kind: 'externalId', value: 'LOY-1', account: 'instore' },
          ],
        }),
      ),
    );

    expect(record).not.toHaveProperty('personalEmail');
    expect(record).not.toHaveProperty('mobilePhone');
    expect(record).toMatchObject({ person: { name: { lastName: 'Okafor' } } });
    expect(record).not.toHaveProperty('person.name.firstName');
    expect(notes).toEqual([
      'ignored-contact entities.customer.identifiers.email',
      'placeholder entities.customer.identifiers.phone',
      'placeholder entities.customer.firstName',
    ]);
  });

  it('is not the customer of the event: nothing is changed', async () => {
    expect(await recordOf([bill(1, found(1, { customerId: '2' }))])).toEqual({});
  });

  it('identifies an event whose own ids have no namespace', async () => {
    const change = { destination: { identity: { primary: 'email', namespaces: { email: 'Email' } } } };
    const { event } = await createHistory(change).send(bill(1, found(1)));

    expect(event['identityMap']).toEqual({
      Email: [{ id: 'ines@example.net', authenticatedState: 'ambiguous', primary: true }],
    });
    await expect(createHistory(change).send(bill(1))).rejects.toThrow('no-identity');
  });
});

describe('a merge that the API reports', () => {
  const survivor: CustomerEntity = { ...INES, customerId: '7', firstName: 'Survivor' };
  const merged = answered(3, { kind: 'merged', into: '7', customer: survivor });

  it('changes the survivor once both share a record, and never the profile of the victim', async () => {
    const history = createHistory(NEW);
    await history.send({ ...bill(1, found(1)), customerId: 1 });
    const early = await history.send(bill(2, merged));
    expect(early.record).toEqual({});
    expect(early.event).not.toEqual({});

    await history.send({
      eventName: 'loyaltyCustomerMerge',
      day: 3,
      customerId: 7,
      data: {
        survivorCustomerIdentifiers: { customerId: 7 },
        victimCustomerIdentifiers: { customerId: 1 },
      },
    });
    const { record } = await history.send(bill(4, merged));

    expect(record).toMatchObject({
      person: { name: { firstName: 'Survivor' } },
      identityMap: { capillaryId: [{ id: '7', primary: true }] },
    });
  });
});

describe('names that the API states', () => {
  it('are those of the events that have only numbers', async () => {
    const history = createHistory(NEW);
    await history.send(bill(1, found(1)));
    const { event } = await history.send({
      ...pointsEvent('tierUpgraded', 2, { upgradedTierNumber: 3, previousTierNumber: 2 }),
      customerId: 2,
    });

    expect(event).toMatchObject({
      _acme: {
        capillary: {
          program: { id: '973', name: 'Pine Circle' },
          tier: { previous: 'Silver', current: 'Gold' },
        },
      },
    });
  });
});

describe('an event that the API could not complete', () => {
  const incomplete = { customer: 'budget', bill: undefined } as const;
  const thin = eventWith('transactionAdded', { transactionId: 't1', amount: 10 });

  it('is marked, with the reason in a note', async () => {
    const context = { ...contextOf(), incomplete };
    const mapped = await messagesOf(thin, context);

    expect(mapped.event).toMatchObject({ _acme: { capillary: { enrichment: 'incomplete' } } });
    expect(mapped.notes).toEqual([
      {
        kind: 'dropped',
        path: 'entities.customer',
        code: 'enrichment-incomplete',
        message: expect.stringMatching(/: no call was left for it$/),
        detail: 'no call was left for it',
      },
    ]);
  });

  it('has the id by which Capillary finds the call, if there was one', async () => {
    const unknown = { customer: 'unknown', bill: 'budget', requestIds: { customer: 'req-1' } } as const;
    const { notes } = await messagesOf(thin, { ...contextOf(), incomplete: unknown });

    expect(notes.map(({ path, detail }) => [path, detail])).toEqual([
      ['entities.customer', 'the API does not know it yet (X-CAP-REQUEST-ID req-1)'],
      ['entities.bill', 'no call was left for it'],
    ]);
  });

  it('is not marked if it could be, or without a tenant', async () => {
    const complete = await messagesOf(thin);
    const { tenant: _none, ...destination } = contextOf().destination;
    const untenanted = await messagesOf(thin, { ...contextOf(), destination, incomplete });

    expect(complete.json).not.toContain('incomplete');
    expect(untenanted.json).not.toContain('incomplete');
    expect(codesOf(untenanted)).toContain('enrichment-incomplete entities.customer');
  });
});

describe('contacts that are counted for an event', () => {
  const event = eventWith('transactionAdded', {});
  const count = (entities?: Entities): readonly string[] => {
    const context = { ...contextOf(), ...(entities === undefined ? {} : { entities }) };
    return identitiesToCount(identify(event, context).identities, context).map(({ id }) => id);
  };

  it('are those of the API too, but none of a customer who was erased', () => {
    expect(count()).toEqual(['518200431']);
    expect(count(found(1))).toEqual([
      '518200431',
      '1',
      '+919812004567',
      'ines@example.net',
      'LOY-77120',
      'NWC0001',
    ]);
    expect(count(answered(1, { kind: 'erased' }))).toEqual([]);
  });
});

const root = referencePath('xdm/', 'records with a snapshot against Adobe’s schemas');

describe.runIf(root)('records with a snapshot', () => {
  it.each([true, false])('fit Adobe’s schema (loyalty2026 %s)', async (loyalty2026) => {
    const destination = { schemaFeatures: { loyalty2026, consents: true } };
    const { features, tenant } = {
      features: contextOf({ destination }).destination.schemaFeatures,
      tenant: '_acme',
    };
    const { profile } = closedXdmValidators({ features, tenant, root: root ?? '' });
    const record = await recordOf(
      [
        bill(
          1,
          found(1, {
            cards: [{ number: 'NWC0001', series: 'Northwind Card', status: 'ACTIVE' }],
            subscriptions: [{ channel: 'SMS', priority: 'BULK', isOptedIn: false }],
            extendedFields: { city: 'Leeds', gender: 'f', dob: '1990-04-11' },
            programs: [SILVER, { ...SILVER, programId: '4102', name: 'Trail Club', isDefault: false }],
          }),
        ),
      ],
      { destination },
    );

    profile(record);
    expect(profile.errors ?? []).toEqual([]);
    expect(tenantOf(record)).toHaveProperty('programs');
  });
});
