import { describe, expect, it } from 'vitest';
import type { BillEntity } from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { codesOf, contextOf, enrichedFixture, enrichedNames, eventWith, messagesOf } from '../mapping-rig.ts';

const HEAD = { billNumber: 'B-1', transactionId: 880031177, billType: 'REGULAR', amount: 100 };
const LINE = { sku: 'A', name: 'Coffee', quantity: 1, amount: 100 };
const BILL: BillEntity = { transactionId: '880031177', billNumber: 'B-1', amount: 100, lines: [LINE] };

interface Case {
  readonly eventName?: string;
  readonly data?: JsonObject;
  readonly source?: Record<string, unknown>;
  readonly destination?: Record<string, unknown>;
  readonly isCorrection?: boolean;
}

/** Maps an event whose bill is `BILL` with these changes. */
async function mappedWith(bill: Partial<BillEntity>, { eventName, data, ...context }: Case = {}) {
  const entities = { bill: { at: 1_794_000_004_000, calls: [], bill: { ...BILL, ...bill } } };
  const messages = await messagesOf(
    eventWith(eventName ?? 'transactionAdded', { ...HEAD, ...data }),
    contextOf({ ...context, entities }),
  );
  const { eventType, commerce, productListItems, _acme } = messages.event as {
    eventType: string;
    commerce: { order: JsonObject; purchases?: JsonObject; commerceScope?: JsonObject };
    productListItems?: JsonObject[];
    _acme: { capillary: JsonObject & { transaction: JsonObject } };
  };
  const { capillary } = _acme;
  return {
    id: messages.id,
    event: messages.event,
    eventType,
    commerce,
    order: commerce.order,
    items: productListItems,
    capillary,
    codes: codesOf(messages),
  };
}

describe('a bill that the API has', () => {
  it('brings lines, and the number of them', async () => {
    const bill = await mappedWith({});

    expect(bill.items).toEqual([{ SKU: 'A', name: 'Coffee', quantity: 1, priceTotal: 100 }]);
    expect(bill.capillary.transaction['lineItemCount']).toBe(1);
    expect(bill.codes).toEqual([]);
  });

  it('does not replace the lines of the event', async () => {
    const bill = await mappedWith({}, { data: { lineItems: [{ itemCode: 'OWN', qty: 1, amount: 100 }] } });

    expect(bill.items).toEqual([{ SKU: 'OWN', quantity: 1, priceTotal: 100 }]);
  });

  it('does not replace what the event states, which a note says', async () => {
    const bill = await mappedWith(
      { amount: 90, discount: 3, customerId: '7', store: { code: 'S2' }, deliveryStatus: 'DELIVERED' },
      { data: { discount: 1, deliveryStatus: 'PLACED', enteredBy: { store: { code: 'S1' } } } },
    );

    expect(bill.order).toMatchObject({ priceTotal: 100, discountAmount: 1 });
    expect(bill.commerce.commerceScope).toEqual({ storeCode: 'S1' });
    expect(bill.capillary.transaction['deliveryStatus']).toBe('PLACED');
    expect(bill.codes).toEqual([
      'bill-differs data.amount',
      'bill-differs data.customerIdentifiers.customerId',
    ]);
  });

  it('is that of the event if its customer was merged into the one of the bill', async () => {
    const customer = { kind: 'merged', into: '7', at: 1_794_000_004_000, calls: [] } as const;
    const event = eventWith('transactionAdded', HEAD);
    const bill = { at: 1_794_000_004_000, calls: [], bill: { ...BILL, customerId: '7' } };
    const merged = await messagesOf(event, contextOf({ entities: { customer, bill } }));
    const others = await messagesOf(event, contextOf({ entities: { bill } }));

    expect(codesOf(merged)).not.toContain('bill-differs data.customerIdentifiers.customerId');
    expect(codesOf(others)).toContain('bill-differs data.customerIdentifiers.customerId');
  });

  it('has the same amount if only the sign of a return differs', async () => {
    const bill = await mappedWith({ type: 'RETURN' }, { data: { billType: 'RETURN', amount: -100 } });

    expect(bill.codes).toEqual([]);
  });

  it.each<[string, Partial<BillEntity>, JsonObject]>([
    ['another id', { transactionId: '1' }, {}],
    ['another number', { billNumber: 'B-2' }, {}],
    ['another customer and amount, and no number', { customerId: '7', amount: 5 }, { billNumber: '' }],
  ])('is not used if it has %s', async (_name, change, data) => {
    const bill = await mappedWith({ ...change, store: { code: 'S2' } }, { data });

    expect(bill.items).toBeUndefined();
    expect(bill.commerce.commerceScope).toBeUndefined();
    expect(bill.codes).toEqual(['other-bill entities.bill']);
  });

  it('completes an update that is partial', async () => {
    const bill = await mappedWith(
      { currency: 'INR', type: 'REGULAR', store: { code: 'S2', name: 'Harbour' } },
      {
        eventName: 'transactionUpdated',
        data: { billNumber: '', amount: '', billType: '' },
        destination: { schemaFeatures: { placeContext: true } },
      },
    );

    expect(bill.eventType).toBe('loyalty.transactionUpdated');
    expect(bill.order).toEqual({ purchaseID: 'B-1', priceTotal: 100, currencyCode: 'INR' });
    expect(bill.commerce.commerceScope).toEqual({ storeCode: 'S2' });
    expect(bill.capillary['store']).toEqual({ code: 'S2', name: 'Harbour' });
    expect(bill.event['placeContext']).toEqual({
      POIinteraction: { poiDetail: { poiID: 'S2', name: 'Harbour' } },
    });
  });

  it('says whether it counts only if the event does not', async () => {
    const excluded = await mappedWith({ outlierStatus: 'FRAUD', tenders: [{ mode: 'Cash', amount: 100 }] });
    const counted = await mappedWith({ outlierStatus: 'FRAUD' }, { data: { outlierStatus: 'NORMAL' } });
    const unknown = await mappedWith({ outlierStatus: 'QGCSDDX' });

    expect(excluded.eventType).toBe('loyalty.transactionExcluded');
    expect(excluded.order).toEqual({ purchaseID: 'B-1' });
    expect(excluded.items).toBeUndefined();
    expect(excluded.capillary['lineItems']).toEqual([{ sku: 'A', name: 'Coffee', quantity: 1, amount: 100 }]);
    expect(excluded.capillary['tenders']).toEqual([{ mode: 'Cash', amount: 100 }]);
    expect(counted.eventType).toBe('commerce.purchases');
    expect(unknown.codes).toEqual(['unknown-outlier-status entities.bill.outlierStatus']);
  });

  it('shows whether an exchange is a purchase', async () => {
    const returned = { sku: 'B', quantity: 1, amount: 70, isReturned: true };
    const data = { billType: 'MIXED', amount: -20 };
    const exchange = await mappedWith({ amount: -20, lines: [returned, { ...LINE, amount: 50 }] }, { data });
    const back = await mappedWith({ amount: -20, lines: [returned] }, { data });

    expect(exchange.eventType).toBe('commerce.purchases');
    expect(exchange.items).toEqual([
      { SKU: 'B', refundAmount: 70, returnItem: { returnQuantityReceived: 1 } },
      { SKU: 'A', name: 'Coffee', quantity: 1, priceTotal: 50 },
    ]);
    expect(back.eventType).toBe('commerce.backofficeCreditMemoIssued');
  });

  it('has no returned quantity if only money was returned', async () => {
    const bill = await mappedWith({ returnType: 'AMOUNT' }, { data: { billType: 'RETURN' } });

    expect(bill.items).toEqual([{ SKU: 'A', name: 'Coffee', refundAmount: 100 }]);
  });

  it.each(['transactionRejected', 'rejectedTransactionRetrigger'])(
    'is not used for %s',
    async (eventName) => {
      const bill = await mappedWith({ tenders: [{ mode: 'Cash', amount: 100 }] }, { eventName });

      expect(bill.capillary).not.toHaveProperty('tenders');
      expect(bill.capillary).not.toHaveProperty('lineItems');
    },
  );
});

describe('the currency of a bill that the API has', () => {
  const tenders = [{ id: 't', mode: 'cash', amount: 100 }];

  it.each<[string, Partial<BillEntity>, JsonObject, [unknown, unknown, unknown]]>([
    ['only the API has it', { currency: 'GBP' }, {}, ['GBP', 'GBP', 'GBP']],
    ['only the event has it', {}, { currencyCode: 'EUR' }, ['EUR', 'EUR', 'EUR']],
    [
      'each states its amounts',
      { currency: 'GBP', amount: 86 },
      { currencyCode: 'EUR' },
      ['EUR', 'GBP', 'GBP'],
    ],
    [
      'the API states another amount without one',
      { amount: 86 },
      { currencyCode: 'EUR' },
      ['EUR', undefined, undefined],
    ],
    [
      'the amount is of the API',
      { currency: 'GBP' },
      { currencyCode: 'EUR', amount: '' },
      ['GBP', 'GBP', 'GBP'],
    ],
  ])('belongs to its amounts: %s', async (_name, change, data, expected) => {
    const { order, items } = await mappedWith({ ...change, tenders }, { data });
    const payments = order['payments'] as JsonObject[];

    expect([order['currencyCode'], items?.[0]?.['currencyCode'], payments[0]?.['currencyCode']]).toEqual(
      expected,
    );
  });
});

describe('the tenders of a bill', () => {
  it.each([
    ['Cash', 'cash'],
    ['CREDIT CARD', 'credit_card'],
    ['debit_card', 'debit_card'],
    ['Gift-Card', 'gift_card'],
    ['Cheque', 'check'],
    ['PayPal', 'paypal'],
    ['Others', 'other'],
  ])('%s is %s', async (mode, paymentType) => {
    const bill = await mappedWith({ tenders: [{ id: '5', mode, amount: 100 }] });

    expect(bill.order['payments']).toEqual([{ transactionID: '5', paymentAmount: 100, paymentType }]);
    expect(bill.capillary).not.toHaveProperty('tenders');
  });

  it.each(['Card', 'UPI', 'छूट'])('%s has no type in XDM, so its name is below the tenant', async (mode) => {
    const tender = { id: '5', mode, amount: 100 };
    const bill = await mappedWith({ tenders: [tender] });

    expect(bill.order['payments']).toEqual([{ transactionID: '5', paymentAmount: 100 }]);
    expect(bill.capillary['tenders']).toEqual([tender]);
  });

  it('are refunds if the money went back', async () => {
    const cash = { id: '5', mode: 'Cash', amount: 100 };
    const back = await mappedWith({ tenders: [cash] }, { data: { billType: 'RETURN' } });
    const change = await mappedWith({
      tenders: [
        { ...cash, amount: 120 },
        { ...cash, amount: -20 },
      ],
    });

    expect(back.order).not.toHaveProperty('payments');
    expect(back.order['refunds']).toEqual([
      { transactionID: '5', refundAmount: 100, refundPaymentType: 'cash' },
    ]);
    expect(change.order['payments']).toMatchObject([{ paymentAmount: 120 }]);
    expect(change.order['refunds']).toMatchObject([{ refundAmount: 20 }]);
  });
});

describe('fields of a bill and of its lines', () => {
  it('reach the path that the source gives them, the event first', async () => {
    const fields = {
      customFields: { channel: '_acme.channel' },
      extendedFields: { tax_amount: 'commerce.order.taxAmount' },
    };
    const bill = await mappedWith(
      { customFields: { channel: 'kiosk', other: 1 }, extendedFields: { tax_amount: '18.5' } },
      { source: { fields }, data: { customFields: [{ key: 'channel', value: 'till' }] } },
    );

    expect(bill.order['taxAmount']).toBe(18.5);
    expect(bill.event).toHaveProperty('_acme.channel', 'till');
    expect(bill.codes).toEqual([]);
  });

  it('are those of the API if the event has only blank ones', async () => {
    const fields = { customFields: { channel: '_acme.channel' } };
    const bill = await mappedWith(
      { customFields: { channel: 'kiosk' } },
      { source: { fields }, data: { customFields: [{ key: 'channel', value: ' ' }] } },
    );

    expect(bill.event).toHaveProperty('_acme.channel', 'kiosk');
  });

  const fields = {
    customFields: { roast: 'productListItems[].selectedOptions' },
    extendedFields: { unit: 'productListItems[].unitOfMeasureCode', vat: 'productListItems[].vat' },
  };

  it('of a line reach the item, whoever states the line', async () => {
    const own = { attributes: { roast: 'dark' }, extendedFields: { unit: 'BX', vat: 5 } };
    const known = await mappedWith({ lines: [{ ...LINE, ...own }] }, { source: { fields } });
    const stated = await mappedWith(
      {},
      {
        source: { fields },
        data: {
          lineItems: [{ details: { itemCode: 'A', description: 'Coffee', qty: 1, amount: 100, ...own } }],
        },
      },
    );

    expect(known.items).toEqual([
      {
        SKU: 'A',
        name: 'Coffee',
        quantity: 1,
        priceTotal: 100,
        unitOfMeasureCode: 'BX',
        selectedOptions: [{ attribute: 'roast', value: 'dark' }],
      },
    ]);
    expect(stated.items).toEqual(known.items);
    expect(known.codes).toEqual(['unknown-field productListItems[].vat']);
  });

  it('are left out if a line has none', async () => {
    expect((await mappedWith({}, { source: { fields } })).items).toEqual([
      { SKU: 'A', name: 'Coffee', quantity: 1, priceTotal: 100 },
    ]);
  });
});

describe('a correction', () => {
  it.each(['transactionAdded', 'retroBillAdded'])('of %s is an update of its own', async (eventName) => {
    const bill = await mappedWith({}, { eventName, isCorrection: true });
    const first = await mappedWith({}, { eventName });

    expect(bill.id).toBe(`${first.id}-lines`);
    expect(bill.event['_id']).toBe(bill.id);
    expect(bill.eventType).toBe('loyalty.transactionUpdated');
    expect(bill.commerce).not.toHaveProperty('purchases');
    expect(bill.items).toEqual(first.items);
    expect(bill.capillary.transaction['id']).toBe('880031177');
  });

  it('of a return is no second credit memo, and of an excluded bill is excluded', async () => {
    const back = await mappedWith({}, { data: { billType: 'RETURN' }, isCorrection: true });
    const test = await mappedWith({}, { data: { outlierStatus: 'TEST' }, isCorrection: true });

    expect(back.eventType).toBe('loyalty.transactionUpdated');
    expect(back.order).toMatchObject({ refundTotal: 100 });
    expect(test.eventType).toBe('loyalty.transactionExcluded');
  });

  it('stays one, whatever an override makes of the purchase', async () => {
    const event =
      '{ "eventType": "commerce.purchases", "commerce": { "purchases": { "value": 1 }, "promotionID": bill.billNumber } }';
    const source = { overrides: { transactionAdded: { event } } };
    const bill = await mappedWith({}, { source, isCorrection: true });
    const first = await mappedWith({}, { source });

    expect(first.commerce).toMatchObject({ purchases: { value: 1 }, promotionID: 'B-1' });
    expect(bill.eventType).toBe('loyalty.transactionUpdated');
    expect(bill.commerce).not.toHaveProperty('purchases');
    expect(bill.commerce).toMatchObject({ promotionID: 'B-1' });
    expect(bill.codes).toContain('protected-field eventType');
  });
});

describe('an event that was not completed', () => {
  it('has none of these fields', async () => {
    for (const name of enrichedNames.filter((one) => one.startsWith('bill-'))) {
      const { event, context } = enrichedFixture(name);
      const { entities: _, isCorrection: __, ...thin } = context;
      const text = JSON.stringify((await messagesOf(event, thin)).event);

      expect(text).not.toMatch(/productListItems|payments|refunds"|tenders|readDate/);
    }
  });
});
