import { describe, expect, test } from 'vitest';
import { isAskableSku, skusOfOneCall } from '../../../src/capillary/api/reference-reads.ts';
import { NEVER, readsOf } from './reads-rig.ts';

describe('programs', () => {
  test('have names, and one is the default', async () => {
    const { reads } = await readsOf({
      data: [
        { programId: 4_101, programName: 'NorthwindDefault', default: true },
        { programId: '4102', programName: '', default: 'false' },
        { programName: 'without an id' },
      ],
    });
    expect(await reads.programs(NEVER)).toMatchObject({
      ok: true,
      call: { call: 'GET /v2/organization/programs' },
      value: [
        { programId: '4101', name: 'NorthwindDefault', isDefault: true },
        { programId: '4102', name: undefined, isDefault: false },
      ],
    });
  });

  test('without a list the answer is none', async () => {
    const { reads } = await readsOf({ data: null });
    expect(await reads.programs(NEVER)).toMatchObject({ ok: false, error: { kind: 'foreign' } });
  });
});

describe('the base currency', () => {
  const withLabel = (label: unknown) => ({
    response: {
      status: { success: 'true', code: 200 },
      organization: { id: '7', currency: 'Pound', currencies: { base_currency: { symbol: '£', label } } },
    },
  });

  test('is an ISO code, or not said', async () => {
    const { reads, calls } = await readsOf(withLabel('GBP'));
    expect(await reads.baseCurrency(NEVER)).toMatchObject({ ok: true, value: 'GBP' });
    expect(calls()[0]?.url).toBe('/v1.1/organization/get?format=json');
    for (const label of ['£', null, 'Pounds'])
      expect(await (await readsOf(withLabel(label))).reads.baseCurrency(NEVER)).toHaveProperty(
        'value',
        undefined,
      );
  });
});

describe('names of products', () => {
  test('are those of the catalogue, asked for in one call', async () => {
    const { reads, calls } = await readsOf({
      data: [{ sku: 'SKU-9', name: 'Trail socks' }, { sku: 'SKU-8', name: '' }, { name: 'nothing' }],
    });
    const answer = await reads.productNames(['SKU-9', 'SKU-8'], NEVER);
    expect(answer).toMatchObject({ ok: true, value: new Map([['SKU-9', 'Trail socks']]) });
    expect(calls()[0]?.url).toBe('/v2/product/skus?entityCodes=SKU-9%2CSKU-8&limit=100');
  });

  test('a call asks for no more than it can', () => {
    const many = Array.from({ length: 150 }, (_, index) => `S${index}`);
    expect(skusOfOneCall(many)).toEqual(many.slice(0, 100));
    const long = skusOfOneCall(many.map((sku) => `${'é'.repeat(50)}${sku}`));
    expect(long.length).toBeGreaterThan(10);
    expect(encodeURIComponent(long.join(',')).length).toBeLessThan(6_000);
    expect(skusOfOneCall([])).toEqual([]);
  });

  test('an SKU that the list of a call cannot have is not asked for', () => {
    const skus = ['SKU-9', 'A,B', ' ', 'x'.repeat(501)];
    expect(skus.filter(isAskableSku)).toEqual(['SKU-9']);
  });

  test('a refusal is a failure that names the right', async () => {
    const { reads } = await readsOf({ errors: [{ code: 4_000, message: 'no access' }] }, { status: 403 });
    expect(await reads.productNames(['SKU-9'], NEVER)).toMatchObject({
      ok: false,
      error: { kind: 'forbidden', missing: 'Read on Product' },
    });
  });
});
