import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { JsonObject, JsonValue } from '../../../src/capillary/json.ts';
import type { MappingContext } from '../../../src/mapping/mapping-result.ts';
import { applyChange, entityOf, profileChange } from './customer-rig.ts';
import { applyEvents, contextWith, eventAt, ME, START, valueAt } from './event-rig.ts';

const ANY_OUT = contextWith({});
const LAST = contextWith({ consents: { combine: 'last' } });

interface Subscription {
  readonly account?: string;
  readonly orgUnit?: number;
  readonly channel?: string;
}

function answer(
  at: number,
  status: string,
  { account = '01', orgUnit = 310, channel = 'SMS' }: Subscription = {},
  customerId = ME,
): CapillaryEvent {
  const subscription: JsonObject = {
    channel,
    currentStatus: status,
    priority: 'BULK',
    sourceAccountId: account,
    ouId: orgUnit,
  };
  return eventAt(START + at, 'customerSubscription', { subscriptions: [subscription] }, customerId);
}

async function marketingAfter(events: readonly CapillaryEvent[], context: MappingContext = ANY_OUT) {
  return valueAt((await applyEvents(events, context)).record, 'consents.marketing');
}

function time(at: number): string {
  return new Date(START + at).toISOString();
}

describe('the consent of a channel', () => {
  it('is an opt-out as long as any account is opted out', async () => {
    const events = [answer(1, 'OPTOUT'), answer(2, 'OPTIN', { account: '02' })];
    const subscriptions = { '01-ou-310': { val: 'n' }, '02-ou-310': { val: 'y' } };

    expect(await marketingAfter(events)).toEqual({ sms: { val: 'n', time: time(1), subscriptions } });
    expect(await marketingAfter(events.toReversed())).toEqual(await marketingAfter(events));
    expect(await marketingAfter([...events, answer(3, 'OPTIN')])).toEqual({
      sms: {
        val: 'y',
        time: time(3),
        subscriptions: { '01-ou-310': { val: 'y' }, '02-ou-310': { val: 'y' } },
      },
    });
  });

  it('is the newest answer if the configuration says so', async () => {
    const events = [answer(2, 'OPTIN', { account: '02' }), answer(1, 'OPTOUT')];

    expect(await marketingAfter(events, LAST)).toMatchObject({ sms: { val: 'y', time: time(2) } });
    expect(await marketingAfter([...events, answer(3, 'OPTOUT')], LAST)).toMatchObject({
      sms: { val: 'n', time: time(3) },
    });
  });

  it('tells business units and kinds of devices apart', async () => {
    const units = [answer(1, 'OPTOUT', { orgUnit: 7 }), answer(2, 'OPTIN')];
    const devices = [
      answer(1, 'OPTOUT', { channel: 'ios' }),
      answer(2, 'OPTIN', { channel: 'android' }),
      answer(3, 'OPTIN', { channel: 'push' }),
    ];

    expect(await marketingAfter(units)).toMatchObject({ sms: { val: 'n', time: time(1) } });
    expect(await marketingAfter(devices)).toEqual({
      push: {
        val: 'n',
        time: time(1),
        subscriptions: {
          '01-ou-310': { val: 'y' },
          'android-01-ou-310': { val: 'y' },
          'ios-01-ou-310': { val: 'n' },
        },
      },
    });
  });

  it('has no subscriptions if XDM has none for the channel, or the answer has no account', async () => {
    const bare = eventAt(START, 'customerSubscription', {
      subscriptions: [{ channel: 'EMAIL', currentStatus: 'OPTIN' }],
    });

    expect(await marketingAfter([answer(1, 'OPTOUT', { channel: 'CALL' }), bare])).toEqual({
      call: { val: 'n', time: time(1) },
      email: { val: 'y', time: time(0) },
    });
  });

  it('of customers that were merged is that of all their accounts, the newest answer of each', async () => {
    const merge = eventAt(START + 9, 'loyaltyCustomerMerge', {
      survivorCustomerIdentifiers: { customerId: ME },
      victimCustomerIdentifiers: { customerId: ME + 1 },
      customerIdentifiers: null,
    });
    const own = answer(3, 'OPTIN');
    const older = answer(1, 'OPTOUT', {}, ME + 1);
    const other = answer(2, 'OPTOUT', { account: '02' }, ME + 1);

    expect(await marketingAfter([own, older, merge])).toMatchObject({ sms: { val: 'y', time: time(3) } });
    expect(await marketingAfter([own, other, merge])).toMatchObject({ sms: { val: 'n', time: time(2) } });
  });
});

describe('a consent that was stored as one attribute', () => {
  const stored = (val: string, at: number) =>
    applyChange(
      profileChange(START + at, {
        'consents.marketing.sms.val': val,
        'consents.marketing.sms.time': time(at),
      }),
    ).state;
  const withAnswer = (state: string | undefined, at: number, val: JsonValue, account = '01') =>
    entityOf(
      applyChange(profileChange(START + at, { [`@consent[sms].a[${account}%2F310]`]: val }), {
        before: { state },
      }),
    )['consents'];

  it('counts as an account of its own until a newer answer', () => {
    const older = withAnswer(stored('n', 5), 3, 'y');
    const newer = withAnswer(stored('n', 5), 6, 'y');

    expect(older).toEqual({
      marketing: { sms: { val: 'n', time: time(5), subscriptions: { '01-ou-310': { val: 'y' } } } },
    });
    expect(newer).toEqual({
      marketing: { sms: { val: 'y', time: time(6), subscriptions: { '01-ou-310': { val: 'y' } } } },
    });
    expect(withAnswer(stored('y', 5), 3, 'n')).toMatchObject({
      marketing: { sms: { val: 'n', time: time(3) } },
    });
  });

  it('stays as it is without any answer', () => {
    const { entity } = applyChange(profileChange(START + 9, { 'loyalty.points': 1 }), {
      before: { state: stored('y', 5) },
    }).profile!;

    expect(entity['consents']).toEqual({ marketing: { sms: { val: 'y', time: time(5) } } });
  });
});

describe('an override of a consent', () => {
  const contextOfOverride = (profile: string) => ({
    ...ANY_OUT,
    source: { ...ANY_OUT.source, overrides: { customerSubscription: { profile } } },
  });

  it('replaces the answer of its event, and keeps the time', async () => {
    const context = contextOfOverride('{"consents": {"marketing": {"sms": {"val": "p"}}}}');

    expect(await marketingAfter([answer(1, 'OPTIN')], context)).toEqual({ sms: { val: 'p', time: time(1) } });
  });

  it('sees the answer, and can leave it out', async () => {
    const seen = contextOfOverride('{"_acme": {"sms": profile.consents.marketing.sms.val}}');
    const without = contextOfOverride('{"consents": {"marketing": {"sms": null}}, "_acme": {"a": 1}}');
    const { record } = await applyEvents([answer(1, 'OPTOUT')], seen);

    expect(record['_acme']).toEqual({ sms: 'n' });
    expect((await applyEvents([answer(1, 'OPTOUT')], without)).record).not.toHaveProperty('consents');
  });
});

describe('without consents in the schema', () => {
  it('a custom field cannot set one, and stored ones are left out', async () => {
    const context = contextWith({ schemaFeatures: { consents: false } });
    const source = {
      ...context.source,
      fields: { customFields: { sms: { to: 'consents.marketing.sms.val' } }, extendedFields: {} },
    };
    const event = eventAt(START, 'customerUpdated', {
      firstName: 'Meera',
      customFields: [{ key: 'sms', value: 'y' }],
    });
    const { record, codes } = await applyEvents([event], { ...context, source });

    expect(record).not.toHaveProperty('consents');
    expect(codes).toEqual(['unknown-field consents.marketing.sms.val']);
  });
});

describe('the model of consents', () => {
  interface Step {
    readonly at: number;
    readonly account: string;
    readonly val: 'y' | 'n';
  }

  /** The newest answer of each account; then the newest opt-out, else the newest of all. */
  function modelOf(steps: readonly Step[], isAnyOut: boolean) {
    const accounts = new Map<string, Step>();
    for (const step of steps.toSorted((a, b) => a.at - b.at)) {
      accounts.set(step.account, step);
    }
    const newestFirst = [...accounts.values()].toSorted((a, b) => b.at - a.at);
    const optOut = isAnyOut ? newestFirst.find(({ val }) => val === 'n') : undefined;
    const { val, at } = optOut ?? newestFirst[0]!;
    const subscriptions = newestFirst.map((step) => [`${step.account}-ou-310`, { val: step.val }] as const);
    return { sms: { val, time: time(at), subscriptions: Object.fromEntries(subscriptions) as object } };
  }

  it.each([
    ['any-out', ANY_OUT],
    ['last', LAST],
  ])('is what any order and repetition of the events gives (%s)', async (rule, context) => {
    const step = fc.record({
      at: fc.integer({ min: 0, max: 1_000 }),
      account: fc.constantFrom('01', '02', '03'),
      val: fc.constantFrom('y' as const, 'n' as const),
    });
    const steps = fc.uniqueArray(step, { minLength: 1, maxLength: 8, selector: ({ at }) => at });
    const orders = steps.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
    );
    await fc.assert(
      fc.asyncProperty(orders, async ([list, order]) => {
        const events = new Map(
          list.map((one) => [
            one,
            answer(one.at, one.val === 'y' ? 'OPTIN' : 'OPTOUT', { account: one.account }),
          ]),
        );
        const marketing = await marketingAfter(
          order.map((one) => events.get(one)!),
          context,
        );
        expect(marketing).toEqual(modelOf(list, rule === 'any-out'));
      }),
      { numRuns: 100 },
    );
  });
});
