import { describe, expect, test } from 'vitest';
import { aBill, aCustomer, anEvent, aPurchase, startEnricher } from './enrich-rig.ts';

const HOUR_MS = 3_600_000;

describe('an event', () => {
  test('waits for the others of its purchase, and then has the customer and the bill', async () => {
    const { watch, clock, asked, calls, enriched } = startEnricher();
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
    expect(enriched).toEqual([{ outcome: 'complete', isCached: false, waited: purchase.endedAt }]);
  });

  test('that wants nothing is not touched', () => {
    const { request, calls } = startEnricher();
    expect(request(anEvent('promotionCreated'))).toBeUndefined();
    expect(calls).toEqual([]);
  });

  test('of another organisation than the API client is not asked for', async () => {
    let orgId: number | undefined;
    const { watch, request, clock, calls } = startEnricher({ orgId: () => orgId });
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(4_000);
    expect(calls.length).toBeGreaterThan(0);
    orgId = 1;
    expect(request(anEvent('pointsIssued', {}, '8'))).toBeUndefined();
  });

  test('of a backlog is asked for at once', async () => {
    const { watch, clock } = startEnricher();
    const old = watch(aPurchase('7'), { receivedAt: clock.now() - HOUR_MS });
    await clock.advance(500);
    expect(old.result?.missing).toBeUndefined();
    expect(old.endedAt).toBeLessThan(400);
  });
});

describe('calls are shared by', () => {
  test('the events of a purchase, one after the other', async () => {
    const { watch, clock, asked, request } = startEnricher();
    const receivedAt = clock.now();
    const purchase = watch(aPurchase('7'));
    await clock.advance(5_000);
    expect(purchase.result).toBeDefined();
    for (const [index, eventName] of ['pointsIssued', 'tierUpgraded', 'customerUpdated'].entries()) {
      const result = request(anEvent(eventName, {}, '7'), { receivedAt: receivedAt + index * 500 });
      expect(result).not.toBeInstanceOf(Promise);
      expect(result).toMatchObject({ entities: { customer: { customer: { customerId: '7' } } } });
    }
    expect(asked()).toHaveLength(2);
  });

  test('the same event at several destinations', async () => {
    const { watch, clock, asked } = startEnricher();
    const event = aPurchase('7');
    const [a, b] = [watch(event), watch(event)];
    await clock.advance(1_000);
    const c = watch(event, { receivedAt: clock.now() - 1_000 });
    await clock.advance(4_000);
    expect([a.result, b.result, c.result].map((one) => one?.missing)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(a.result?.entities.bill).toBe(c.result?.entities.bill);
    expect(asked()).toHaveLength(2);
  });

  test('a repeated webhook', async () => {
    const { watch, clock, asked } = startEnricher();
    const first = watch(aPurchase('7'));
    await clock.advance(1_000);
    const again = watch(aPurchase('7'));
    await clock.advance(4_000);
    expect(again.result).toEqual(first.result);
    expect(asked()).toHaveLength(2);
  });

  test('nobody whose event came after the answer, or shortly before it', async () => {
    const { watch, clock, api, asked } = startEnricher();
    let points = 1;
    api.customer = (id) => {
      points += 1;
      return { kind: 'found', customer: aCustomer(id, { programs: [{ programId: '1', points }] }) };
    };
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(2_500);
    // The call starts half a second later: Capillary may not have booked this one yet.
    const late = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(2_000);
    const later = watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(10_000);
    const pointsOf = (one: typeof late) => {
      const { customer } = one.result?.entities ?? {};
      return customer?.kind === 'found' ? customer.customer.programs[0]?.points : undefined;
    };
    expect(pointsOf(late)).toBe(2);
    expect(pointsOf(later)).toBe(3);
    expect(asked()).toHaveLength(2);
  });

  test('nobody after half a minute', async () => {
    const { watch, clock, asked } = startEnricher();
    const receivedAt = clock.now();
    watch(anEvent('pointsIssued', {}, '7'));
    await clock.advance(40_000);
    const next = watch(anEvent('tierUpgraded', {}, '7'), { receivedAt });
    await clock.advance(1_000);
    expect(next.result?.missing).toBeUndefined();
    expect(asked()).toHaveLength(2);
  });

  test('nobody later: what was fetched is forgotten soon, also if no event comes', async () => {
    const { watch, clock } = startEnricher();
    watch(aPurchase('7'));
    await clock.advance(20_000);
    expect(clock.pending).toBeGreaterThan(0);
    await clock.advance(30_000);
    // Nothing is left to be looked after.
    expect(clock.pending).toBe(0);
  });

  test('bills of the same customer are bills of their own', async () => {
    const { watch, clock, asked } = startEnricher();
    watch(aPurchase('7', '91'));
    watch(aPurchase('7', '92'));
    await clock.advance(4_000);
    expect(asked().toSorted()).toEqual(['bill 91', 'bill 92', 'customer 7']);
  });
});

describe('what was fetched before', () => {
  test('is used as it is by a replay, which asks for the rest', async () => {
    const { watch, clock, asked } = startEnricher();
    const bill = { bill: aBill('97'), at: 1, calls: [] };
    const replay = watch(aPurchase('7'), { purpose: 'replay', stored: { bill }, receivedAt: 0 });
    await clock.advance(1_000);
    expect(asked()).toEqual(['customer 7']);
    expect(replay.result?.entities.bill).toBe(bill);
    expect(replay.result?.entities.customer?.kind).toBe('found');
  });

  test('makes a call needless if nothing else is wanted', () => {
    const { request, calls, enriched } = startEnricher();
    const stored = {
      customer: { kind: 'erased', at: 1, calls: [] } as const,
      bill: { bill: aBill('97'), at: 1, calls: [] },
    };
    expect(request(aPurchase('7'), { purpose: 'replay', stored })).toEqual({ entities: stored });
    expect([calls, enriched]).toEqual([[], []]);
  });

  test('is read again by a refresh, but only the parts that it names', async () => {
    const { watch, clock, asked } = startEnricher();
    const stored = { customer: { kind: 'no-loyalty', at: 1, calls: [] } as const };
    const parts = { customer: true, bill: false };
    const refresh = watch(aPurchase('7'), { purpose: 'refresh', parts, stored, receivedAt: 0 });
    await clock.advance(1_000);
    expect(asked()).toEqual(['customer 7']);
    expect(refresh.result?.entities).toMatchObject({ customer: { kind: 'found' } });
    expect(refresh.result?.entities.bill).toBeUndefined();
  });
});

describe('an event that is released', () => {
  test('ends with the reason, and nothing is asked for it', async () => {
    const { watch, clock, calls, enricher } = startEnricher();
    const released = new AbortController();
    const one = watch(aPurchase('7'), { signal: released.signal });
    await clock.advance(1_000);
    expect(enricher.status().waiting).toBe(1);
    const reason = new Error('released');
    released.abort(reason);
    await clock.advance(60_000);
    expect(one.error).toBe(reason);
    expect(calls).toEqual([]);
    expect(enricher.status()).toMatchObject({ waiting: 0, calls: { live: 0 } });
    expect(clock.pending).toBe(0);
  });

  test('does not end the call for the others, nor one that is running', async () => {
    const { watch, clock, asked, request } = startEnricher();
    const released = new AbortController();
    const receivedAt = clock.now();
    watch(anEvent('pointsIssued', {}, '7'), { signal: released.signal });
    const other = watch(anEvent('pointsIssued', {}, '7'));
    const lone = watch(anEvent('pointsIssued', {}, '8'), { signal: released.signal });
    await clock.advance(3_150);
    released.abort(new Error('released'));
    await clock.advance(1_000);
    expect(other.result?.missing).toBeUndefined();
    expect(lone.error).toBeDefined();
    expect(asked()).toEqual(['customer 7', 'customer 8']);
    expect(request(anEvent('tierUpgraded', {}, '8'), { receivedAt })).not.toBeInstanceOf(Promise);
  });

  test('before it began, ends at once', async () => {
    const { watch, clock, calls } = startEnricher();
    const one = watch(aPurchase('7'), { signal: AbortSignal.abort(new Error('stopped')) });
    await clock.advance(0);
    expect(one.error).toEqual(new Error('stopped'));
    expect(calls).toEqual([]);
  });
});
