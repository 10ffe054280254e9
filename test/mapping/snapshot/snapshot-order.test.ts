import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import {
  createHistory,
  type HistoryEvent,
  issued,
  joined,
  pointsEvent,
  redeemed,
} from '../customer/history-rig.ts';
import { bill, found, INES, SILVER } from './snapshot-rig.ts';

const NEW = { destination: { schemaFeatures: { loyalty2026: true } } };

function updated(day: number, email: string, firstName: string, customerId = 1): HistoryEvent {
  return {
    eventName: 'customerUpdated',
    day,
    data: { firstName, customerIdentifiers: { customerId, instore: { email } } },
  };
}

function subscribed(day: number, channel: string, currentStatus: string, account: string): HistoryEvent {
  const subscription = { channel, currentStatus, priority: 'BULK', sourceAccountId: account };
  return { eventName: 'customerSubscription', day, data: { subscriptions: [subscription] } };
}

const EMAIL_OUT = { channel: 'EMAIL', priority: 'BULK', isOptedIn: false };
const EMAIL_IN = { channel: 'EMAIL', priority: 'BULK', isOptedIn: true };
const SMS_IN = { channel: 'SMS', priority: 'BULK', isOptedIn: true };
const GOLD = { ...SILVER, points: 900, tier: { number: 3, name: 'Gold' } };

/** Events about everything that a snapshot states too, and three snapshots among them. */
const EVENTS: readonly HistoryEvent[] = [
  joined(0),
  updated(1, 'first@example.net', 'First'),
  subscribed(1.2, 'EMAIL', 'OPTOUT', '01'),
  subscribed(1.4, 'SMS', 'OPTOUT', '02'),
  issued(2, [[50, 90]], 195),
  pointsEvent('tierUpgraded', 2.2, { upgradedTierNumber: 2, previousTierNumber: 1 }),
  bill(3, found(3.1, { subscriptions: [EMAIL_IN, SMS_IN] })),
  subscribed(4, 'EMAIL', 'OPTIN', '01'),
  updated(4.1, 'second@example.net', 'Second'),
  pointsEvent('tierDowngradeReminder', 4.2, { currentTierNumber: 2 }),
  redeemed(4.3, 20),
  bill(
    5,
    found(5.1, {
      programs: [GOLD],
      subscriptions: [EMAIL_OUT, SMS_IN],
      identifiers: INES.identifiers.slice(1),
    }),
  ),
  subscribed(6, 'SMS', 'OPTOUT', '01'),
  issued(8, [[10, 99]]),
  bill(7, found(7.1, { programs: [GOLD], isMasked: true, identifiers: [] })),
];

/** The whole record, which the last event always leads to. */
async function recordAfter(events: readonly HistoryEvent[]): Promise<JsonObject> {
  const { record } = await createHistory(NEW).send(...events, updated(9, 'last@example.net', 'Last'));
  return record;
}

describe('events and snapshots', () => {
  it('lead to the same profile in any order and with any repetition', async () => {
    const expected = await recordAfter(EVENTS);

    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...EVENTS], { minLength: EVENTS.length }),
        fc.subarray([...EVENTS], { maxLength: 3 }),
        async (shuffled, repeated) => {
          expect(await recordAfter([...shuffled, ...repeated])).toEqual(expected);
        },
      ),
      { numRuns: 25, seed: 20_261_130 },
    );
  });

  it('do so for customers who were merged', async () => {
    const survivor = { customerId: '7', lastName: 'Survivor' };
    const events: readonly HistoryEvent[] = [
      ...EVENTS.filter(({ day }) => day < 4),
      {
        eventName: 'loyaltyCustomerMerge',
        day: 4,
        customerId: 7,
        data: {
          survivorCustomerIdentifiers: { customerId: 7 },
          victimCustomerIdentifiers: { customerId: 1 },
        },
      },
      { ...subscribed(3.5, 'EMAIL', 'OPTOUT', '03'), customerId: 7 },
      { ...bill(5, found(5, { ...survivor, subscriptions: [EMAIL_IN] })), customerId: 7 },
      { ...bill(2.5, found(2.5, { ...survivor, firstName: 'Early', programs: [GOLD] })), customerId: 7 },
    ];
    const last: HistoryEvent = updated(9, 'last@example.net', 'Last', 7);
    const after = async (order: readonly HistoryEvent[]) =>
      (await createHistory(NEW).send(...order, last)).record;
    const expected = await after(events);

    expect(expected).toMatchObject({
      consents: { marketing: { email: { val: 'y' } } },
      identityMap: { capillaryId: [{ id: '7' }], Email: [{ id: 'last@example.net' }] },
      loyalty: { tier: 'Silver', points: 145 },
    });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...events], { minLength: events.length }), async (shuffled) => {
        expect(await after(shuffled)).toEqual(expected);
      }),
      { numRuns: 20, seed: 20_261_130 },
    );
  });

  it('have the values of the newest one that states them', async () => {
    expect(await recordAfter(EVENTS)).toMatchObject({
      consents: { marketing: { email: { val: 'n' }, sms: { val: 'n' } } },
      loyalty: { points: 910, tier: 'Gold', joinDate: new Date(INES.joinedAt ?? 0).toISOString() },
      person: { name: { firstName: 'Last', lastName: 'Okafor' } },
    });
  });
});
