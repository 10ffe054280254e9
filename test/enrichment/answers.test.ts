import { describe, expect, test } from 'vitest';
import { aBill, aCustomer, anEvent, aPurchase, refused, startEnricher } from './enrich-rig.ts';

describe('a merged customer', () => {
  test('is the survivor, whom another call names', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.customer = (id) => (id === '7' ? { kind: 'merged' } : { kind: 'found', customer: aCustomer(id) });
    api.survivor = () => '8';
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(asked()).toEqual(['customer 7', 'survivor 7', 'customer 8']);
    expect(event.result?.missing).toBeUndefined();
    expect(event.result?.entities.customer).toMatchObject({
      kind: 'merged',
      into: '8',
      customer: { customerId: '8', programs: [{ name: 'Northwind Club' }] },
      calls: [{ call: 'GET customer' }, { call: 'GET survivor' }, { call: 'GET customer' }],
    });
    // Both answers are true at the time of the first.
    expect(event.result?.entities.customer?.at).toBe(clock.now() - 5_000 + 3_100);
  });

  test('can be followed through several merges, and a survivor that is answered at once', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.customer = (id) =>
      id === '7' ? { kind: 'merged' } : { kind: 'merged', into: '9', customer: aCustomer('9') };
    api.survivor = () => '8';
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(asked()).toEqual(['customer 7', 'survivor 7', 'customer 8']);
    expect(event.result?.entities.customer).toMatchObject({ into: '9', customer: { customerId: '9' } });
  });

  test.each([
    ['nobody says into whom', undefined],
    ['it is said to be itself', '7'],
  ])('is merged nevertheless if %s', async (_what, survivor) => {
    const { watch, clock, api } = startEnricher();
    api.customer = () => ({ kind: 'merged' });
    api.survivor = () => survivor;
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(event.result).toEqual({
      entities: { customer: { kind: 'merged', at: expect.any(Number), calls: expect.any(Array) } },
    });
  });

  test('is merged nevertheless if the survivor may not be read', async () => {
    const { watch, clock, api } = startEnricher();
    api.customer = () => ({ kind: 'merged' });
    api.survivor = () => refused('forbidden', { missing: 'Read on Customer' });
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(event.result?.entities.customer).toMatchObject({ kind: 'merged' });
    expect(event.result?.missing).toBeUndefined();
  });

  test('whose survivor was erased, is erased', async () => {
    const { watch, clock, api } = startEnricher();
    api.customer = (id) => (id === '7' ? { kind: 'merged' } : { kind: 'erased' });
    api.survivor = () => '8';
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(event.result?.entities.customer?.kind).toBe('erased');
  });

  test('in a circle ends', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.customer = () => ({ kind: 'merged' });
    api.survivor = (id) => (id === '7' ? '8' : '7');
    const event = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    expect(asked()).toEqual(['customer 7', 'survivor 7', 'customer 8', 'survivor 8']);
    expect(event.result?.entities.customer).toMatchObject({ kind: 'merged', into: '8' });
  });
});

describe('an erased customer', () => {
  test('has no bill, and nothing that is missing', async () => {
    const { watch, clock, api } = startEnricher();
    api.customer = () => ({ kind: 'erased' });
    const stored = { bill: { bill: aBill('97'), at: 1, calls: [] } };
    const event = watch(aPurchase('7'));
    const replay = watch(aPurchase('7'), { purpose: 'replay', stored });
    await clock.advance(5_000);
    const erased = {
      entities: { customer: { kind: 'erased', at: expect.any(Number), calls: expect.any(Array) } },
    };
    expect(event.result).toEqual(erased);
    expect(replay.result).toEqual(erased);
  });

  test('leaves no bill behind that another event could get', async () => {
    const { watch, clock, api, asked } = startEnricher();
    const receivedAt = clock.now();
    api.customer = () => ({ kind: 'erased' });
    watch(aPurchase('7'));
    await clock.advance(5_000);
    watch(aPurchase('7'), { receivedAt });
    await clock.advance(5_000);
    expect(asked().filter((call) => call === 'bill 97')).toHaveLength(2);
  });

  test('is no longer kept from the moment of the deletion', async () => {
    const { watch, request, clock, asked } = startEnricher();
    const receivedAt = clock.now();
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(5_000);
    const deletion = anEvent('customerUpdated', { customerStatus: { currentLabel: 'Deleted' } }, '7');
    expect(request(deletion)).toBeUndefined();
    watch(anEvent('pointsIssued', {}, '7'), { receivedAt });
    await clock.advance(5_000);
    expect(asked()).toEqual(['customer 7', 'customer 7']);
  });
});

test('a customer outside the program is a whole answer', async () => {
  const { watch, clock, api, enriched } = startEnricher();
  api.customer = () => ({ kind: 'no-loyalty' });
  const event = watch(anEvent('customerAdded', {}, '7'));
  await clock.advance(5_000);
  expect(event.result?.entities.customer?.kind).toBe('no-loyalty');
  expect(enriched).toMatchObject([{ outcome: 'complete' }]);
});

test('the status says whether contacts are masked', async () => {
  const { watch, clock, api, enricher } = startEnricher();
  api.customer = (id) => ({ kind: 'found', customer: aCustomer(id, { isMasked: id === '7' }) });
  watch(anEvent('customerAdded', {}, '7'));
  await clock.advance(5_000);
  expect(enricher.status().isMasked).toBe(true);
  watch(anEvent('customerAdded', {}, '8'));
  await clock.advance(5_000);
  expect(enricher.status().isMasked).toBe(false);
});

describe('what Capillary does not know yet', () => {
  test('is asked for again after 2, 5 and 20 s, until it is known', async () => {
    const { watch, clock, api, calls } = startEnricher();
    api.bill = (id, count) => (count < 4 ? refused('transaction-unknown') : aBill(id));
    const event = watch(aPurchase('7'));
    await clock.advance(40_000);
    const times = calls.filter(({ endpoint }) => endpoint === 'bill').map(({ at }) => at);
    expect(times).toEqual([3_000, 5_100, 10_200, 30_300]);
    expect(event.result?.missing).toBeUndefined();
    expect(event.endedAt).toBeLessThan(31_000);
  });

  test('does not hold the event longer than until no other attempt fits', async () => {
    const { watch, clock, api, enriched } = startEnricher({ enrich: { maxDelay: 10_000 } });
    api.customer = () => refused('customer-unknown');
    const event = watch(aPurchase('7'));
    await clock.advance(10_000);
    expect(event.endedAt).toBe(5_300);
    expect(event.result).toMatchObject({
      entities: { bill: { bill: { transactionId: '97' } } },
      missing: { customer: 'unknown', retryIn: 600_000 },
    });
    expect(enriched).toMatchObject([{ outcome: 'unknown' }]);
  });

  test('holds the next events of the customer only for one call', async () => {
    const { watch, clock, api } = startEnricher({ enrich: { maxDelay: 30_000 } });
    api.customer = () => refused('customer-unknown');
    const receivedAt = clock.now();
    const first = watch(anEvent('customerAdded', {}, '7'));
    await clock.advance(12_000);
    expect(first.result?.missing).toMatchObject({ customer: 'unknown' });
    const startedAt = clock.monotonic();
    const next = watch(anEvent('pointsIssued', {}, '7'), { receivedAt });
    await clock.advance(5_000);
    expect((next.endedAt ?? Infinity) - startedAt).toBeLessThan(1_000);
    expect(next.result?.missing).toMatchObject({ customer: 'unknown' });
  });

  test('is asked for seldom once a refresh did not find it either', async () => {
    const { watch, clock, api } = startEnricher();
    api.customer = () => refused('customer-unknown');
    const parts = { customer: true, bill: false };
    const refresh = watch(anEvent('customerAdded', {}, '7'), { purpose: 'refresh', parts });
    await clock.advance(60_000);
    expect(refresh.result?.missing).toEqual({ customer: 'unknown', retryIn: 3_600_000 });
  });

  test('is asked for once for an event of a flood', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.customer = () => refused('customer-unknown');
    const flood = watch(anEvent('pointsExpired', {}, '7'));
    await clock.advance(60_000);
    expect(flood.result?.missing).toMatchObject({ customer: 'unknown' });
    expect(asked()).toEqual(['customer 7']);
  });

  test('is not asked for again if the call itself is refused', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.customer = () => refused('invalid', { code: '8013' });
    const event = watch(anEvent('customerAdded', {}, '7'));
    await clock.advance(4_000);
    expect(event.result?.missing).toMatchObject({ customer: 'unknown' });
    expect(asked()).toEqual(['customer 7']);
  });

  test('can be a return, which is found by its type only', async () => {
    const { watch, clock, api, asked } = startEnricher();
    api.bill = (id) => (id === '97' ? refused('transaction-unknown') : aBill('97', { type: 'RETURN' }));
    const event = watch(anEvent('transactionUpdated', { transactionId: '97' }, '7'));
    await clock.advance(5_000);
    expect(asked()).toContain('bill 97/RETURN');
    expect(event.result?.entities.bill?.bill.type).toBe('RETURN');
  });
});
