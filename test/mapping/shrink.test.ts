import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { createNotes } from '../../src/mapping/notes.ts';
import { shrinkEvent, shrinkProfile } from '../../src/mapping/shrink.ts';
import { EVENT_MAX_BYTES, PROFILE_MAX_BYTES, sizeOf } from '../../src/xdm/limits.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

const item = (index: number) => ({
  itemCode: `SKU-${index}`,
  description: `Fröhliche Ware Nr. ${index}`,
  qty: 1,
  amount: 10,
});
const items = (count: number) => Array.from({ length: count }, (_, index) => item(index));

describe('an event', () => {
  it('near the limit is whole, with a note', async () => {
    const mapped = await messagesOf(eventWith('transactionAdded', { lineItems: items(110) }));

    expect(sizeOf(mapped.event)).toBeGreaterThan(8_000);
    expect(sizeOf(mapped.event)).toBeLessThanOrEqual(EVENT_MAX_BYTES);
    expect(mapped.event['productListItems']).toHaveLength(110);
    expect(codesOf(mapped)).toEqual(['near-limit xdmEntity']);
  });

  it('over the limit keeps as many line items as fit and counts the others', async () => {
    const mapped = await messagesOf(eventWith('transactionAdded', { lineItems: items(400) }));
    const kept = mapped.event['productListItems'] as unknown[];

    expect(sizeOf(mapped.event)).toBeLessThanOrEqual(EVENT_MAX_BYTES);
    expect(sizeOf(mapped.event)).toBeGreaterThan(EVENT_MAX_BYTES - 150);
    expect(mapped.event).toMatchObject({
      _acme: { capillary: { transaction: { lineItemsOmitted: 400 - kept.length } } },
    });
    expect(codesOf(mapped)).toContain('shrunk productListItems');
  });

  it('loses line items without a tenant too', async () => {
    const mapped = await messagesOf(
      eventWith('transactionAdded', { lineItems: items(400) }),
      contextOf({ destination: { tenant: undefined } }),
    );

    expect(sizeOf(mapped.event)).toBeLessThanOrEqual(EVENT_MAX_BYTES);
    expect((mapped.event['productListItems'] as unknown[]).length).toBeGreaterThan(50);
  });

  it('loses the payload before line items, and lists below the tenant after them', () => {
    const notes = createNotes();
    const entity: JsonObject = {
      _id: 'a',
      timestamp: 't',
      eventType: 'e',
      productListItems: [{ SKU: 'a'.repeat(3_000) }],
      _acme: {
        capillary: { payload: 'p'.repeat(3_000), changes: [{ field: 'c'.repeat(9_990) }], customerId: '1' },
      },
    };

    const shrunk = shrinkEvent(entity, '_acme', notes).entity;
    expect(shrunk).toEqual({
      _id: 'a',
      timestamp: 't',
      eventType: 'e',
      _acme: { capillary: { customerId: '1', transaction: { lineItemsOmitted: 1 } } },
    });
    expect(notes.list().map(({ path }) => path)).toEqual([
      '_acme.capillary.payload',
      'productListItems',
      '_acme.capillary.changes',
    ]);
  });

  it('of a long list keeps the rest of the tenant', async () => {
    const targetData = Array.from({ length: 300 }, (_, index) => ({
      targetId: index,
      targetName: `Target ${index}`,
    }));
    const streakData = [{ streakName: 'x'.repeat(9_000) }];
    const group = { targetGroupId: 911 };
    const targets = await messagesOf(
      eventWith('unifiedTargetsAchieved', { targetData, unifiedTargetGroupDetails: group }),
    );
    const streaks = await messagesOf(eventWith('streakLevelAchieved', { streakData, transactionId: 5 }));

    expect(targets.event).toMatchObject({ _acme: { capillary: { target: { groupId: '911' } } } });
    expect(codesOf(targets)).toEqual(['shrunk _acme.capillary.targets']);
    expect(streaks.event).toMatchObject({ _acme: { capillary: { transaction: { id: '5' } } } });
  });

  it('gives up brand fields, the tenant, standard fields and at last identities, never the primary', () => {
    const long = 'x'.repeat(2_400);
    const entity: JsonObject = {
      _id: 'a',
      timestamp: 't',
      eventType: 'e',
      identityMap: { n: [1, 2, 3, 4, 5].map((index) => ({ id: `${index}${long}`, primary: index === 1 })) },
      commerce: { promotionID: long },
      _acme: { own: long, capillary: { customerId: long } },
    };
    const shrunk = shrinkEvent(entity, '_acme', createNotes()).entity;

    expect(Object.keys(shrunk)).toEqual(['_id', 'timestamp', 'eventType', 'identityMap']);
    expect(shrunk['identityMap']).toEqual({ n: [{ id: `1${long}`, primary: true }] });
  });
});

describe('a profile', () => {
  it('loses brand fields first, then the largest', () => {
    const notes = createNotes();
    const entity: JsonObject = {
      _id: 'a',
      identityMap: { n: [{ id: '1', primary: true }] },
      person: { name: { firstName: 'x'.repeat(99_000) } },
      loyalty: { points: 1, pointsExpiration: [{ pointsExpiring: 2 }] },
      _acme: { b: 'x'.repeat(1_000), a: 'y' },
    };

    expect(Object.keys(shrinkProfile(entity, '_acme', notes).entity)).toEqual([
      '_id',
      'identityMap',
      'person',
      'loyalty',
    ]);
    expect(sizeOf(shrinkProfile(entity, '_acme', notes).entity)).toBeLessThanOrEqual(PROFILE_MAX_BYTES);
    expect(notes.list().map(({ path }) => path)).toEqual(['_acme.a', '_acme.b']);
  });

  it('gives up one part after the other in a fixed order, whatever the order of its fields', () => {
    const long = 'x'.repeat(PROFILE_MAX_BYTES);
    const parts: [string, JsonObject][] = [
      ['_acme.a', { _acme: { a: long, capillary: { programs: [{ id: '1', points: 2 }] } } }],
      ['_acme', { _acme: { capillary: { programs: [{ id: long }] } } }],
      ['loyalty.pointsExpiration', { loyalty: { pointsExpiration: [long], loyaltyID: ['L'], points: 3 } }],
      ['loyalty.loyaltyID', { loyalty: { loyaltyID: [long], points: 3 } }],
      ['person', { person: { name: { firstName: long } }, loyalty: { points: 3 } }],
      [
        'identityMap',
        {
          identityMap: {
            n: [
              { id: '1', primary: true },
              { id: long, primary: false },
            ],
          },
        },
      ],
    ];
    const small: JsonObject = {
      _id: 'a',
      identityMap: {
        n: [
          { id: '1', primary: true },
          { id: '2', primary: false },
        ],
      },
      person: { name: { firstName: 'Meera' } },
      loyalty: { points: 3, pointsExpiration: ['e'], loyaltyID: ['L'] },
      _acme: { a: 'y', capillary: { programs: [{ id: '1', points: 2 }] } },
    };
    const givenUp = parts.map(([, part]) => {
      const notes = createNotes();
      const entity = { ...small, ...part };
      const reversed = Object.fromEntries(Object.entries(entity).toReversed());
      expect(shrinkProfile(reversed, '_acme', createNotes()).entity).toEqual(
        shrinkProfile(entity, '_acme', notes).entity,
      );
      return notes.list().map(({ path }) => path);
    });

    const order = ['_acme.a', '_acme', 'loyalty.pointsExpiration', 'loyalty.loyaltyID'];
    expect(givenUp).toEqual([
      ['_acme.a'],
      ['_acme'],
      order.slice(0, 3),
      ['_acme.a', '_acme', 'loyalty.loyaltyID'],
      ['_acme.a', '_acme', 'person'],
      [...order, 'person', 'loyalty', 'identityMap'],
    ]);
  });
});
