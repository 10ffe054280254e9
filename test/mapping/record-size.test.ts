import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { createNotes, type Notes } from '../../src/mapping/mapping-notes.ts';
import { shrinkEvent, shrinkProfile } from '../../src/mapping/record-size.ts';
import { textOf, type WrittenText } from '../../src/xdm/json-buffer.ts';
import { jsonBytes, MAX_EVENT_BYTES, MAX_PROFILE_BYTES } from '../../src/xdm/xdm-record.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

type Shrink = (text: WrittenText, tenant: string | undefined, notes: Notes) => WrittenText;

function reduced(shrink: Shrink, entity: JsonObject, tenant: string | undefined, notes: Notes): JsonObject {
  return JSON.parse(shrink(textOf(entity), tenant, notes).json) as JsonObject;
}

function item(index: number) {
  return {
    itemCode: `SKU-${index}`,
    description: `Fröhliche Ware Nr. ${index}`,
    qty: 1,
    amount: 10,
  };
}
function items(count: number) {
  return Array.from({ length: count }, (_, index) => item(index));
}

describe('an event', () => {
  it('near the limit is complete, with a note', async () => {
    const mapped = await messagesOf(eventWith('transactionAdded', { lineItems: items(110) }));

    expect(jsonBytes(mapped.event)).toBeGreaterThan(8_000);
    expect(jsonBytes(mapped.event)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    expect(mapped.event['productListItems']).toHaveLength(110);
    expect(codesOf(mapped)).toEqual(['near-limit xdmEntity']);
  });

  it('over the limit keeps as many line items as fit and counts the others', async () => {
    const mapped = await messagesOf(eventWith('transactionAdded', { lineItems: items(400) }));
    const lines = mapped.event['productListItems'] as unknown[];

    expect(jsonBytes(mapped.event)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    expect(jsonBytes(mapped.event)).toBeGreaterThan(MAX_EVENT_BYTES - 150);
    expect(mapped.event).toMatchObject({
      _acme: { capillary: { transaction: { lineItemsOmitted: 400 - lines.length } } },
    });
    expect(codesOf(mapped)).toContain('shrunk productListItems');
  });

  it('loses line items without a tenant too', async () => {
    const mapped = await messagesOf(
      eventWith('transactionAdded', { lineItems: items(400) }),
      contextOf({ destination: { tenant: undefined } }),
    );

    expect(jsonBytes(mapped.event)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
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

    const shrunk = reduced(shrinkEvent, entity, '_acme', notes);
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

  it('with a long list keeps the other tenant fields', async () => {
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

  it('loses brand fields, the tenant, standard fields and finally identities, but never the primary one', () => {
    const long = 'x'.repeat(2_400);
    const entity: JsonObject = {
      _id: 'a',
      timestamp: 't',
      eventType: 'e',
      identityMap: { n: [1, 2, 3, 4, 5].map((index) => ({ id: `${index}${long}`, primary: index === 1 })) },
      commerce: { promotionID: long },
      _acme: { own: long, capillary: { customerId: long } },
    };
    const shrunk = reduced(shrinkEvent, entity, '_acme', createNotes());

    expect(Object.keys(shrunk)).toEqual(['_id', 'timestamp', 'eventType', 'identityMap']);
    expect(shrunk['identityMap']).toEqual({ n: [{ id: `1${long}`, primary: true }] });
  });
});

describe('a profile', () => {
  it('leaves out the oldest rewards, before anything else that is not the brand’s own', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        id: String(index),
        name: 'x'.repeat(1_000),
        state: 'issued',
      }));
    const entity: JsonObject = {
      _id: 'cap-1',
      _acme: { capillary: { challenges: many(30), coupons: many(50), programs: [{ id: '9', points: 1 }] } },
      loyalty: { points: 7, challenges: many(20), rewards: { coupons: many(60) } },
      identityMap: { capillaryId: [{ id: '5', primary: true }] },
    };
    const notes = createNotes();
    const shrunk = reduced(shrinkProfile, entity, '_acme', notes);

    expect(jsonBytes(shrunk)).toBeLessThanOrEqual(MAX_PROFILE_BYTES);
    expect(shrunk['_acme']).toEqual({
      capillary: { coupons: many(16), programs: [{ id: '9', points: 1 }] },
    });
    expect(shrunk['loyalty']).toEqual(entity['loyalty']);
    expect(notes.list().map(({ path, code, message }) => [path, code, message.split(': ')[1]])).toEqual([
      ['_acme.capillary.challenges', 'shrunk', '30 of 30 items'],
      ['_acme.capillary.coupons', 'shrunk', '34 of 50 items'],
    ]);

    const withoutTenant = {
      ...entity,
      loyalty: { points: 7, challenges: many(20), rewards: { coupons: many(120) } },
    };
    const standard = reduced(shrinkProfile, withoutTenant, undefined, createNotes());
    const coupons = (standard['loyalty'] as { rewards: { coupons: unknown[] } }).rewards.coupons;
    expect(jsonBytes(standard)).toBeLessThanOrEqual(MAX_PROFILE_BYTES);
    expect(standard['loyalty']).toEqual({ points: 7, rewards: { coupons: many(coupons.length) } });
  });

  it('loses brand fields first, then the largest', () => {
    const notes = createNotes();
    const entity: JsonObject = {
      _id: 'a',
      identityMap: { n: [{ id: '1', primary: true }] },
      person: { name: { firstName: 'x'.repeat(99_000) } },
      loyalty: { points: 1, pointsExpiration: [{ pointsExpiring: 2 }] },
      _acme: { b: 'x'.repeat(1_000), a: 'y' },
    };

    expect(Object.keys(reduced(shrinkProfile, entity, '_acme', notes))).toEqual([
      '_id',
      'identityMap',
      'person',
      'loyalty',
    ]);
    expect(jsonBytes(reduced(shrinkProfile, entity, '_acme', notes))).toBeLessThanOrEqual(MAX_PROFILE_BYTES);
    expect(notes.list().map(({ path }) => path)).toEqual(['_acme.a', '_acme.b']);
  });

  it('loses its parts in a fixed order, whatever the order of its fields', () => {
    const long = 'x'.repeat(MAX_PROFILE_BYTES);
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
    const leftOut = parts.map(([, part]) => {
      const notes = createNotes();
      const entity = { ...small, ...part };
      const reversed = Object.fromEntries(Object.entries(entity).toReversed());
      expect(reduced(shrinkProfile, reversed, '_acme', createNotes())).toEqual(
        reduced(shrinkProfile, entity, '_acme', notes),
      );
      return notes.list().map(({ path }) => path);
    });

    const order = ['_acme.a', '_acme', 'loyalty.pointsExpiration', 'loyalty.loyaltyID'];
    expect(leftOut).toEqual([
      ['_acme.a'],
      ['_acme'],
      order.slice(0, 3),
      ['_acme.a', '_acme', 'loyalty.loyaltyID'],
      ['_acme.a', '_acme', 'person'],
      [...order, 'person', 'loyalty', 'identityMap'],
    ]);
  });
});
