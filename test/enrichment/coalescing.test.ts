import { describe, expect, test } from 'vitest';
import { anEvent, aPurchase, startEnricher } from './enrich-rig.ts';

describe('an event', () => {
  test('waits for the others of its purchase, and then has the customer and the bill', async () => {
    const { watch, clock, asked, calls } = startEnricher();
    const purchase = watch(aPurchase('7'));
    await clock.advance(2_900);
    expect(asked()).toEqual([]);
    await clock.advance(2_000);
    expect(asked().toSorted()).toEqual(['bill 97', 'customer 7']);
    expect(calls.find(({ endpoint }) => endpoint === 'bill')?.at).toBe(3_000);
    expect(purchase.result).toMatchObject({
      entities: {
        customer: {
          kind: 'found',
          calls: [{ call: 'GET customer', status: 200 }],
          customer: {
            customerId: '7',
            programs: [{ programId: '1', name: 'Northwind Club', isDefault: true, points: 10 }],
          },
        },
        bill: {
          bill: { transactionId: '97', currency: 'GBP', lines: [{ sku: 'SKU-1', name: 'Trail socks' }] },
        },
      },
    });
    expect(purchase.result?.missing).toBeUndefined();
  });

  test('that wants nothing is not touched', () => {
    const { request, calls } = startEnricher();
    expect(request(anEvent('promotionCreated'))).toBeUndefined();
    expect(calls).toEqual([]);
  });
});
