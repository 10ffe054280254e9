import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { FAMILIES } from '../../../src/mapping/families/index.ts';
import { mapEvent } from '../../../src/mapping/map-event.ts';
import {
  codesOf,
  contextOf,
  eventOf,
  eventWith,
  fixtureEvent,
  messagesOf,
  readFixture,
} from '../mapping-rig.ts';

const ME = { customerId: 518200431 };
const OTHER = { customerId: 518200999 };

/** An event that names customers only in the items of its data. */
function nameless(eventName: string, data: JsonObject) {
  return eventOf({ eventName, eventId: 'e-1', orgId: 204731, createdAt: 1_794_000_000_000, data });
}

function tenantOf(event: JsonObject): JsonObject {
  return (event['_acme'] as { capillary: JsonObject }).capillary;
}

const OTHER_TYPES = ['transactionAdded', 'retroBillAdded', 'loyaltyCustomerMerge'];

const withoutLoyaltyEvents = contextOf({ destination: { schemaFeatures: { loyaltyEvents: false } } });

describe('the event type', () => {
  it('contains the event name, except for purchases and merges', async () => {
    const names = [...FAMILIES.keys()].filter((name) => !OTHER_TYPES.includes(name));
    for (const name of names) {
      const { event } = await messagesOf(eventWith(name, {}));
      expect(event['eventType']).toBe(`loyalty.${name}`);
    }
  });

  it('follows the payload if a bulk issue is named like a single one', async () => {
    const bulk = { ...(JSON.parse(readFixture('issue-bulk-coupon')) as object), eventName: 'CouponIssue' };

    expect((await messagesOf(eventOf(bulk))).event).toMatchObject({
      eventType: 'loyalty.CouponIssue',
      _acme: { capillary: { coupons: [{ code: 'HPBULK1' }] } },
    });
  });
});

describe('CouponIssue', () => {
  it('belongs to the customer named in its coupons', async () => {
    const { event } = await messagesOf(fixtureEvent('coupon-issue'));

    expect(event['identityMap']).toMatchObject({
      capillaryId: [{ id: '518200431', primary: true }],
      Email: [{ id: 'meera.iyer@example.org' }],
    });
    expect(fixtureEvent('coupon-issue').lane).toBe(fixtureEvent('coupon-redeem').lane);
  });

  it('belongs to nobody if its coupons name several customers', async () => {
    const coupons = [
      { code: 'A', customerIdentifiers: ME },
      { code: 'B', customerIdentifiers: OTHER },
    ];

    expect(await mapEvent(nameless('CouponIssue', { coupons }), contextOf())).toMatchObject({
      outcome: 'ignored',
      reason: 'no-identity',
    });
  });

  it('leaves out coupons of other customers', async () => {
    const coupons: JsonObject[] = [
      { code: 'A', customerIdentifiers: ME },
      { code: 'B', customerIdentifiers: OTHER },
      { code: 'C' },
    ];
    const mapped = await messagesOf(eventWith('CouponIssue', { coupons }));

    expect(tenantOf(mapped.event)['coupons']).toEqual([{ code: 'A' }, { code: 'C' }]);
    expect(codesOf(mapped)).toEqual(['other-customer data.coupons[1]']);
  });

  it('notes the path of an invalid identifier in a coupon', async () => {
    const customerIdentifiers = { ...ME, instore: { email: 'asha.example.org' } };
    const mapped = await messagesOf(nameless('CouponIssue', { coupons: [{ customerIdentifiers }] }));

    expect(codesOf(mapped)).toEqual(['not-an-email data.coupons[0].customerIdentifiers.instore.email']);
  });

  it('is sent unmapped in format raw', async () => {
    const { event } = await messagesOf(
      fixtureEvent('coupon-issue'),
      contextOf({ destination: { format: 'raw' } }),
    );

    expect(event).toMatchObject({ eventName: 'CouponIssue', data: { issualType: 'API' } });
  });
});

describe('updateRewardTransaction', () => {
  it('belongs to nobody if its transactions name several customers', async () => {
    const transactionUpdates = [ME, OTHER].map((who) => ({ transactionId: 1, ...who }));

    expect(
      await mapEvent(nameless('updateRewardTransaction', { transactionUpdates }), contextOf()),
    ).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
  });

  it('leaves out transactions of other customers', async () => {
    const transactionUpdates = [
      { transactionId: 1, ...OTHER },
      { transactionId: 2, ...ME },
    ];
    const mapped = await messagesOf(eventWith('updateRewardTransaction', { transactionUpdates }));

    expect(tenantOf(mapped.event)['rewardTransactions']).toEqual([{ id: '2' }]);
    expect(codesOf(mapped)).toEqual(['other-customer data.transactionUpdates[0]']);
  });
});

describe('cartPromotionRedeemed', () => {
  it('sets the promotion if it is a single one', async () => {
    const appliedPromotions = [{ promotionId: 'p-1', discount: 5 }];
    const lineItemInfo: JsonObject[] = [
      { productId: 9, appliedPromotions: [{ promotionId: 'p-1', discount: 'much' }] },
      { appliedPromotions: [{ promotionId: 'p-1', discount: 1 }] },
    ];
    const mapped = await messagesOf(eventWith('cartPromotionRedeemed', { appliedPromotions, lineItemInfo }));

    expect(mapped.event).toMatchObject({
      loyalty: {
        discounts: [
          { value: 5, scope: 'total' },
          { value: 1, scope: 'item' },
        ],
      },
    });
    expect(tenantOf(mapped.event)).toMatchObject({
      promotion: { id: 'p-1' },
      appliedPromotions: [{ id: 'p-1' }, { id: 'p-1', scope: 'item', sku: '9' }, { scope: 'item' }],
    });
    expect(codesOf(mapped)).toEqual(['not-a-number data.lineItemInfo[0].appliedPromotions[0].discount']);
  });
});

describe('without the loyalty field group', () => {
  it.each(['coupon-redeem', 'cart-promotion-redeemed', 'promised-points-conversion'])('%s', async (name) => {
    const event = fixtureEvent(name);
    const [before, after] = [await messagesOf(event), await messagesOf(event, withoutLoyaltyEvents)];

    expect(before.event['loyalty']).toBeDefined();
    expect(after.event['loyalty']).toBeUndefined();
    expect(tenantOf(after.event)).toEqual(tenantOf(before.event));
    expect(after.notes).toEqual([]);
  });
});

describe('a list too long for AEP', () => {
  const many = (entry: JsonObject) => Array.from({ length: 300 }, () => entry);

  it.each<[string, string, JsonObject]>([
    ['CouponIssue', 'coupons', { coupons: many({ code: 'A'.repeat(30) }) }],
    ['issueRewardFailure', 'failedRewards', { erroredSteps: many({ name: 'A'.repeat(30) }) }],
    [
      'cartPromotionRedeemed',
      'appliedPromotions',
      { appliedPromotions: many({ promotionId: 'A'.repeat(30) }) },
    ],
    [
      'manualPointsAdjustment',
      'pointsBreakdown',
      { programPointsSplit: many({ points: 5, programId: 7, pointsType: 'A'.repeat(30) }) },
    ],
    [
      'alternateCurrenciesIssued',
      'currencyExpiries',
      {
        alternateCurrenciesIssuedData: [
          { regularAlternateCurrenciesBreakup: many({ alternateCurrencies: 5, expiryAt: '2027-01-31' }) },
        ],
      },
    ],
  ])('of %s is left out before the other tenant fields', async (name, list, data) => {
    const mapped = await messagesOf(eventWith(name, data));

    expect(tenantOf(mapped.event)).toMatchObject({ customerId: '518200431' });
    expect(codesOf(mapped)).toEqual([`shrunk _acme.capillary.${list}`]);
  });
});

describe('an event without a documented payload', () => {
  const UNDOCUMENTED = [
    'manualAlternateCurrencyAdjustment',
    'rewardRedeemed',
    'rewardRedemptionReversed',
    'rewardRevoked',
    'issueRewardPermanentFailure',
  ];

  it('also has its whole data as text, unlike any other event', async () => {
    const names = await Promise.all(
      [...FAMILIES.keys()].map(async (name) => {
        const { event } = await messagesOf(eventWith(name, { surprise: 'new' }));
        return tenantOf(event)['payload'] === undefined ? [] : [name];
      }),
    );

    expect(names.flat().toSorted()).toEqual(UNDOCUMENTED.toSorted());
    const { event } = await messagesOf(eventWith('rewardRevoked', { surprise: 'new', rewardId: 4 }));
    expect(tenantOf(event)).toMatchObject({
      reward: { id: '4' },
      payload: '{"customerIdentifiers":{"customerId":518200431},"surprise":"new","rewardId":4}',
    });
  });

  it('has no such text without a tenant', async () => {
    const context = contextOf({ destination: { tenant: undefined } });
    const { event } = await messagesOf(eventWith('rewardRevoked', { rewardId: 4 }), context);

    expect(Object.keys(event)).toEqual(['_id', 'timestamp', 'eventType', 'identityMap']);
  });
});
