import { afterEach, describe, expect, it } from 'vitest';
import type { Enricher } from '../../src/capillary/enricher.ts';
import type { Entities } from '../../src/capillary/entities.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';
import { createFakeEnricher, fetchedBill, foundCustomer } from './fake-enricher.ts';

let harness: DeliveryHarness;
/** Receipts whose enrichment was looked up in the journal. */
let lookedUp: string[];
/** Whether this process still has its claims. */
let isHolding: boolean;

afterEach(() => harness.close());

async function start(
  enricher: Enricher | undefined,
  change: (config: RelayConfig) => void = () => undefined,
): Promise<void> {
  lookedUp = [];
  isHolding = true;
  harness = await startDeliveryHarness(
    (config) => {
      Object.assign(config.sources[0]!, { enrich: {} });
      change(config);
    },
    {},
    (journal) => ({
      enrichments(receipts: readonly string[]) {
        lookedUp.push(...receipts);
        return journal.enrichments(receipts);
      },
      holds: (receipt: string) => isHolding && journal.holds(receipt),
    }),
    () => enricher,
  );
  await harness.destinations.start();
}

function dispatcher() {
  return harness.destinations.all[0]!.dispatcher;
}

function landed(): (string | undefined)[] {
  return harness.simulator.landed({ kind: 'event' }).map(({ id }) => id);
}

async function entitiesOf(receipt: string): Promise<Entities> {
  const stored = await harness.journal.enrichments([receipt]);
  return JSON.parse(stored.get(receipt)?.entities ?? '{}') as Entities;
}

describe('an event of a source with `enrich`', () => {
  it('waits for what it lacks, is delivered, and keeps what was fetched', async () => {
    const enricher = createFakeEnricher();
    await start(enricher);
    const event = transactionAdded(1);
    const before = Date.now();
    const { receipt, id } = await harness.accept(event);
    const request = await until(() => enricher.open[0]);
    expect(request).toMatchObject({ purpose: 'live', event: { eventName: 'transactionAdded' } });
    expect(request.receivedAt).toBeGreaterThanOrEqual(before);
    expect(request.stored).toBeUndefined();
    expect(landed()).toEqual([]);
    const bill = fetchedBill(event.data.transactionId);
    request.answer({ entities: { customer: foundCustomer(1), bill } });
    const settlement = await harness.whenSettled(receipt);
    expect(settlement.state).toBe('delivered');
    expect(settlement.enrichment).toMatchObject({ refreshed: { customer: true, bill: true } });
    expect(settlement.enrichment).not.toHaveProperty('missing');
    expect((await entitiesOf(receipt)).bill).toEqual(bill);
    expect(landed()).toEqual([id]);
    expect(lookedUp).toEqual([]);
  });

  it('is settled as before if it lacks nothing', async () => {
    await start(createFakeEnricher(() => undefined));
    const { receipt } = await harness.accept(transactionAdded(1));
    expect(await harness.whenSettled(receipt)).not.toHaveProperty('enrichment');
  });

  it('goes on without what cannot be fetched, and is to be refreshed', async () => {
    await start(
      createFakeEnricher(() => ({
        entities: {},
        missing: { customer: 'budget', bill: 'unavailable', retryIn: 60_000 },
      })),
    );
    const { receipt } = await harness.accept(transactionAdded(1));
    const { state, enrichment } = await harness.whenSettled(receipt);
    expect(state).toBe('delivered');
    expect(enrichment).toEqual({ missing: { customer: true, bill: true, dueIn: 60_000 } });
  });

  it('is not to be refreshed if nothing of it is delivered', async () => {
    const missing = { customer: 'unknown', retryIn: 1 } as const;
    await start(
      createFakeEnricher(() => ({ entities: { bill: fetchedBill(7) }, missing })),
      ({ sources }) => Object.assign(sources[0]!, { unmapped: 'ignore' }),
    );
    const { receipt } = await harness.accept({ ...transactionAdded(1), eventName: 'teaTastingBooked' });
    const { state, enrichment } = await harness.whenSettled(receipt);
    expect(state).toBe('ignored');
    expect(enrichment).toEqual({ entities: expect.any(String) });
    expect(await entitiesOf(receipt)).toHaveProperty('bill');
  });

  it('is delivered as it came if the enricher fails', async () => {
    const errors: string[] = [];
    await start({ enrich: () => Promise.reject(new Error('bug')) });
    harness.onError = (message) => errors.push(message);
    const { receipt } = await harness.accept(transactionAdded(1));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(errors).toEqual([`event ${receipt} could not be enriched`]);
  });

  it('keeps what was fetched for the next try, and does not ask again', async () => {
    const enricher = createFakeEnricher((request) =>
      request.stored === undefined
        ? { entities: { customer: foundCustomer(1) } }
        : { entities: request.stored },
    );
    await start(enricher);
    harness.simulator.setFaults([{ on: 'inlet', times: 1, then: { status: 503 } }]);
    const { receipt } = await harness.accept(pointsIssued(1, 10));
    const settlement = await harness.whenSettled(receipt);
    expect(settlement).toMatchObject({
      state: 'delivered',
      enrichment: { refreshed: { customer: true, bill: false } },
    });
    expect(settlement.enrichment).not.toHaveProperty('entities');
    expect(enricher.requests.map(({ stored: known }) => known?.customer?.kind)).toEqual([undefined, 'found']);
    expect(lookedUp).toEqual([receipt]);
  });
});

describe('events that wait', () => {
  const waitFor = async (enricher: ReturnType<typeof createFakeEnricher>, count: number) => {
    await until(() => enricher.open.length === count);
  };

  it('do not hold up those that lack nothing, nor count as stuck', async () => {
    const enricher = createFakeEnricher(({ event }) =>
      event.eventName === 'transactionAdded' ? 'later' : undefined,
    );
    // At most four events in flight.
    await start(enricher, ({ destinations }) =>
      Object.assign(destinations[0]!, {
        limits: { concurrency: 1 },
        batch: { maxMessages: 4, maxWait: '20ms' },
      }),
    );
    for (let customer = 0; customer < 8; customer += 1) await harness.accept(transactionAdded(customer));
    await waitFor(enricher, 8);
    expect(dispatcher().inFlight).toBe(8);
    expect(dispatcher().msSinceProgress).toBe(0);
    const others = [];
    for (let customer = 10; customer < 20; customer += 1)
      others.push(await harness.accept(pointsIssued(customer, 1)));
    await Promise.all(others.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(enricher.open).toHaveLength(8);
    for (const one of enricher.open) one.answer({ entities: {} });
    await until(() => dispatcher().inFlight === 0);
    expect(landed()).toHaveLength(18);
  });

  it('hold up the next events of their customer', async () => {
    const enricher = createFakeEnricher(({ event }) =>
      event.eventName === 'transactionAdded' ? 'later' : undefined,
    );
    await start(enricher);
    const first = await harness.accept(transactionAdded(1));
    const second = await harness.accept(pointsIssued(1, 5));
    const other = await harness.accept(pointsIssued(2, 5));
    await harness.whenSettled(other.receipt);
    expect(landed()).toEqual([other.id]);
    (await until(() => enricher.open[0])).answer({ entities: {} });
    await harness.whenSettled(second.receipt);
    expect(landed()).toEqual([other.id, first.id, second.id]);
  });

  it('are released at a stop, and asked for again after it', async () => {
    const enricher = createFakeEnricher();
    await start(enricher);
    const { receipt } = await harness.accept(transactionAdded(1));
    await waitFor(enricher, 1);
    await harness.reconfigure(() => undefined);
    await until(() => enricher.requests.length === 2);
    expect(enricher.open).toHaveLength(1);
    enricher.open[0]!.answer({ entities: {} });
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(landed()).toHaveLength(1);
  });

  it.each<[string, (config: RelayConfig) => void]>([
    ['the source', ({ sources }) => Object.assign(sources[0]!, { enrich: { coalesce: '1s' } })],
    ['the destination', ({ destinations }) => Object.assign(destinations[0]!, { tenant: '_other' })],
  ])('are released when %s changes, and go on with what is configured then', async (_, change) => {
    const enricher = createFakeEnricher();
    await start(enricher);
    const { receipt } = await harness.accept(transactionAdded(1));
    await waitFor(enricher, 1);
    await harness.reload(change);
    await until(() => enricher.requests.length === 2);
    expect(enricher.open).toHaveLength(1);
    enricher.open[0]!.answer({ entities: {} });
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(landed()).toHaveLength(1);
  });

  it('are left to another process that has their claim by then', async () => {
    const enricher = createFakeEnricher();
    await start(enricher);
    const { receipt } = await harness.accept(transactionAdded(1));
    await waitFor(enricher, 1);
    isHolding = false;
    enricher.open[0]!.answer({ entities: {} });
    // Here the same process claims it again.
    await until(() => enricher.requests.length === 2);
    expect(landed()).toEqual([]);
    isHolding = true;
    enricher.open[0]!.answer({ entities: {} });
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(landed()).toHaveLength(1);
  });

  it('are not waited for any more if the source no longer enriches', async () => {
    const enricher = createFakeEnricher();
    await start(enricher);
    const { receipt } = await harness.accept(transactionAdded(1));
    await waitFor(enricher, 1);
    await harness.reload(({ sources }) => delete sources[0]!['enrich']);
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(enricher.requests).toHaveLength(1);
  });
});

it('is not asked for a destination that maps in Adobe', async () => {
  const enricher = createFakeEnricher();
  await start(enricher, ({ destinations }) => Object.assign(destinations[0]!, { format: 'raw' }));
  const { receipt } = await harness.accept(pointsIssued(1, 1));
  await harness.whenSettled(receipt);
  expect(enricher.requests).toEqual([]);
});
