import { describe, expect, test } from 'vitest';
import { billReadType } from '../../../src/capillary/api/bill-reads.ts';
import type { BillEntity } from '../../../src/capillary/entities.ts';
import { aBill, CUSTOMER_ID, NEVER, readsOf } from './reads-rig.ts';

const BILL_ID = '3300500171';

async function answerOf(body: unknown, options: Parameters<typeof readsOf>[1] = {}) {
  const { reads, calls } = await readsOf(body, options);
  return { answer: await reads.bill(BILL_ID, 'RETURN', NEVER), url: calls()[0]?.url };
}

async function read(
  changes: Record<string, unknown>,
  options: Parameters<typeof readsOf>[1] = {},
): Promise<BillEntity> {
  const { answer } = await answerOf(aBill(changes), options);
  if (!answer.ok) throw new Error(answer.error.text);
  return answer.value;
}

function line(details: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return { id: 1, details: { itemCode: 'SKU-9', qty: 1, amount: 5, ...details }, ...more };
}

describe('a bill', () => {
  test('is one call, with lines, tenders and points', async () => {
    expect(await answerOf(aBill(), { headers: { 'X-CAP-REQUEST-ID': 'r-2' } })).toEqual({
      url: `/v2/transactions/${BILL_ID}?type=RETURN&tenders=true&mlp=true&points_breakup=true`,
      answer: {
        ok: true,
        at: 0,
        call: { call: 'GET /v2/transactions/{id}', requestId: 'r-2', status: 200 },
        value: {
          transactionId: BILL_ID,
          customerId: CUSTOMER_ID,
          billNumber: 'NW-317',
          type: 'REGULAR',
          outlierStatus: 'NORMAL',
          deliveryStatus: 'DELIVERED',
          billedAt: Date.UTC(2026, 9, 1, 9, 14),
          amount: 64.5,
          grossAmount: 70,
          discount: 5.5,
          store: { id: '8200', code: 'nw.leeds.01', name: 'Northwind Leeds' },
          // Of the amounts, not of what was paid.
          currency: 'GBP',
          lines: [
            {
              sku: 'SKU-9',
              name: 'Trail socks',
              quantity: 2,
              rate: 15,
              value: 30,
              discount: 2.5,
              amount: 27.5,
              attributes: { POINTS_ELIGIBILITY: 'Yes' },
              extendedFields: { size: 'medium' },
            },
          ],
          tenders: [{ id: '5500100', mode: 'Card', amount: 64.5 }],
          points: [{ programId: '4101', issued: 18, returned: 0, redeemed: 0, promised: 0 }],
          customFields: { origin: 'instore' },
          extendedFields: { tax_amount: '5.10' },
        },
      },
    });
  });

  test('has no currency unless the one of its amounts is said', async () => {
    expect((await read({ currencyLogDto: undefined })).currency).toBeUndefined();
    const log = {
      baseCurrency: { name: 'Pound sterling', symbol: '£' },
      transactionCurrency: { isoCode: 'EUR' },
    };
    expect((await read({ currencyLogDto: log })).currency).toBeUndefined();
    expect((await read({ currencyLogDto: { baseCurrency: { isoCode: '£' } } })).currency).toBeUndefined();
  });

  test('values that the till has not sent are absent; a name can be', async () => {
    const { lines } = await read({
      lineItems: [
        line({ value: 0.0, rate: 0, description: '' }),
        line({ amount: 0, value: 0, rate: 0 }),
        line({ attributes: {}, extendedFields: { note: '***' } }),
      ],
    });
    expect(lines[0]).toEqual({ sku: 'SKU-9', quantity: 1, amount: 5 });
    expect(lines[1]).toMatchObject({ amount: 0, value: 0, rate: 0 });
    expect(lines[2]).not.toHaveProperty('extendedFields.note');
  });

  test('amounts of a return have no sign, whichever the API gives them', async () => {
    for (const sign of [1, -1]) {
      const bill = await read({
        type: 'RETURN',
        returnType: 'LINE_ITEM',
        billDetails: { amount: 12 * sign, grossAmount: 14 * sign, discount: 2 * sign },
        lineItems: [line({ qty: 2 * sign, amount: 12 * sign, discount: 2 * sign })],
        paymentModes: [{ mode: 'Cash', amount: 12 * sign }],
      });
      expect(bill).toMatchObject({
        type: 'RETURN',
        returnType: 'LINE_ITEM',
        amount: 12,
        grossAmount: 14,
        discount: 2,
        lines: [{ quantity: 2, amount: 12, discount: 2, isReturned: true }],
        tenders: [{ mode: 'Cash', amount: 12 }],
      });
    }
  });

  test('of an exchange, the lines say which are returned', async () => {
    const { amount, lines } = await read({
      type: 'MIXED',
      billDetails: { amount: -7 },
      lineItems: [
        line({}, { type: 'REGULAR' }),
        line({}, { type: 'RETURN' }),
        line({ amount: -12, qty: -1 }),
        line({}, { niReturn: true }),
      ],
    });
    expect(amount).toBe(-7);
    expect(lines.map(({ isReturned = false, amount: of }) => [isReturned, of])).toEqual([
      [false, 5],
      [true, 5],
      [true, 12],
      [true, 5],
    ]);
  });

  test('is read although fields have other types, or are missing', async () => {
    const bill = await read({
      customerId: 0,
      type: 7,
      billDetails: { billNumber: 317, billingTime: '2025-09-18 22:07:01', amount: '64.50', billingStore: {} },
      lineItems: [null, { details: null }, line({ qty: '2.5', amount: '1e1' })],
      paymentModes: { mode: 'Card', amount: '64.5' },
      loyaltiesPointDetails: [{ issuedPoints: 1 }],
      customFields: [],
      extendedFields: null,
    });
    expect(bill).toMatchObject({ billNumber: '317', amount: 64.5, type: '7' });
    expect(bill.lines[1]).toMatchObject({ sku: 'SKU-9', quantity: 2.5, amount: 10 });
    expect(bill).toMatchObject({ tenders: [{ mode: 'Card', amount: 64.5 }], points: [] });
    for (const key of ['customerId', 'store', 'customFields', 'extendedFields'] as const)
      expect(bill[key]).toBeUndefined();
  });

  test('a time without a zone is in that of the cluster', async () => {
    const billDetails = { billingTime: '2025-09-18 22:07:01', billingTimeInputOffset: '+01:00' };
    expect((await read({ billDetails }, { serverZone: '+05:30' })).billedAt).toBe(
      Date.UTC(2025, 8, 18, 16, 37, 1),
    );
  });

  test.each([
    ['unknown', { errors: [{ code: 603, message: 'Invalid transaction id' }] }, 'transaction-unknown'],
    ['another one', aBill({ id: 5 }), 'foreign'],
    ['no bill', { warnings: [] }, 'foreign'],
    ['a list', [aBill()], 'foreign'],
  ])('%s is a failure', async (_, body, kind) => {
    expect(await answerOf(body)).toMatchObject({ answer: { ok: false, error: { kind } } });
  });

  test('one that is being written is busy, and is tried once', async () => {
    const { reads, calls, waits } = await readsOf({}, { status: 521 });
    expect(await reads.bill(BILL_ID, 'REGULAR', NEVER)).toMatchObject({
      error: { kind: 'busy', status: 521 },
    });
    expect(calls()).toHaveLength(1);
    expect(waits).toEqual([]);
  });
});

test.each([
  ['RETURN', 'RETURN'],
  ['return ', 'RETURN'],
  ['MIXED', 'REGULAR'],
  ['NI_MIXED', 'NOT_INTERESTED'],
  ['NOT_INTERESTED_RETURN', 'NOT_INTERESTED_RETURN'],
  ['SOMETHING', 'REGULAR'],
  [undefined, 'REGULAR'],
])('a bill of type %s is read as %s', (billType, type) => {
  expect(billReadType(billType)).toBe(type);
});
