import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { codesOf, eventWith, messagesOf } from '../mapping-rig.ts';

const LINE = { itemCode: 'A', description: 'Coffee', qty: 2, amount: 230, discount: 10 };

async function linesOf(data: JsonObject) {
  const messages = await messagesOf(
    eventWith('transactionAdded', { billType: 'REGULAR', amount: 10, ...data }),
  );
  const { capillary } = messages.event['_acme'] as { capillary: JsonObject };
  const items = messages.event['productListItems'] as JsonObject[] | undefined;
  return { items, more: capillary['lineItems'], codes: codesOf(messages) };
}

describe('the lines of a bill', () => {
  it.each(['lineItems', 'lineItemsV2', 'productLineItems', 'productListItems'])(
    'are read from %s',
    async (list) => {
      const lines = await linesOf({ currencyCode: 'INR', [list]: [LINE] });

      expect(lines).toEqual({
        items: [
          {
            SKU: 'A',
            name: 'Coffee',
            quantity: 2,
            priceTotal: 230,
            discountAmount: 10,
            currencyCode: 'INR',
          },
        ],
        more: undefined,
        codes: [],
      });
    },
  );

  it('are read with the field names of the connector', async () => {
    const line = { SKU: 'A', quantity: 2, priceTotal: 230.25, name: 'Coffee', discountAmount: 10 };

    for (const list of ['productLineItems', 'productListItems', 'lineItems']) {
      expect((await linesOf({ [list]: [line] })).items).toEqual([line]);
    }
  });

  it("are read with the nested details of Capillary's API", async () => {
    const line = { id: 7, niReturn: false, details: { itemCode: 'A', qty: 2.0, value: 0, amount: 27.5 } };

    expect((await linesOf({ lineItems: [line] })).items).toEqual([
      { SKU: 'A', quantity: 2, priceTotal: 27.5 },
    ]);
  });

  it('that cannot be in XDM in full are below the tenant too', async () => {
    const lines = await linesOf({
      lineItems: [
        { itemCode: 'W', qty: '1.25', amount: 80 },
        { description: 'Bag', qty: 1, amount: 5 },
        LINE,
      ],
    });

    expect(lines.items?.map(({ SKU, quantity }) => [SKU, quantity])).toEqual([
      ['W', undefined],
      ['A', 2],
    ]);
    expect(lines.more).toEqual([
      { sku: 'W', quantity: 1.25, amount: 80 },
      { name: 'Bag', quantity: 1, amount: 5 },
    ]);
    expect(lines.codes).toEqual([
      'not-an-integer data.lineItems[0].qty',
      'missing-required data.lineItems[1].itemCode',
    ]);
  });
});

describe('the lines of an excluded bill', () => {
  it('are left out first if the record would be too large', async () => {
    const lineItems = Array.from({ length: 200 }, (_, at) => ({ ...LINE, itemCode: `SKU-${at}` }));
    const messages = await messagesOf(
      eventWith('transactionAdded', { amount: 10, lineItems, outlierStatus: 'TEST', billNumber: 'B-1' }),
    );

    expect(messages.event).not.toHaveProperty('_acme.capillary.lineItems');
    expect(messages.event).toHaveProperty('_acme.capillary.transaction.amount', 10);
    expect(codesOf(messages)).toEqual(['shrunk _acme.capillary.lineItems']);
  });
});

describe('a returned line', () => {
  it('of a RETURN bill has a refund and no bought quantity', async () => {
    const lines = await linesOf({ billType: 'RETURN', amount: 230, lineItems: [LINE] });

    expect(lines.items).toEqual([
      { SKU: 'A', name: 'Coffee', refundAmount: 230, returnItem: { returnQuantityReceived: 2 } },
    ]);
  });

  it.each([
    ['type RETURN', { type: 'RETURN' }],
    ['type return', { type: 'return' }],
    ['type NOT_INTERESTED_RETURN', { type: 'NOT_INTERESTED_RETURN' }],
    ['niReturn', { niReturn: true }],
    ['a negative amount', { amount: -230 }],
    ['a negative quantity', { qty: -2 }],
  ])('of an exchange is told by %s', async (_name, mark) => {
    const bought = { itemCode: 'B', qty: 1, amount: 10, type: 'REGULAR' };
    const { discount: _, ...line } = LINE;
    const lines = await linesOf({
      billType: 'MIXED',
      amount: -220,
      lineItems: [{ ...line, ...mark }, bought],
    });

    expect(lines.items).toEqual([
      { SKU: 'A', name: 'Coffee', refundAmount: 230, returnItem: { returnQuantityReceived: 2 } },
      { SKU: 'B', quantity: 1, priceTotal: 10 },
    ]);
    expect(lines.more).toBeUndefined();
  });

  it.each<JsonObject>([{ returnType: 'AMOUNT' }, { lineItems: [{ ...LINE, returnType: 'amount' }] }])(
    'for which only money was returned has no returned quantity',
    async (data) => {
      const lines = await linesOf({ billType: 'RETURN', lineItems: [LINE], ...data });

      expect(lines.items).toEqual([{ SKU: 'A', name: 'Coffee', refundAmount: 230 }]);
      expect(lines.more).toEqual([{ sku: 'A', name: 'Coffee', quantity: 2, amount: 230, discount: 10 }]);
    },
  );
});
