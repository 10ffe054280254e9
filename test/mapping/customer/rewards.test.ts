import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { parseState } from '../../../src/mapping/customer/customer-state.ts';
import { applyEvents, contextWith, DAY, eventAt, ME, START, valueAt } from './event-rig.ts';

const LOYALTY_2026 = contextWith({ schemaFeatures: { loyalty2026: true } });
const CLASSIC = contextWith({});

const SERIES = {
  id: 5120,
  description: 'Monsoon coffee',
  discount_type: 'ABS',
  discount_value: 150,
  valid_till: START + 300 * DAY,
};

function iso(at: number): string {
  return new Date(at).toISOString();
}

function couponIssued(at: number, id: number, more: JsonObject = {}, customerId = ME): CapillaryEvent {
  const coupon = { id, code: `C${id}`, issued_on: at, customerIdentifiers: { customerId }, ...more };
  return eventAt(at, 'CouponIssue', { coupons: [coupon], series_info: SERIES }, customerId);
}

function couponRedeemed(at: number, id: number): CapillaryEvent {
  const coupon = { id, code: `C${id}`, redemptionId: id + 1, redemptionDate: at, series_info: SERIES };
  return eventAt(at, 'CouponRedeem', { coupon });
}

function reward(at: number, name: string, more: JsonObject = {}): CapillaryEvent {
  return eventAt(at, name, { rewardId: 4410, transactionId: 'rt-61', ...more });
}

function tick(at: number): CapillaryEvent {
  return eventAt(at, 'customerUpdated', { firstName: 'Meera' });
}

interface Item {
  readonly id: string;
  readonly state: string;
}

async function rewardsAfter(events: readonly CapillaryEvent[], context = LOYALTY_2026) {
  const { record } = await applyEvents(events, context);
  return valueAt(record, 'loyalty.rewards') as Record<string, Item[]> | undefined;
}

async function statesAfter(list: string, events: readonly CapillaryEvent[]) {
  return statesIn((await applyEvents(events, LOYALTY_2026)).record, list);
}

function statesIn(record: JsonObject, list: string): readonly string[] {
  const items = (valueAt(record, `loyalty.rewards.${list}`) ?? []) as readonly Item[];
  return items.map(({ id, state }) => `${id} ${state}`);
}

describe('coupons on the profile', () => {
  it('have the fields of Adobe’s list', async () => {
    const issued = couponIssued(START, 771001, { valid_till: START + 30 * DAY });
    const { record } = await applyEvents([issued], LOYALTY_2026);

    expect(valueAt(record, 'loyalty.rewards')).toEqual({
      coupons: [
        {
          id: '771001',
          name: 'Monsoon coffee',
          series: '5120',
          discountValue: 150,
          startDate: iso(START),
          endDate: iso(START + 30 * DAY),
          state: 'issued',
        },
      ],
    });
    expect(valueAt(record, '_acme.capillary')).toEqual({ coupons: [{ id: '771001', code: 'C771001' }] });
  });

  it.each(['PERC', 'perc', '', 'FREE'])('have no value in money if the discount is %j', async (type) => {
    const series = { ...SERIES, discount_type: type };
    const issue = eventAt(START, 'CouponIssue', { coupons: [{ id: 1 }], series_info: series });

    expect((await rewardsAfter([issue]))?.['coupons']?.[0]).not.toHaveProperty('discountValue');
  });

  it.each(['null', 'undefined', 'N/A', '{{couponId}}'])(
    'are not kept under an id that is none: %s',
    async (id) => {
      const states = await statesAfter('coupons', [
        couponIssued(START, 1),
        couponIssued(START + DAY, 2, { id, code: null }),
      ]);

      expect(states).toEqual(['1 issued']);
    },
  );

  it('are redeemed, whether the redemption arrives after the issue or before it', async () => {
    const [issue, redemption] = [couponIssued(START, 1), couponRedeemed(START + DAY, 1)];
    const inOrder = await rewardsAfter([issue, redemption]);

    expect(inOrder?.['coupons']).toMatchObject([{ id: '1', state: 'redeemed', startDate: iso(START) }]);
    expect(await rewardsAfter([redemption, issue])).toEqual(inOrder);
    expect(await rewardsAfter([issue, redemption, issue, redemption])).toEqual(inOrder);
  });

  it('expire after their last day, by the newest event of the customer', async () => {
    const issue = couponIssued(START, 1, { valid_till: START + 10 * DAY });

    expect(await statesAfter('coupons', [issue, tick(START + 10 * DAY)])).toEqual(['1 issued']);
    expect(await statesAfter('coupons', [issue, tick(START + 10 * DAY + 1)])).toEqual(['1 expired']);
    expect(await statesAfter('coupons', [tick(START + 41 * DAY), issue])).toEqual([]);
  });

  it('stay for 30 days after their redemption', async () => {
    const events = [couponIssued(START, 1), couponRedeemed(START + DAY, 1)];

    expect(await statesAfter('coupons', [...events, tick(START + 31 * DAY)])).toEqual(['1 redeemed']);
    expect(await statesAfter('coupons', [...events, tick(START + 31 * DAY + 1)])).toEqual([]);
  });

  it('are the newest 50 of those that can be used, and all that were closed not long ago', async () => {
    const issues = Array.from({ length: 120 }, (_, index) => couponIssued(START + index, index + 1));
    const redeemed = couponRedeemed(START + DAY, 120);
    const states = await statesAfter('coupons', [...issues, redeemed]);

    expect(states).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `${119 - index} issued`),
      '120 redeemed',
    ]);
    expect(await statesAfter('coupons', [redeemed, ...issues.toReversed()])).toEqual(states);
  });

  it('do not make the stored state grow without limit', async () => {
    const events = Array.from({ length: 300 }, (_, index) => [
      couponIssued(START + index * DAY, index + 1),
      ...(index % 3 === 0 ? [couponRedeemed(START + index * DAY + 1, index + 1)] : []),
    ]).flat();
    const { state, record } = await applyEvents(events, LOYALTY_2026);
    const facts = [...parseState(state).own.attributes.keys()].filter((path) => path.startsWith('@coupon'));

    expect(facts.length).toBeGreaterThan(100);
    expect(facts.length).toBeLessThanOrEqual(100 + 100 + 40);
    expect((valueAt(record, 'loyalty.rewards.coupons') as unknown[]).length).toBeLessThanOrEqual(50 + 11);
  });

  it('are below the tenant, the open ones only, if the schema has no rewards', async () => {
    const events = [couponIssued(START, 1), couponIssued(START + 1, 2), couponRedeemed(START + 2, 2)];
    const { record, codes } = await applyEvents(events, CLASSIC);

    expect(record['loyalty']).toBeUndefined();
    expect(valueAt(record, '_acme.capillary.coupons')).toEqual([
      {
        id: '1',
        code: 'C1',
        name: 'Monsoon coffee',
        series: '5120',
        discountValue: 150,
        startDate: iso(START),
        state: 'issued',
      },
    ]);
    expect(codes).toEqual([]);
  });

  it('are not kept if the schema has no field for them', async () => {
    const { state, record } = await applyEvents([couponIssued(START, 1)], contextWith({ tenant: undefined }));

    expect({ state, record }).toEqual({ state: undefined, record: {} });
  });

  it('of other customers are never those of this one', async () => {
    const coupons: JsonObject[] = [{ id: 1 }, { id: 2, customerIdentifiers: { customerId: ME + 1 } }];

    expect(await statesAfter('coupons', [eventAt(START, 'CouponIssue', { coupons })])).toEqual(['1 issued']);
  });

  it('are found by their code if an event has no id', async () => {
    const redemption = eventAt(START + 1, 'CouponRedeem', { coupon: { code: 'C1' } });

    expect(await statesAfter('coupons', [couponIssued(START, 1), redemption])).toEqual(['1 redeemed']);
    expect(await statesAfter('coupons', [redemption])).toEqual(['C1 redeemed']);
  });
});

describe('gifts on the profile', () => {
  const issued = reward(START, 'rewardIssued', {
    type: 'VOUCHER',
    rewardDetails: [{ name: 'Free refill' }],
    vendorDetails: { id: 138, name: 'Capillary_1' },
    intouchSeriesId: '5120',
    startDate: START - DAY,
    endDate: START + 50 * DAY,
    issueDateTime: START,
    intouchRewardDetails: { intouchCouponCode: 'HPMON15C', codeExpiry: START + 20 * DAY },
  });

  it('have the fields of Adobe’s list', async () => {
    const { record } = await applyEvents([issued], LOYALTY_2026);

    expect(valueAt(record, 'loyalty.rewards.giveaways')).toEqual([
      {
        id: '4410',
        name: 'Free refill',
        series: '5120',
        type: 'VOUCHER',
        partnerId: '138',
        partnerName: 'Capillary_1',
        startDate: iso(START - DAY),
        endDate: iso(START + 50 * DAY),
        state: 'issued',
      },
    ]);
    expect(valueAt(record, '_acme.capillary.rewards')).toEqual([
      {
        id: '4410',
        transactionId: 'rt-61',
        code: 'HPMON15C',
        codeExpiryDate: iso(START + 20 * DAY),
        issuedDate: iso(START),
      },
    ]);
  });

  it.each([
    ['redeemed', ['rewardRedeemed']],
    ['issued', ['rewardRedeemed', 'rewardRedemptionReversed']],
    ['redeemed', ['rewardRedemptionReversed', 'rewardRedeemed']],
    ['revoked', ['rewardRedeemed', 'rewardRedemptionReversed', 'rewardRevoked']],
    ['issued', ['rewardExpiryReminder']],
  ])('are %s after %j, in any order of arrival', async (state, names) => {
    const later = names.map((name, index) => reward(START + index + 1, name));

    expect(await statesAfter('giveaways', [issued, ...later])).toEqual([`4410 ${state}`]);
    expect(await statesAfter('giveaways', [...later, issued].toReversed())).toEqual([`4410 ${state}`]);
  });

  it('expire with their code, or with the reward if they have none', async () => {
    const plain = reward(START, 'rewardIssued', { endDate: START + 50 * DAY });

    expect(await statesAfter('giveaways', [issued, tick(START + 21 * DAY)])).toEqual(['4410 expired']);
    expect(await statesAfter('giveaways', [plain, tick(START + 49 * DAY)])).toEqual(['4410 issued']);
    expect(await statesAfter('giveaways', [plain, tick(START + 51 * DAY)])).toEqual(['4410 expired']);
  });

  it('of the same reward are told apart by their transaction', async () => {
    const second = reward(START + 1, 'rewardIssued', { transactionId: 'rt-62' });
    const redeemed = reward(START + 2, 'rewardRedeemed', { transactionId: 'rt-62' });

    expect(await statesAfter('giveaways', [issued, second, redeemed])).toEqual([
      '4410 issued',
      '4410 redeemed',
    ]);
  });

  it('are found by the reward if an event has no transaction and it can mean one only', async () => {
    const redeemed = reward(START + 1, 'rewardRedeemed', { transactionId: null });
    const later = reward(START + 2, 'rewardIssued', { transactionId: 'rt-62' });

    expect(await statesAfter('giveaways', [issued, redeemed, later])).toEqual([
      '4410 issued',
      '4410 redeemed',
    ]);
  });

  it('have the state of their fulfilment below the tenant', async () => {
    const update = eventAt(START + 1, 'updateRewardTransaction', {
      transactionUpdates: [
        { transactionId: 'rt-61', rewardId: 4410, customerId: ME, fulfillmentStatus: 'SHIPPED' },
      ],
    });
    const { record } = await applyEvents([issued, update], CLASSIC);

    expect(valueAt(record, '_acme.capillary.rewards')).toMatchObject([
      { id: '4410', name: 'Free refill', state: 'issued', fulfillmentStatus: 'SHIPPED' },
    ]);
    expect(await statesAfter('giveaways', [update])).toEqual([]);
  });
});

describe('badges on the profile', () => {
  it('are kept once each, with the date on which they were earned', async () => {
    const earned = (at: number, earnId: string) =>
      eventAt(at, 'badgeEarned', { badgeId: '64ab12', issualId: 'bi-4', earnId, earnedOn: at });
    const { record } = await applyEvents([earned(START + 1, 'be-2'), earned(START, 'be-1')], LOYALTY_2026);

    expect(valueAt(record, 'loyalty.rewards.badges')).toEqual([
      { id: '64ab12', startDate: iso(START + 1), state: 'issued' },
    ]);
    expect(valueAt(record, '_acme.capillary.badges')).toEqual([
      { id: '64ab12', issueId: 'bi-4', earnedId: 'be-2' },
    ]);
  });
});

describe('the rewards of a customer', () => {
  it('are erased with the customer', async () => {
    const deletion = eventAt(START + 5, 'customerUpdated', { customerStatus: { currentLabel: 'Deleted' } });
    const { state } = await applyEvents(
      [couponIssued(START, 1), deletion, couponIssued(START + 1, 2)],
      CLASSIC,
    );

    expect(JSON.parse(state ?? '')).toEqual({ deletedAt: START + 5 });
  });

  it('are united by a merge', async () => {
    const merge = eventAt(START + 5, 'loyaltyCustomerMerge', {
      survivorCustomerIdentifiers: { customerId: ME },
      victimCustomerIdentifiers: { customerId: ME + 1 },
      customerIdentifiers: null,
    });
    const ofVictim = couponIssued(START + 1, 2, {}, ME + 1);

    expect(await statesAfter('coupons', [couponIssued(START, 1), ofVictim, merge])).toEqual([
      '2 issued',
      '1 issued',
    ]);
  });

  it('can be set and left out by an override', async () => {
    const overrides = {
      CouponIssue: { profile: '{"loyalty": {"rewards": {"coupons": null}}}' },
      badgeEarned: {
        profile: `{"loyalty": {
          "rewards": {
            "referrals": [{"id": "r-1", "recipient": "Ann", "state": "completed", "unknown": 1}],
            "coupons": [{"id": "c-1", "redemptionCount": 1, "redemptionLimit": 2, "storeName": "North"}]
          },
          "challenges": [{"id": "q-1", "frequencyType": "weekly", "tasks": [{"name": "t", "entity": "bill"}]}]
        }}`,
      },
    };
    const context = {
      ...LOYALTY_2026,
      source: { ...LOYALTY_2026.source, overrides },
    };
    const events = [couponIssued(START, 1), eventAt(START + 1, 'badgeEarned', { badgeId: 'b-1' })];
    const { record, codes } = await applyEvents(events, context);

    expect(record['loyalty']).toEqual({
      rewards: {
        badges: [{ id: 'b-1', state: 'issued' }],
        coupons: [{ id: 'c-1', redemptionCount: 1, redemptionLimit: 2, storeName: 'North' }],
        referrals: [{ id: 'r-1', recipient: 'Ann', state: 'completed' }],
      },
      challenges: [{ id: 'q-1', frequencyType: 'weekly', tasks: [{ name: 't', entity: 'bill' }] }],
    });
    expect(codes).toEqual(['unknown-field loyalty.rewards.referrals[0].unknown']);
  });
});

describe('the model of rewards', () => {
  interface Step {
    readonly at: number;
    readonly id: number;
    readonly what: keyof typeof NAMES;
  }
  const NAMES = {
    issued: 'rewardIssued',
    redeemed: 'rewardRedeemed',
    reversed: 'rewardRedemptionReversed',
    revoked: 'rewardRevoked',
  } as const;
  const STATES = { issued: 'issued', redeemed: 'redeemed', reversed: 'issued', revoked: 'revoked' };
  const END = START + 25 * DAY;

  /** Applies the steps in the order of their times, and forgets nothing. */
  function modelOf(steps: readonly Step[], end: number | undefined): readonly string[] {
    const clock = Math.max(...steps.map(({ at }) => at));
    const items = new Map<number, { state: string; since: number }>();
    for (const { at, id, what } of steps.toSorted((a, b) => a.at - b.at)) {
      items.set(id, { state: STATES[what], since: at });
    }
    for (const item of items.values()) {
      if (item.state === 'issued' && end !== undefined && end < clock) {
        Object.assign(item, { state: 'expired', since: Math.max(end, item.since) });
      }
    }
    return [...items]
      .filter(([, { state, since }]) => state === 'issued' || clock - since <= 30 * DAY)
      .map(([id, { state }]) => `${id} ${state}`)
      .toSorted();
  }

  /** Steps of a few items, and the same steps twice in another order. */
  function ordersOf(days: number, whats: readonly Step['what'][]) {
    const step = fc.record({
      at: fc.integer({ min: 0, max: days }).map((day) => START + day * DAY),
      id: fc.integer({ min: 1, max: 4 }),
      what: fc.constantFrom(...whats),
    });
    const steps = fc.uniqueArray(step, { minLength: 1, maxLength: 12, selector: ({ at }) => at });
    return steps.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
    );
  }

  function eventsOf(list: readonly Step[], end: number | undefined) {
    const data = (id: number) => ({ rewardId: id, transactionId: `t${id}`, endDate: end ?? null });
    return new Map(list.map((one) => [one, reward(one.at, NAMES[one.what], data(one.id))]));
  }

  it('is what any order and repetition of the events gives', async () => {
    await fc.assert(
      fc.asyncProperty(ordersOf(80, ['issued', 'redeemed', 'reversed', 'revoked']), async ([list, order]) => {
        const events = eventsOf(list, END);
        const shuffled = await applyEvents(
          order.map((one) => events.get(one)!),
          LOYALTY_2026,
        );
        const inOrder = await applyEvents([...events.values()], LOYALTY_2026);

        expect(shuffled.state).toBe(inOrder.state);
        expect(statesIn(shuffled.record, 'giveaways').toSorted()).toEqual(modelOf(list, END));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['an end', END],
    ['no end', undefined],
    ['a late end', START + 300 * DAY],
  ])('holds over years for items with %s', async (_name, end) => {
    await fc.assert(
      fc.asyncProperty(ordersOf(900, ['issued', 'redeemed', 'revoked']), async ([list, order]) => {
        const events = eventsOf(list, end);
        const { record } = await applyEvents(
          order.map((one) => events.get(one)!),
          LOYALTY_2026,
        );
        expect(statesIn(record, 'giveaways').toSorted()).toEqual(modelOf(list, end));
      }),
      { numRuns: 100 },
    );
  });
});
