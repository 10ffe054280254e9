import { describe, expect, test } from 'vitest';
import { aBill, aCustomer, aPurchase, refused, startEnricher } from './enrich-rig.ts';

const HOUR_MS = 3_600_000;

type Rig = ReturnType<typeof startEnricher>;

async function purchase({ watch, clock }: Rig, customerId: string) {
  const event = watch(aPurchase(customerId));
  await clock.advance(5_000);
  return event.result;
}

function countOf({ calls }: Rig, endpoint: string): number {
  return calls.filter((call) => call.endpoint === endpoint).length;
}

describe('programs and currency', () => {
  test('are read once in hours', async () => {
    const rig = startEnricher();
    for (let id = 1; id <= 20; id += 1) await purchase(rig, String(id));
    expect([countOf(rig, 'programs'), countOf(rig, 'baseCurrency')]).toEqual([1, 1]);
  });

  test('are used while newer ones are read in the background', async () => {
    const rig = startEnricher();
    await purchase(rig, '1');
    await rig.clock.advance(7 * HOUR_MS);
    rig.api.programs = () => [{ programId: '1', name: 'Northwind Plus', isDefault: true }];
    const nameOf = (result: Awaited<ReturnType<typeof purchase>>) => {
      const { customer } = result?.entities ?? {};
      return customer?.kind === 'found' ? customer.customer.programs[0]?.name : undefined;
    };
    expect(nameOf(await purchase(rig, '2'))).toMatch(/^Northwind/);
    expect(nameOf(await purchase(rig, '3'))).toBe('Northwind Plus');
    expect(countOf(rig, 'programs')).toBe(2);
  });

  test('keep nobody waiting if they cannot be read', async () => {
    const rig = startEnricher();
    rig.api.programs = () => refused('forbidden', { missing: 'Read on Organization' });
    rig.api.baseCurrency = () => refused('forbidden', { missing: 'Read on Organization' });
    const result = await purchase(rig, '1');
    expect(result?.missing).toBeUndefined();
    expect(result?.entities.bill?.bill.currency).toBeUndefined();
    await purchase(rig, '2');
    expect([countOf(rig, 'programs'), countOf(rig, 'baseCurrency')]).toEqual([1, 1]);
    expect(rig.access).toEqual([
      ['programs', 'Read on Organization'],
      ['currency', 'Read on Organization'],
    ]);
  });

  test('do not replace what an answer says itself', async () => {
    const rig = startEnricher();
    rig.api.customer = (id) => ({
      kind: 'found',
      customer: aCustomer(id, { programs: [{ programId: '1', name: 'Own' }, { programId: '2' }] }),
    });
    rig.api.bill = (id) => aBill(id, { currency: 'EUR' });
    const result = await purchase(rig, '1');
    expect(result?.entities.customer).toMatchObject({
      customer: { programs: [{ name: 'Own', isDefault: true }, { programId: '2' }] },
    });
    expect(result?.entities.bill?.bill.currency).toBe('EUR');
    expect(countOf(rig, 'baseCurrency')).toBe(0);
  });
});

describe('names of products', () => {
  test('are read once, those that the catalogue does not have too', async () => {
    const rig = startEnricher();
    rig.api.bill = (id) =>
      aBill(id, { lines: [{ sku: 'SKU-1' }, { sku: 'NONE' }, { sku: 'T', name: 'Till' }] });
    for (let id = 1; id <= 5; id += 1) {
      const result = await purchase(rig, String(id));
      expect(result?.entities.bill?.bill.lines).toEqual([
        { sku: 'SKU-1', name: 'Trail socks' },
        { sku: 'NONE' },
        { sku: 'T', name: 'Till' },
      ]);
    }
    expect(rig.calls.filter(({ endpoint }) => endpoint === 'productNames')).toMatchObject([
      { id: 'SKU-1,NONE' },
    ]);
  });

  test('that were unknown are asked for again after an hour', async () => {
    const rig = startEnricher();
    rig.api.productNames = () => new Map();
    await purchase(rig, '1');
    await rig.clock.advance(HOUR_MS + 1_000);
    rig.api.productNames = () => new Map([['SKU-1', 'Trail socks']]);
    expect((await purchase(rig, '2'))?.entities.bill?.bill.lines[0]?.name).toBe('Trail socks');
  });

  test('of many bills are read with one call, at most 100', async () => {
    const rig = startEnricher({ callsPerMinute: 6_000 });
    rig.api.bill = (id) =>
      aBill(id, { lines: Array.from({ length: 12 }, (_, line) => ({ sku: `${id}-${line}` })) });
    rig.api.productNames = (skus) => new Map(skus.split(',').map((sku) => [sku, `Product ${sku}`]));
    const events = Array.from({ length: 20 }, (_, id) => rig.watch(aPurchase(String(id))));
    await rig.clock.advance(8_000);
    for (const { result } of events)
      for (const line of result?.entities.bill?.bill.lines ?? [])
        expect(line.name).toBe(`Product ${line.sku}`);
    const sizes = rig.calls
      .filter(({ endpoint }) => endpoint === 'productNames')
      .map(({ id }) => id.split(',').length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(240);
    expect(sizes.length).toBeLessThanOrEqual(12);
  });

  test('that did not fit into a call are asked for in the next one', async () => {
    const rig = startEnricher({ callsPerMinute: 6_000 });
    const lines = Array.from({ length: 60 }, (_, line) => ({ sku: `${'é'.repeat(40)}${line}` }));
    rig.api.bill = (id) => aBill(id, { lines: [...lines, { sku: 'A,B' }] });
    rig.api.productNames = (skus) => new Map(skus.split(',').map((sku) => [sku, `Product ${sku}`]));
    const result = await purchase(rig, '1');
    expect(result?.entities.bill?.bill.lines).toEqual([
      ...lines.map(({ sku }) => ({ sku, name: `Product ${sku}` })),
      { sku: 'A,B' },
    ]);
    expect(rig.calls.filter(({ endpoint }) => endpoint === 'productNames').length).toBeGreaterThan(1);
  });

  test('keep no bill waiting while calls are scarce or the catalogue fails', async () => {
    const rig = startEnricher();
    rig.api.productNames = () => refused('unavailable');
    const failing = await purchase(rig, '1');
    expect(failing?.missing).toBeUndefined();
    await rig.clock.advance(60_000);
    rig.api.latency = 4_000;
    const slow = rig.watch(aPurchase('2'));
    await rig.clock.advance(3_000 + 4_000 + 3_100);
    expect(slow.result).toMatchObject({ entities: { bill: { bill: { transactionId: '92' } } } });
  });
});
