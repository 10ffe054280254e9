import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, fixtureEvent, messagesOf } from '../mapping-rig.ts';

const BILL = {
  billNumber: 'B-1',
  transactionId: 880031177,
  billType: 'REGULAR',
  amount: 100,
  currencyCode: 'INR',
  enteredBy: { store: { code: 'S1' } },
};

const BOUGHT = { type: 'REGULAR', itemCode: 'A', qty: 1, amount: 50 };
const RETURNED = { type: 'RETURN', itemCode: 'B', qty: 1, amount: 70 };

async function mapped(eventName: string, data: JsonObject, source: Record<string, unknown> = {}) {
  const messages = await messagesOf(eventWith(eventName, { ...BILL, ...data }), contextOf({ source }));
  const { eventType, commerce } = messages.event as { eventType: string; commerce: JsonObject };
  const { capillary } = messages.event['_acme'] as { capillary: { transaction: JsonObject } };
  const { order, ...measures } = commerce as { order: JsonObject; purchases?: JsonObject };
  return { ...messages, eventType, order, measures, ...capillary, codes: codesOf(messages) };
}

describe('the outlier status of a bill', () => {
  it.each(['FRAUD', 'INTERNAL', 'OUTLIER', 'TEST', 'DELETED', 'INVALID', 'FAILED', 'fraud'])(
    '%s is excluded, and its amounts are below the tenant only',
    async (outlierStatus) => {
      const bill = await mapped('transactionAdded', {
        outlierStatus,
        discount: 5,
        grossAmount: 105,
        lineItems: [BOUGHT],
      });

      expect(bill.eventType).toBe('loyalty.transactionExcluded');
      expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR' });
      expect(bill.measures).toEqual({ commerceScope: { storeCode: 'S1' } });
      expect(bill.transaction).toEqual({
        id: '880031177',
        type: 'REGULAR',
        outlierStatus,
        amount: 100,
        discount: 5,
        grossAmount: 105,
      });
      expect(bill.event).not.toHaveProperty('productListItems');
      expect(bill).toHaveProperty('lineItems', [{ sku: 'A', type: 'REGULAR', quantity: 1, amount: 50 }]);
      expect(bill.codes).toEqual([]);
    },
  );

  it.each(['RETURN', 'MIXED', 'NOT_INTERESTED_RETURN'])('excludes a %s bill too', async (billType) => {
    const bill = await mapped('transactionAdded', { billType, outlierStatus: 'TEST' });

    expect(bill.eventType).toBe('loyalty.transactionExcluded');
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR' });
    expect(bill.transaction['amount']).toBe(100);
  });

  it.each(['transactionUpdated', 'notInterestedBillAdded', 'retroBillAdded'])(
    'excludes a bill of %s',
    async (eventName) => {
      const bill = await mapped(eventName, { outlierStatus: 'DELETED' });

      expect(bill.eventType).toBe('loyalty.transactionExcluded');
      expect(bill.order).not.toHaveProperty('priceTotal');
      expect(bill.measures).not.toHaveProperty('purchases');
      expect(bill.transaction).toMatchObject({ id: '880031177', outlierStatus: 'DELETED', amount: 100 });
      expect(bill).toHaveProperty('event.name', eventName);
    },
  );

  it.each([undefined, '', ' ', 'NORMAL', 'normal', 'RETRO'])('%s counts', async (outlierStatus) => {
    const bill = await mapped('transactionAdded', outlierStatus === undefined ? {} : { outlierStatus });

    expect(bill.eventType).toBe('commerce.purchases');
    expect(bill.measures['purchases']).toEqual({ value: 1 });
    expect(bill.order['priceTotal']).toBe(100);
    expect(bill.transaction).not.toHaveProperty('amount');
    expect(bill.transaction['retro']).toBe(outlierStatus === 'RETRO' ? true : undefined);
  });

  it('that is unknown is excluded with a note', async () => {
    const bill = await mapped('transactionAdded', { outlierStatus: 'QGCSDDX' });

    expect(bill.eventType).toBe('loyalty.transactionExcluded');
    expect(bill.codes).toEqual(['unknown-outlier-status data.outlierStatus']);
  });

  it('counts as the source is configured', async () => {
    const bills = { count: [' internal', 'Club'] };
    const typeOf = async (outlierStatus: string) =>
      (await mapped('transactionAdded', { outlierStatus }, { bills })).eventType;

    expect(await typeOf('INTERNAL')).toBe('commerce.purchases');
    expect(await typeOf('CLUB')).toBe('commerce.purchases');
    expect(await typeOf('NORMAL')).toBe('loyalty.transactionExcluded');
    expect((await mapped('transactionAdded', { outlierStatus: 'RETRO' }, { bills })).codes).toEqual([]);
  });
});

describe('the type of a bill', () => {
  it.each(['RETURN', 'return', 'NOT_INTERESTED_RETURN', 'NI_MIXED'])('%s is a return', async (billType) => {
    const bill = await mapped('transactionAdded', { billType, amount: -80 });

    expect(bill.eventType).toBe('commerce.backofficeCreditMemoIssued');
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR', refundTotal: 80 });
    expect(bill.measures).not.toHaveProperty('purchases');
  });

  it.each(['RETURN', 'NOT_INTERESTED_RETURN', 'NI_MIXED'])(
    '%s is a return in each event of a bill',
    async (billType) => {
      for (const eventName of ['transactionUpdated', 'notInterestedBillAdded', 'retroBillAdded']) {
        const bill = await mapped(eventName, { billType, amount: 80 });
        expect(bill.order).toMatchObject({ refundTotal: 80 });
        expect(bill.order).not.toHaveProperty('priceTotal');
        expect(bill.measures).not.toHaveProperty('purchases');
      }
    },
  );

  it('REGULAR is a purchase even for nothing', async () => {
    const bill = await mapped('transactionAdded', { amount: 0 });

    expect(bill.order['priceTotal']).toBe(0);
    expect(bill.measures['purchases']).toEqual({ value: 1 });
  });

  it.each(['MIXED', 'REGULAR', 'ONLINE'])('%s with a negative amount is a refund', async (billType) => {
    const bill = await mapped('transactionAdded', { billType, amount: -20 });

    expect(bill.eventType).toBe('commerce.backofficeCreditMemoIssued');
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR', refundTotal: 20 });
    expect(bill.measures).not.toHaveProperty('purchases');
  });

  it('MIXED is a purchase if a line was bought', async () => {
    const bill = await mapped('transactionAdded', {
      billType: 'MIXED',
      amount: -20,
      lineItems: [RETURNED, BOUGHT],
    });

    expect(bill.eventType).toBe('commerce.purchases');
    expect(bill.measures['purchases']).toEqual({ value: 1 });
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR', refundTotal: 20 });
  });

  it('MIXED is none if all lines were returned', async () => {
    const bill = await mapped('transactionAdded', {
      billType: 'MIXED',
      amount: 70,
      lineItems: [RETURNED],
    });

    expect(bill.eventType).toBe('commerce.backofficeCreditMemoIssued');
    expect(bill.measures).not.toHaveProperty('purchases');
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR' });
    expect(bill.transaction['amount']).toBe(70);
    expect(bill.codes).toEqual(['unclear-amount data.amount']);
  });

  it('MIXED without lines is a purchase if there was something to pay', async () => {
    const paid = await mapped('transactionAdded', { billType: 'MIXED', amount: 30 });
    const even = await mapped('transactionAdded', { billType: 'MIXED', amount: 0 });

    expect(paid.order['priceTotal']).toBe(30);
    expect(paid.measures['purchases']).toEqual({ value: 1 });
    expect(even.measures).not.toHaveProperty('purchases');
    expect(even.codes).toEqual([]);
  });
});

describe('the ids of a bill', () => {
  it('are the bill number for the order, and the transaction id below the tenant', async () => {
    const bill = await mapped('transactionAdded', { billClientId: 'POS-1' });

    expect(bill.order).toEqual({ purchaseID: 'B-1', priceTotal: 100, currencyCode: 'INR' });
    expect(bill.transaction).toEqual({ id: '880031177', clientId: 'POS-1', type: 'REGULAR' });
  });

  it('of a rejected bill come from the triggering activity', async () => {
    const { event } = await messagesOf(fixtureEvent('transactionRejected'));

    expect(event).toMatchObject({
      _acme: {
        capillary: {
          transaction: { id: '990217780' },
          activity: {
            name: 'TransactionAdd',
            identifiers: [{ key: 'transactionId', value: '990217780' }],
            attributes: [{ key: 'Channel', value: 'POS' }],
          },
        },
      },
    });
  });
});

describe('retroBillAdded', () => {
  it('is a purchase at the time of the bill, marked as retro', async () => {
    const { event } = await messagesOf(fixtureEvent('retroBillAdded'));

    expect(event).toMatchObject({
      eventType: 'commerce.purchases',
      timestamp: '2026-10-05T11:33:20.000Z',
      commerce: { purchases: { value: 1 }, order: { priceTotal: 1180.5 } },
      _acme: {
        capillary: {
          event: { name: 'retroBillAdded' },
          transaction: { id: '990217640', retro: true, date: '2026-10-05T11:33:20.000Z' },
          retroBill: { attachedDate: '2026-11-06T21:22:10.000Z' },
        },
      },
    });
  });

  it('is a refund if its type is RETURN', async () => {
    const bill = await mapped('retroBillAdded', { billType: 'RETURN', amount: -80 });

    expect(bill.eventType).toBe('commerce.backofficeCreditMemoIssued');
    expect(bill.order['refundTotal']).toBe(80);
    expect(bill.measures).not.toHaveProperty('purchases');
  });
});

describe('a bill that is no purchase', () => {
  it.each(['transactionUpdated', 'notInterestedBillAdded'])('%s has a price only', async (name) => {
    const bill = await mapped(name, {});

    expect(bill.eventType).toBe(`loyalty.${name}`);
    expect(bill.order['priceTotal']).toBe(100);
    expect(bill.measures).not.toHaveProperty('purchases');
  });

  it.each(['transactionRejected', 'rejectedTransactionRetrigger'])('%s has no price', async (name) => {
    const bill = await mapped(name, {});

    expect(bill.eventType).toBe(`loyalty.${name}`);
    expect(bill.order).toEqual({ purchaseID: 'B-1', currencyCode: 'INR' });
    expect(bill.measures).not.toHaveProperty('purchases');
    expect(bill.transaction['amount']).toBe(100);
    expect(bill.codes).toEqual([]);
  });
});

describe('a bill as Capillary documents it', () => {
  it.each([
    'bill-excluded',
    'bill-exchange',
    'bill-connector-lines',
    'bill-not-interested-return',
    'transactionRejected',
    'rejectedTransactionRetrigger',
    'retroBillAdded',
  ])('has no unread field but the gross value of a line: %s', async (name) => {
    const { unread } = await messagesOf(fixtureEvent(name));
    const fields = [...(unread?.fields.keys() ?? [])];

    expect(fields.filter((path) => !/lineItems(V2)?\[\]\.value$/.test(path))).toEqual([]);
  });
});
