import { describe, expect, it } from 'vitest';
import { contextOf, eventWith, fixtureEvent, messagesOf } from '../mapping-rig.ts';

describe('a bill that is not an ordinary purchase', () => {
  it.each([
    'transactionRejected',
    'rejectedTransactionRetrigger',
    'notInterestedBillAdded',
    'retroBillAdded',
  ])('%s is not counted', async (name) => {
    const { event } = await messagesOf(fixtureEvent(name));

    expect(event['eventType']).toBe(`loyalty.${name}`);
    expect(event).toHaveProperty('commerce.order.purchaseID');
    expect(event).not.toHaveProperty('commerce.purchases');
  });

  it('is a refund if its type is RETURN', async () => {
    const { event } = await messagesOf(eventWith('retroBillAdded', { billType: 'RETURN', amount: -80 }));

    expect(event['commerce']).toEqual({ order: { refundTotal: 80 } });
  });

  it('of the past becomes a purchase of its own date by the override in docs/mapping.md', async () => {
    const overrides = {
      retroBillAdded: {
        event: '{"eventType": "commerce.purchases", "commerce": {"purchases": {"value": 1}}}',
      },
    };
    const { event } = await messagesOf(fixtureEvent('retroBillAdded'), contextOf({ source: { overrides } }));

    expect(event).toMatchObject({
      eventType: 'commerce.purchases',
      timestamp: '2026-10-05T11:33:20.000Z',
      commerce: { purchases: { value: 1 }, order: { priceTotal: 1180.5 } },
    });
  });
});
