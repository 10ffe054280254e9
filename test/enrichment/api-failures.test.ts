import { describe, expect, test } from 'vitest';
import { aCustomer, anEvent, aPurchase, refused, startEnricher } from './enrich-rig.ts';

function pointsOf(customerId: string) {
  return anEvent('pointsIssued', {}, customerId);
}

describe('a failing call', () => {
  test('is tried as often as configured, then the event goes on without', async () => {
    const { watch, clock, api, calls } = startEnricher({ enrich: { attempts: 3 } });
    api.customer = () => refused('unavailable', { status: 502 });
    const event = watch(aPurchase('7'));
    await clock.advance(20_000);
    expect(calls.filter(({ endpoint }) => endpoint === 'customer').map(({ at }) => at)).toEqual([
      3_100, 4_200, 6_300,
    ]);
    expect(event.result).toMatchObject({
      entities: { bill: { bill: { transactionId: '97' } } },
      missing: { customer: 'unavailable', retryIn: 5_000 },
    });
  });

  test('that succeeds in the end has lost nothing', async () => {
    const { watch, clock, api } = startEnricher();
    api.customer = (id, count) =>
      count < 3 ? refused('busy', { status: 521 }) : { kind: 'found', customer: aCustomer(id) };
    const event = watch(pointsOf('7'));
    await clock.advance(20_000);
    expect(event.result?.missing).toBeUndefined();
  });

  test('of one busy customer stops nobody else', async () => {
    const { watch, clock, api, circuit } = startEnricher({ enrich: { attempts: 10 } });
    api.customer = (id) =>
      id === '7' ? refused('busy', { status: 521 }) : { kind: 'found', customer: aCustomer(id) };
    const busy = watch(pointsOf('7'));
    const other = watch(pointsOf('8'));
    await clock.advance(60_000);
    expect(busy.result?.missing).toMatchObject({ customer: expect.stringMatching(/timeout|unavailable/) });
    expect(other.result?.missing).toBeUndefined();
    expect(circuit).toEqual([]);
  });

  test('that hangs ends the wait after the longest delay', async () => {
    const { watch, clock, api } = startEnricher({ enrich: { maxDelay: 10_000 } });
    api.latency = 3_600_000;
    const event = watch(pointsOf('7'));
    // The programs are asked for first, and nobody waits for them longer than this.
    await clock.advance(10_000);
    expect(event.endedAt).toBe(10_000);
    expect(event.result?.missing).toMatchObject({ customer: 'timeout' });
  });
});

describe('an API that does not answer', () => {
  test('holds no event of a customer longer than the longest wait', async () => {
    const { watch, clock, api } = startEnricher({ enrich: { maxDelay: 10_000, attempts: 1 } });
    api.latency = 3_600_000;
    const receivedAt = clock.now();
    const first = watch(pointsOf('7'), { receivedAt });
    await clock.advance(4_000);
    const laterAt = clock.now();
    await clock.advance(6_000);
    expect(first.endedAt).toBe(10_000);
    // It is claimed only now, because the first was before it.
    const second = watch(pointsOf('7'), { receivedAt: laterAt });
    await clock.advance(4_000);
    expect(second.endedAt).toBe(14_000);
    // Those of a backlog had the first to wait for all of them.
    const third = watch(aPurchase('7'), { receivedAt: receivedAt - 3_600_000 });
    await clock.advance(0);
    expect(third.endedAt).toBe(14_000);
    const fresh = watch(pointsOf('7'));
    const refreshed = watch(pointsOf('7'), { receivedAt, purpose: 'refresh' });
    await clock.advance(9_000);
    expect(refreshed.endedAt).toBeUndefined();
    expect(fresh.endedAt).toBeUndefined();
    await clock.advance(1_000);
    expect(fresh.endedAt).toBe(24_000);
  });
});

describe('429', () => {
  test('pauses all calls and costs no attempt', async () => {
    const { watch, clock, api, calls, circuit, enricher } = startEnricher({ enrich: { attempts: 1 } });
    api.customer = (id, count) =>
      id === '7' && count === 1
        ? refused('throttled', { status: 429, retryAfterMs: 14_000 })
        : { kind: 'found', customer: aCustomer(id) };
    const event = watch(pointsOf('7'));
    await clock.advance(4_000);
    const other = watch(pointsOf('8'));
    await clock.advance(4_000);
    expect(enricher.status().budget.pausedFor).toBeGreaterThan(8_000);
    await clock.advance(30_000);
    expect([event.result?.missing, other.result?.missing]).toEqual([undefined, undefined]);
    const times = calls.filter(({ endpoint }) => endpoint === 'customer').map(({ at }) => at);
    expect(times[0]).toBe(3_100);
    expect(Math.min(...times.slice(1))).toBeGreaterThanOrEqual(17_200);
    expect(circuit).toEqual([]);
  });

  test('sends events on at once that would wait too long for its end', async () => {
    const { watch, clock, api } = startEnricher({ enrich: { maxDelay: 10_000 } });
    api.customer = () => refused('throttled', { retryAfterMs: 100_000 });
    const first = watch(pointsOf('7'));
    await clock.advance(5_000);
    const startedAt = clock.monotonic();
    const second = watch(pointsOf('8'));
    await clock.advance(0);
    expect(second).toMatchObject({ endedAt: startedAt, result: { missing: { customer: 'budget' } } });
    await clock.advance(10_000);
    expect(first.endedAt).toBe(10_000);
  });
});

describe('the circuit', () => {
  test('opens after failures in a row: whoever waits goes on at once, whoever comes too', async () => {
    const { watch, request, clock, api, circuit, calls, enricher } = startEnricher();
    api.customer = () => refused('network', { code: 'timeout' });
    api.programs = () => refused('network', { code: 'timeout' });
    const events = ['1', '2', '3', '4', '5', '6'].map((id) => watch(pointsOf(id)));
    await clock.advance(10_000);
    expect(circuit).toMatchObject([{ state: 'open', reason: 'network timeout' }]);
    expect(enricher.status().circuit).toMatchObject({ state: 'open', reason: 'network timeout' });
    expect(events.map(({ result }) => result?.missing?.customer)).toEqual(events.map(() => 'unavailable'));
    const before = calls.length;
    expect(request(pointsOf('7'))).toMatchObject({ missing: { customer: 'unavailable' } });
    expect(enricher.hasCallsToSpare).toBe(false);
    await clock.advance(1_000);
    expect(calls).toHaveLength(before);
  });

  test('asks with one call from time to time, and closes when Capillary answers', async () => {
    const { watch, clock, api, circuit, calls, enricher } = startEnricher();
    api.customer = () => refused('unavailable', { status: 503 });
    api.programs = () => refused('unavailable', { status: 503 });
    for (const id of ['1', '2', '3', '4', '5', '6']) watch(pointsOf(id));
    await clock.advance(10_000);
    expect(circuit).toHaveLength(1);
    const before = calls.length;
    await clock.advance(300_000);
    expect(calls.length - before).toBeGreaterThanOrEqual(6);
    expect(calls.length - before).toBeLessThanOrEqual(9);
    api.customer = (id) => ({ kind: 'found', customer: aCustomer(id) });
    api.programs = () => [];
    await clock.advance(61_000);
    expect(circuit.map(({ state }) => state)).toEqual(['open', 'closed']);
    expect(enricher.hasCallsToSpare).toBe(true);
    const event = watch(pointsOf('7'));
    await clock.advance(5_000);
    expect(event.result?.missing).toBeUndefined();
  });

  test('opens again at the first failure if only the probe succeeds', async () => {
    const { watch, clock, api, circuit, calls } = startEnricher({ enrich: { attempts: 1 } });
    api.customer = () => refused('unavailable', { status: 500 });
    for (const id of ['1', '2', '3', '4', '5']) watch(pointsOf(id));
    await clock.advance(10_000);
    expect(circuit.map(({ state }) => state)).toEqual(['open', 'closed']);
    const before = calls.length;
    watch(pointsOf('6'));
    await clock.advance(4_000);
    expect(calls).toHaveLength(before + 1);
    expect(circuit.map(({ state }) => state)).toEqual(['open', 'closed', 'open']);
  });

  test('opens at once if the credentials are refused', async () => {
    const { watch, clock, api, circuit, asked } = startEnricher();
    api.customer = () => refused('unauthorized', { status: 401 });
    const event = watch(pointsOf('7'));
    await clock.advance(4_000);
    expect(asked()).toEqual(['customer 7']);
    expect(event.result?.missing).toMatchObject({ customer: 'unavailable' });
    expect(circuit).toMatchObject([{ state: 'open', reason: 'unauthorized 401' }]);
  });

  test('stays closed while others are answered, be it with a refusal', async () => {
    const { watch, clock, api, circuit } = startEnricher({ enrich: { attempts: 1 } });
    api.customer = (id) =>
      Number(id) % 2 === 0 ? refused('unavailable') : refused('invalid', { code: '8013' });
    for (let id = 1; id <= 20; id += 1) watch(pointsOf(String(id)));
    await clock.advance(10_000);
    expect(circuit).toEqual([]);
  });
});

test('an event that stays incomplete knows the calls that were answered without a value', async () => {
  const { watch, clock, api } = startEnricher({ enrich: { attempts: 2 } });
  api.customer = (_id, count) => refused('unavailable', { status: 503, requestId: `req-${count}` });
  api.bill = () => refused('transaction-unknown', { requestId: 'req-bill' });
  const event = watch(aPurchase('7'));
  await clock.advance(70_000);
  expect(event.result?.missing).toMatchObject({
    customer: 'unavailable',
    bill: 'unknown',
    requestIds: { customer: 'req-2', bill: 'req-bill' },
  });
  api.customer = () => refused('network', { code: 'timeout' });
  const unanswered = watch(pointsOf('8'));
  await clock.advance(10_000);
  expect(unanswered.result?.missing).toEqual({ customer: 'unavailable', retryIn: 5_000 });
});

describe('a resource that the access group lacks', () => {
  test('is not asked for again and again, and does not keep the others', async () => {
    const { watch, clock, api, asked, access, enricher } = startEnricher();
    api.bill = () => refused('forbidden', { status: 403, code: '4000', missing: 'Read on Transaction' });
    const first = watch(aPurchase('7'));
    await clock.advance(5_000);
    const second = watch(aPurchase('8'));
    await clock.advance(5_000);
    for (const { result } of [first, second])
      expect(result).toMatchObject({
        entities: { customer: { kind: 'found' } },
        missing: { bill: 'forbidden', retryIn: 600_000 },
      });
    expect(asked().filter((call) => call.startsWith('bill'))).toEqual(['bill 97']);
    expect(access).toEqual([['bill', 'Read on Transaction']]);
    expect(enricher.status().forbidden).toMatchObject([{ endpoint: 'bill', lack: 'Read on Transaction' }]);
  });

  test('is asked for every few minutes, because somebody may add the right', async () => {
    const { watch, clock, api, access, enricher } = startEnricher();
    const { bill } = api;
    api.bill = () => refused('forbidden', { missing: 'Read on Transaction' });
    watch(aPurchase('7'));
    await clock.advance(305_000);
    api.bill = bill;
    const later = watch(aPurchase('8'));
    await clock.advance(5_000);
    expect(later.result?.missing).toBeUndefined();
    expect(access).toEqual([
      ['bill', 'Read on Transaction'],
      ['bill', undefined],
    ]);
    expect(enricher.status().forbidden).toEqual([]);
  });
});
