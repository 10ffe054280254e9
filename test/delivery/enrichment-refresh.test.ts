import { afterEach, expect, it } from 'vitest';
import type { Enrichment } from '../../src/capillary/enricher.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';
import { createFakeEnricher, type FakeEnricher, fetchedBill, foundCustomer } from './fake-enricher.ts';

let harness: DeliveryHarness;
let enricher: FakeEnricher;
/** What is answered next; the last answer is repeated. */
let answers: Enrichment[];

afterEach(() => harness.close());

const ROUTES = [{ source: 'acme', destination: 'acme-aep' }];
const AWAY: Enrichment = {
  entities: {},
  missing: { customer: 'unavailable', bill: 'unavailable', retryIn: 0 },
};

async function start(...first: Enrichment[]): Promise<void> {
  answers = first;
  enricher = createFakeEnricher(() => (answers.length > 1 ? answers.shift() : answers[0]));
  harness = await startDeliveryHarness(
    ({ sources }) => Object.assign(sources[0]!, { enrich: {} }),
    {},
    () => ({}),
    () => enricher,
  );
  await harness.destinations.start();
}

async function refresh(): Promise<number> {
  return (await harness.journal.refresh({ routes: ROUTES, running: 10 })).started;
}

const eventsSent = () => harness.simulator.landed({ kind: 'event' });
const recordsSent = () => harness.simulator.landed({ kind: 'profile' });
/** Including what Adobe recognised as sent before. */
const messagesSent = (kind: 'event' | 'profile') =>
  harness.requests.filter((request) => request.kind === kind).reduce((sum, one) => sum + one.messages, 0);

it('sends what was missing of a bill as a correction, and keeps what was delivered', async () => {
  const event = transactionAdded(1);
  await start(AWAY);
  const { receipt, id } = await harness.accept(event);
  await harness.whenSettled(receipt);
  expect(eventsSent().map((one) => one.id)).toEqual([id]);
  expect((await harness.record(receipt)).event.delivered).toEqual(['event']);

  answers = [{ entities: { customer: foundCustomer(1), bill: fetchedBill(event.data.transactionId) } }];
  expect(await refresh()).toBe(1);
  const settlement = await harness.whenSettledTimes(receipt, 2);
  expect(settlement).toMatchObject({
    state: 'delivered',
    enrichment: { refreshed: { customer: true, bill: true } },
  });
  expect(enricher.requests.at(-1)).toMatchObject({
    purpose: 'refresh',
    parts: { customer: true, bill: true },
  });
  expect(eventsSent().map((one) => [one.id, one.eventType])).toEqual([
    [id, 'commerce.purchases'],
    [`${id}-lines`, 'loyalty.transactionUpdated'],
  ]);
  expect(eventsSent()[1]?.entity['productListItems']).toHaveLength(1);
  const record = await harness.record(receipt);
  expect(record.event).toMatchObject({
    state: 'delivered',
    delivered: ['event', 'profile'],
    idSuffix: '',
  });
  expect(await harness.journal.refreshes()).toEqual([]);
});

it('sends no event again for a profile', async () => {
  await start({ entities: {}, missing: { customer: 'budget', retryIn: 0 } });
  const { receipt } = await harness.accept(pointsIssued(1, 10));
  await harness.whenSettled(receipt);
  const before = (await harness.record(receipt)).event.delivered;
  expect(before).toEqual(['event', 'profile']);

  answers = [{ entities: { customer: foundCustomer(1) } }];
  expect(await refresh()).toBe(1);
  expect(await harness.whenSettledTimes(receipt, 2)).toMatchObject({ state: 'delivered' });
  expect(messagesSent('event')).toBe(1);
  expect((await harness.record(receipt)).event.delivered).toEqual(before);
  expect(await harness.journal.refreshes()).toEqual([]);
});

it('sends nothing while the API does not answer, and tries again', async () => {
  await start(AWAY);
  const { receipt } = await harness.accept(transactionAdded(1));
  await harness.whenSettled(receipt);
  const { delivered } = (await harness.record(receipt)).event;
  expect(await refresh()).toBe(1);
  const settlement = await harness.whenSettledTimes(receipt, 2);
  // A failed refresh is not repeated as soon as it can help.
  expect(settlement).toMatchObject({
    state: 'delivered',
    delivered,
    enrichment: { missing: { customer: true, bill: true, dueIn: 60_000 } },
  });
  expect(await harness.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1, running: 0 }]);
  expect(await refresh()).toBe(0);
  expect([messagesSent('event'), messagesSent('profile')]).toEqual([1, recordsSent().length]);
});

it('is not needed any more when a later event of the customer has fetched the profile', async () => {
  await start(AWAY);
  const first = await harness.accept(pointsIssued(1, 10));
  await harness.whenSettled(first.receipt);
  expect(await harness.journal.refreshes()).toMatchObject([{ customers: 1 }]);
  answers = [{ entities: { customer: foundCustomer(1) } }];
  const second = await harness.accept(pointsIssued(1, 20));
  await harness.whenSettled(second.receipt);
  expect(await harness.journal.refreshes()).toMatchObject([{ customers: 0, bills: 1 }]);
});

it('repeats what Adobe did not take, and nothing else', async () => {
  const event = transactionAdded(1);
  await start(AWAY);
  const { receipt } = await harness.accept(event);
  await harness.whenSettled(receipt);
  answers = [{ entities: { bill: fetchedBill(event.data.transactionId) } }];
  harness.simulator.setFaults([{ on: 'inlet', times: 1, then: { status: 503 } }]);
  expect(await refresh()).toBe(1);
  await until(async () => (await harness.journal.refreshes()).length === 0);
  expect((await harness.record(receipt)).event.state).toBe('delivered');
  expect(messagesSent('event')).toBe(3);
});

it('an operator replays an event with what was fetched for it', async () => {
  const event = transactionAdded(1);
  await start({ entities: { customer: foundCustomer(1), bill: fetchedBill(event.data.transactionId) } });
  const { receipt } = await harness.accept(event);
  await harness.whenSettled(receipt);
  await harness.journal.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga' });
  const settlement = await harness.whenSettledTimes(receipt, 2);
  // It may be older than what other events of the customer are to be refreshed with.
  expect(settlement).not.toHaveProperty('enrichment');
  const last = enricher.requests.at(-1);
  expect(last).toMatchObject({
    purpose: 'replay',
    stored: { bill: { bill: { lines: [{ sku: 'TEA-1' }] } } },
  });
  expect(messagesSent('event')).toBe(2);

  await harness.journal.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga', refetch: true });
  await harness.whenSettledTimes(receipt, 3);
  expect(enricher.requests.at(-1)?.stored).toBeUndefined();
});

/** Replays a complete event with refetch; its entities are from long before. */
async function refetched(answer: (transactionId: number) => Enrichment) {
  const event = transactionAdded(1);
  const { transactionId } = event.data;
  const old = { customer: foundCustomer(1, {}, 1_000), bill: fetchedBill(transactionId, 1_000) };
  await start({ entities: old });
  const { receipt, id } = await harness.accept(event);
  await harness.whenSettled(receipt);
  answers = [answer(transactionId)];
  await harness.journal.replay({ filter: { receipts: [receipt] }, asNew: true, by: 'olga', refetch: true });
  const settlement = await harness.whenSettledTimes(receipt, 2);
  expect(enricher.requests.at(-1)).toMatchObject({ purpose: 'replay', stored: undefined });
  const sent = eventsSent().at(-1);
  expect(sent?.id).toBe(`${id}-r1`);
  expect(JSON.stringify(sent)).toContain('TEA-1');
  const stored = (await harness.journal.enrichments([receipt])).get(receipt);
  return { old, settlement, stored };
}

it('a replay that fetches again stores the new answer', async () => {
  let fresh: Enrichment['entities'] = {};
  const { settlement, stored } = await refetched((transactionId) => {
    fresh = { customer: foundCustomer(1), bill: fetchedBill(transactionId) };
    return { entities: fresh };
  });
  expect(settlement.enrichment).toMatchObject({ refreshed: { customer: true, bill: true } });
  expect(stored).toEqual({ entities: JSON.stringify(fresh) });
});

it('a replay that fetches again sends what is stored if the API is away', async () => {
  const { old, settlement, stored } = await refetched(() => AWAY);
  // Not missing: a refresh would send the lines once more, as a correction.
  expect(settlement).not.toHaveProperty('enrichment');
  expect(stored).toEqual({ entities: JSON.stringify(old) });
  expect(await refresh()).toBe(0);
});
