import { afterEach, describe, expect, it } from 'vitest';
import type { Enricher } from '../../src/capillary/enricher.ts';
import type { FetchedCustomer } from '../../src/capillary/entities.ts';
import { laneOf } from '../../src/capillary/event-identity.ts';
import { pointsIssued } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';
import { createFakeEnricher, foundCustomer } from './fake-enricher.ts';

const ORG = 100458;
const VICTIM = 7;
const SURVIVOR = 9;

let harness: DeliveryHarness;
afterEach(() => harness.close());

/**
 * The API says of the victim that it was merged, and `into` whom, unless nobody knows it.
 * @param isSlow whether the survivor's own events wait for their answer
 */
function enricherOf(into: number | undefined, isSlow = false): Enricher {
  return createFakeEnricher(({ event, stored }) => {
    if (stored !== undefined) return { entities: stored };
    const { customerId } = event;
    if (customerId !== String(VICTIM) && isSlow) return 'later';
    if (customerId !== String(VICTIM)) return { entities: { customer: foundCustomer(Number(customerId)) } };
    const { at, calls } = foundCustomer(SURVIVOR);
    const merged: FetchedCustomer =
      into === undefined
        ? { at, calls, kind: 'merged' }
        : { ...foundCustomer(into), kind: 'merged', into: String(into) };
    return { entities: { customer: merged } };
  });
}

async function start(
  enricher: Enricher,
  change: (config: RelayConfig) => void = () => undefined,
): Promise<void> {
  harness = await startDeliveryHarness(
    (config) => {
      Object.assign(config.sources[0]!, { enrich: {} });
      change(config);
    },
    {},
    () => ({}),
    () => enricher,
  );
  await harness.destinations.start();
}

async function mergeEvents() {
  const { items } = await harness.journal.list({ eventName: 'loyaltyCustomerMerge' }, { limit: 10 });
  return items;
}

describe('an event of a customer who was merged', () => {
  it('waits for the merge that the relay appends, and goes to the survivor', async () => {
    await start(enricherOf(SURVIVOR));
    const earlier = await harness.accept(pointsIssued(SURVIVOR, 30));
    await harness.whenSettled(earlier.receipt);
    const { receipt } = await harness.accept(pointsIssued(VICTIM, 10));
    const next = await harness.accept(pointsIssued(VICTIM, 12));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
    expect(await harness.whenSettled(next.receipt)).toMatchObject({ state: 'delivered' });

    const [merge, ...others] = await mergeEvents();
    expect(others).toEqual([]);
    expect(merge).toMatchObject({
      source: 'acme',
      destination: 'acme-aep',
      verifiedBy: 'enrichment',
      customerId: String(SURVIVOR),
      lane: laneOf(ORG, String(SURVIVOR)),
      state: 'delivered',
    });
    expect((await harness.record(receipt)).event).toMatchObject({
      lane: laneOf(ORG, String(SURVIVOR)),
      ownLane: laneOf(ORG, String(VICTIM)),
      failedAttempts: 0,
    });
    const types = harness.simulator.landed({ kind: 'event' }).map(({ eventType }) => eventType);
    expect(types.filter((type) => type === 'loyalty.customerMerge')).toHaveLength(1);
    expect(await harness.journal.ledger()).toMatchObject({ acme: { accepted: 4, delivered: 4, pending: 0 } });
  });

  it('is appended once for all events, and once over restarts', async () => {
    await start(enricherOf(SURVIVOR));
    await harness.destinations.pause('acme-aep', 'olga');
    const first = await harness.accept(pointsIssued(VICTIM, 10));
    const second = await harness.accept(pointsIssued(VICTIM, 12));
    await harness.destinations.resume('acme-aep');
    await harness.reconfigure(() => undefined);
    await Promise.all([first, second].map(({ receipt }) => harness.whenSettled(receipt)));
    expect(await mergeEvents()).toHaveLength(1);
  });

  it('is sent without a profile record if nobody knows into whom', async () => {
    await start(enricherOf(undefined));
    const { receipt, id } = await harness.accept(pointsIssued(VICTIM, 10));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered', delivered: ['event'] });
    expect(harness.simulator.landed({ kind: 'event' }).map((one) => one.id)).toEqual([id]);
    expect(harness.simulator.landed({ kind: 'profile' })).toEqual([]);
    expect(await mergeEvents()).toEqual([]);
  });

  it('waits for its survivor for maxDelay only', async () => {
    await start(enricherOf(SURVIVOR, true), ({ sources }) =>
      Object.assign(sources[0]!, { enrich: { maxDelay: '1500ms' } }),
    );
    // The merge waits behind it.
    await harness.accept(pointsIssued(SURVIVOR, 30));
    const { receipt } = await harness.accept(pointsIssued(VICTIM, 10));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered', delivered: ['event'] });
    expect(harness.simulator.landed({ kind: 'profile' })).toEqual([]);
    expect(await mergeEvents()).toMatchObject([{ state: 'pending' }]);
  });
});
