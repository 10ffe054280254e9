import { afterEach, expect, it } from 'vitest';
import { customerDeleted, customersMerged, customerUpdated } from '../fixtures/customers.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { createFakeEnricher, fetchedBill, foundCustomer } from './fake-enricher.ts';

const T = Date.now() - 3_600_000;

let harness: DeliveryHarness;
afterEach(() => harness.close());

async function deliver(...events: object[]): Promise<string[]> {
  await harness.destinations.start();
  const receipts: string[] = [];
  for (const event of events) {
    const { receipt } = await harness.accept(event);
    await harness.whenSettled(receipt);
    receipts.push(receipt);
  }
  return receipts;
}

function repeat(receipts: readonly string[]) {
  return harness.destinations.sentRecords('acme-aep').of(receipts);
}

/** What landed for an event, as the reader describes it. */
function landedEvent(id: string) {
  const [record] = harness.simulator.landed({ id, kind: 'event' }).slice(-1);
  return {
    id,
    at: Date.parse(record?.entity['timestamp'] as string),
    bytes: Buffer.byteLength(JSON.stringify(record?.entity)),
  };
}

/** The records of profiles that landed last, by primary identity. */
function lastProfiles(): Map<string, object> {
  const all = harness.simulator.landed({ kind: 'profile' });
  return new Map(all.map(({ identity, entity: { _id, ...entity } }) => [identity?.id ?? '', entity]));
}

it('makes again what was sent for events, and the record that was sent last for their customers', async () => {
  harness = await startDeliveryHarness();
  const receipts = await deliver(
    customerUpdated(1, T, { firstName: 'Meera' }),
    transactionAdded(1),
    pointsIssued(1, 120),
    customerUpdated(2, T + 1, { firstName: 'Asha' }),
    customersMerged(1, 2, T + 2),
    customerUpdated(3, T + 3),
  );
  const records = await repeat(receipts);
  expect([...records.keys()]).toEqual(receipts);
  const profiles = lastProfiles();
  let compared = 0;
  for (const { event, identity, profile } of records.values()) {
    expect(event).toEqual(landedEvent(event!.id));
    const last = harness.simulator.landed({ id: event!.id, kind: 'event' }).at(-1)!;
    expect(identity).toEqual(last.identity && { namespace: last.identity.namespace, id: last.identity.id });
    // The record of a merged customer is that of the survivor.
    if (profile === undefined || identity.id === '2') continue;
    const { _id: _, ...entity } = profile.entity;
    expect(entity).toEqual(profiles.get(identity.id));
    compared += 1;
  }
  expect(compared).toBeGreaterThan(3);
});

it('uses the entities that were stored with an event, and asks for none', async () => {
  const enricher = createFakeEnricher(({ event }) => ({
    entities: {
      customer: foundCustomer(1, { firstName: 'Meera' }, Date.now()),
      ...(event.eventName === 'transactionAdded' ? { bill: fetchedBill(900_001) } : {}),
    },
  }));
  harness = await startDeliveryHarness(
    (config) => Object.assign(config.sources[0]!, { enrich: {} }),
    {},
    () => ({}),
    () => enricher,
  );
  const receipts = await deliver(transactionAdded(1), pointsIssued(1, 120));
  const asked = enricher.requests.length;
  const records = await repeat(receipts);
  expect(enricher.requests).toHaveLength(asked);
  const { profile, event } = records.get(receipts[1]!)!;
  expect(event).toEqual(landedEvent(event!.id));
  const { _id: _, ...entity } = profile!.entity;
  expect(entity).toEqual(lastProfiles().get('1'));
  expect(entity).toMatchObject({ person: { name: { firstName: 'Meera' } } });
  expect(records.get(receipts[0]!)?.event).toEqual(landedEvent(records.get(receipts[0]!)!.event!.id));
});

it('has the `_id` of a replay as new', async () => {
  harness = await startDeliveryHarness();
  const [receipt] = await deliver(customerUpdated(1, T));
  await harness.journal.replay({ filter: { receipts: [receipt!] }, asNew: true, by: 'ops' });
  await harness.whenSettledTimes(receipt!, 2);
  const record = (await repeat([receipt!])).get(receipt!);
  expect(record?.event?.id).toMatch(/-r\d+$/);
  expect(record?.event).toEqual(landedEvent(record!.event!.id));
});

it('omits what is not delivered, what is erased and what nobody knows', async () => {
  harness = await startDeliveryHarness();
  const [erased] = await deliver(customerUpdated(1, T), customerDeleted(1, T + 1));
  const waiting = await harness.accept(customerUpdated(2, T));
  await harness.destinations.stop();
  const records = await repeat([erased!, 'unknown']);
  expect([...records.keys()]).toEqual([]);
  expect(waiting.receipt).not.toBe(erased);
});
