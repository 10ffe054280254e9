import { afterEach, expect, it } from 'vitest';
import type { Enrichment } from '../../src/capillary/enricher.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';
import { createFakeEnricher, fetchedBill, foundCustomer } from './fake-enricher.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

const CUSTOMERS = 12;
const EVENTS = 120;
const ROUTES = [{ source: 'acme', destination: 'acme-aep' }];

it('keeps the order of each customer and an exact ledger, whatever the API does', async () => {
  const random = createRandom(20);
  const enricher = createFakeEnricher(() => (random() < 0.3 ? undefined : 'later'));
  const answerOf = (customerId: number): Enrichment => {
    const customer = foundCustomer(customerId);
    if (random() < 0.6) return { entities: { customer, bill: fetchedBill(1) } };
    return { entities: { customer }, missing: { bill: 'timeout', retryIn: 0 } };
  };
  harness = await startDeliveryHarness(
    ({ sources, destinations }) => {
      Object.assign(sources[0]!, { enrich: {} });
      Object.assign(destinations[0]!, {
        limits: { concurrency: 2 },
        batch: { maxMessages: 8, maxWait: '5ms' },
      });
    },
    {},
    () => ({}),
    () => enricher,
  );
  await harness.destinations.start();
  harness.simulator.setFaults([{ on: 'inlet', probability: 0.1, then: { status: 503 } }]);

  const accepted: { receipt: string; id: string; customer: number }[] = [];
  for (let n = 0; n < EVENTS; n += 1) {
    const customer = 1 + Math.floor(random() * CUSTOMERS);
    const event = random() < 0.5 ? transactionAdded(customer) : pointsIssued(customer, n);
    accepted.push({ ...(await harness.accept(event)), customer });
    if (n === 40) await harness.reload(({ sources }) => Object.assign(sources[0]!, { country: 'IE' }));
    if (n === 80) await harness.reconfigure(({ sources }) => Object.assign(sources[0]!, { country: 'GB' }));
    for (const one of enricher.open) if (random() < 0.5) one.answer(answerOf(Number(one.event.customerId)));
  }
  await until(async () => {
    for (const one of enricher.open) one.answer(answerOf(Number(one.event.customerId)));
    return (await harness.journal.ledger())['acme']?.pending === 0;
  });

  const first = new Map<string, number>();
  for (const { id, seq } of harness.simulator.landed({ kind: 'event' }))
    if (id !== undefined && !first.has(id)) first.set(id, seq);
  for (let customer = 1; customer <= CUSTOMERS; customer += 1) {
    const own = accepted.filter((one) => one.customer === customer).map(({ id }) => first.get(id) ?? 0);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
    expect(own).not.toContain(0);
  }

  // What was sent without its lines gets them, and nothing is sent twice for it.
  harness.simulator.setFaults([]);
  await until(async () => {
    await harness.journal.refresh({ routes: ROUTES, running: 5 });
    for (const one of enricher.open) one.answer({ entities: { bill: fetchedBill(1) } });
    return (await harness.journal.refreshes()).length === 0;
  });
  expect(await harness.journal.ledger()).toMatchObject({
    acme: { accepted: EVENTS, delivered: EVENTS, pending: 0, dead: 0, ignored: 0 },
  });
});
