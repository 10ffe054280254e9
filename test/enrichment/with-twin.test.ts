import { onTestFinished, describe, expect, test } from 'vitest';
import { createCapillaryClient } from '../../src/capillary/api/capillary-client.ts';
import { createCapillaryReads } from '../../src/capillary/api/capillary-reads.ts';
import type { Enrichment } from '../../src/capillary/enricher.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import type { EnrichConfig } from '../../src/config/enrich-config.ts';
import { createEnricher } from '../../src/enrichment/event-enricher.ts';
import { SYSTEM_CLOCK, type StageClock } from '../../src/enrichment/stage-clock.ts';
import type { CircuitStatus } from '../../src/enrichment/circuit-breaker.ts';
import type { CapillaryOptions } from '../../src/simulator/capillary/api/capillary-options.ts';
import { balanceOf } from '../../src/simulator/capillary/world/points-account.ts';
import type { WorldCustomer } from '../../src/simulator/capillary/world/world-customer.ts';
import { until } from '../helpers/until.ts';
import { withCapillary } from '../simulator/capillary/api/capillary-caller.ts';
import { anEvent } from './enrich-rig.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };

async function enricherAtTwin(
  twin: CapillaryOptions = {},
  enrich: Partial<EnrichConfig> = {},
  clock: StageClock = SYSTEM_CLOCK,
) {
  const { simulator } = await withCapillary({ clients: [CLIENT], ...twin });
  const limits = { callsPerMinute: 100_000, concurrency: 4 };
  const client = createCapillaryClient({
    api: { url: simulator.capillaryUrl, ...CLIENT, ...limits, timeout: 2_000 },
  });
  const circuit: CircuitStatus[] = [];
  const enricher = createEnricher({
    source: { name: 'acme', labels: { deleted: ['Deleted'], active: ['Active'] } },
    enrich: {
      customers: true,
      transactions: true,
      coalesce: 150,
      attempts: 1,
      maxDelay: 5_000,
      ...enrich,
    },
    api: limits,
    reads: (defaultProgram) => createCapillaryReads({ client, serverZone: '+05:30', defaultProgram }),
    observer: {
      callEnded: () => undefined,
      eventEnriched: () => undefined,
      circuitChanged: (_source, status) => circuit.push(status),
      accessChanged: () => undefined,
      errorCaught: (_source, _what, error) => {
        throw error;
      },
    },
    clock,
    jitter: () => 0,
  });
  onTestFinished(async () => {
    enricher.close();
    await client.close();
  });
  return {
    simulator,
    twin: simulator.capillary,
    world: simulator.capillary.world,
    enricher,
    circuit,
    enrich: async (event: CapillaryEvent, receivedAt = Date.now()): Promise<Enrichment | undefined> =>
      enricher.enrich({ event, receivedAt, purpose: 'live', signal: new AbortController().signal }),
    /** Calls by path, without those for tokens. */
    calls: () => {
      const sums = new Map<string, number>();
      for (const [route, outcomes] of simulator.capillary.calls)
        if (!route.includes('/oauth/'))
          sums.set(
            route,
            [...outcomes.values()].reduce((sum, count) => sum + count, 0),
          );
      return sums;
    },
  };
}

function eventIn(body: string): CapillaryEvent {
  const parsed = parseEvent(Buffer.from(body), {});
  if (!parsed.ok) throw new Error('no event');
  return parsed.event;
}

function firstTwo(customers: Iterable<WorldCustomer>): [WorldCustomer, WorldCustomer] {
  const [first, second] = customers;
  if (first === undefined || second === undefined) throw new Error('no customers');
  return [first, second];
}

function pointsOf({ customerId }: WorldCustomer): CapillaryEvent {
  return anEvent('pointsIssued', {}, String(customerId));
}

describe('at the simulated Capillary', () => {
  test('a purchase of four events takes at most 2.2 calls, all reference data included', async () => {
    const { twin, enrich, calls } = await enricherAtTwin({ world: { customers: 60 } });
    const { events } = await twin.raiseEvents({
      count: 40,
      names: ['transactionAdded'],
      customers: 60,
      awkward: 0,
      seed: 3,
    });
    const bills = events
      .map(({ body }) => eventIn(body))
      .filter(({ eventName }) => eventName === 'transactionAdded');
    const lanes = Map.groupBy(bills, ({ customerId }) => customerId);
    const purchases = [...lanes.values()].flatMap(([bill]) => (bill === undefined ? [] : [bill]));
    expect(purchases.length).toBeGreaterThan(15);
    const answers = await Promise.all(
      purchases.map(async (bill) => {
        const receivedAt = Date.now();
        const results = [await enrich(bill, receivedAt)];
        // The next events of a customer are claimed one after the other.
        for (const [index, eventName] of ['pointsIssued', 'tierUpgraded', 'customerUpdated'].entries()) {
          const next = anEvent(eventName, {}, bill.customerId);
          results.push(await enrich(next, receivedAt + index * 30));
        }
        return results;
      }),
    );
    for (const [bill, ...others] of answers) {
      expect(bill?.missing).toBeUndefined();
      expect(bill?.entities.bill?.bill).toMatchObject({ currency: expect.stringMatching(/^[A-Z]{3}$/) });
      for (const line of bill?.entities.bill?.bill.lines ?? []) expect(line.name).toEqual(expect.any(String));
      for (const other of others) expect(other?.entities.customer).toBe(bill?.entities.customer);
    }
    const total = [...calls().values()].reduce((sum, count) => sum + count, 0);
    expect(calls().get('GET /v2/customers/:customerId')).toBe(purchases.length);
    expect(calls().get('GET /v2/transactions/:transactionId')).toBe(purchases.length);
    expect(total / purchases.length).toBeLessThanOrEqual(2.2);
  });

  test('the customer is what Capillary says, with names of programs and the default one', async () => {
    const { world, enrich } = await enricherAtTwin();
    const [customer] = firstTwo(world.customers.values());
    const result = await enrich(pointsOf(customer));
    const { customer: fetched } = result?.entities ?? {};
    if (fetched?.kind !== 'found') throw new Error('not found');
    expect(fetched.customer.programs.map(({ points }) => points)).toEqual(customer.accounts.map(balanceOf));
    expect(fetched.customer.programs.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    for (const { name } of fetched.customer.programs) expect(name).toEqual(expect.any(String));
    expect(fetched.calls).toEqual([
      { call: 'GET /v2/customers/{id}', status: 200, requestId: expect.any(String) },
    ]);
  });

  test('a merged customer is the survivor, an erased one is nobody', async () => {
    const { world, enrich } = await enricherAtTwin({}, { maxDelay: 1_500 });
    const [survivor, victim] = firstTwo(world.customers.values());
    world.merge(survivor, victim, Date.now());
    expect((await enrich(pointsOf(victim)))?.entities.customer).toMatchObject({
      kind: 'merged',
      into: String(survivor.customerId),
      customer: { customerId: String(survivor.customerId) },
    });
    world.erase(survivor, Date.now());
    const erased = await enrich(
      anEvent('transactionAdded', { transactionId: 1 }, String(survivor.customerId)),
    );
    expect(erased).toEqual({
      entities: { customer: { kind: 'erased', at: expect.any(Number), calls: expect.any(Array) } },
    });
  });

  test('masked contacts show in the status', async () => {
    const { world, enrich, enricher } = await enricherAtTwin({ clients: [{ ...CLIENT, psiAccess: false }] });
    const [customer] = firstTwo(world.customers.values());
    const result = await enrich(pointsOf(customer));
    expect(result?.entities.customer).toMatchObject({ customer: { isMasked: true } });
    expect(JSON.stringify(result)).not.toContain('**');
    expect(enricher.status().isMasked).toBe(true);
  });

  test('a resource that is not allowed does not keep the others', async () => {
    const access = { Customer: ['read'], Organization: ['read'] } as const;
    const { world, twin, enrich, enricher } = await enricherAtTwin({ clients: [{ ...CLIENT, access }] });
    await twin.raiseEvents({ count: 1, names: ['transactionAdded'], awkward: 0 });
    const [bill] = world.bills.values();
    const event = anEvent('transactionAdded', { transactionId: bill?.id ?? 0 }, String(bill?.customerId));
    const result = await enrich(event);
    expect(result).toMatchObject({
      entities: { customer: { kind: 'found' } },
      missing: { bill: 'forbidden' },
    });
    expect(enricher.status().forbidden).toMatchObject([{ endpoint: 'bill', lack: 'Read on Transaction' }]);
  });

  test('a bill that is being written is read a moment later', async () => {
    const { twin, enrich } = await enricherAtTwin({ world: { freshBillMs: 600 } }, { attempts: 3 });
    const { events } = await twin.raiseEvents({ count: 1, names: ['transactionAdded'], awkward: 0 });
    const bill = events
      .map(({ body }) => eventIn(body))
      .find(({ eventName }) => eventName === 'transactionAdded');
    if (bill === undefined) throw new Error('no bill');
    expect((await enrich(bill))?.missing).toBeUndefined();
    const outcomes = twin.calls.get('GET /v2/transactions/:transactionId');
    expect([...(outcomes ?? [])]).toEqual([
      ['521', expect.any(Number)],
      ['200', 1],
    ]);
  });

  test('after an outage events are completed again', async () => {
    const quick: StageClock = { ...SYSTEM_CLOCK, after: (ms, run) => SYSTEM_CLOCK.after(ms / 10, run) };
    const { simulator, world, enrich, enricher, circuit } = await enricherAtTwin(
      {},
      { maxDelay: 60_000 },
      quick,
    );
    const customers = [...world.customers.values()];
    simulator.setFaults([{ on: 'capillary', match: { method: 'GET' }, then: { status: 503 } }]);
    const during = await Promise.all(customers.slice(0, 8).map((customer) => enrich(pointsOf(customer))));
    for (const result of during) expect(result?.missing).toMatchObject({ customer: 'unavailable' });
    expect(enricher.status().circuit.state).toBe('open');
    simulator.setFaults([]);
    await until(() => enricher.status().circuit.state === 'closed');
    const [customer] = firstTwo(customers.slice(10));
    expect((await enrich(pointsOf(customer)))?.missing).toBeUndefined();
    expect(circuit.map(({ state }) => state)).toEqual(['open', 'closed']);
  });
});
