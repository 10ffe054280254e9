import { afterEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { customersMerged, customerUpdated } from '../fixtures/customers.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { until } from '../helpers/until.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

const T = 1_790_848_800_000;

let harness: DeliveryHarness;
afterEach(() => harness.close());

async function startWith(replaced: (journal: Journal) => Partial<Journal>): Promise<void> {
  harness = await startDeliveryHarness(() => undefined, {}, replaced);
}

async function acceptAll(events: readonly object[]): Promise<readonly string[]> {
  const receipts: string[] = [];
  for (const event of events) receipts.push((await harness.accept(event)).receipt);
  return receipts;
}

function statesOf(receipts: readonly string[]): Promise<readonly string[]> {
  return Promise.all(receipts.map(async (receipt) => (await harness.whenSettled(receipt)).state));
}

function numbered(count: number, create: (at: number) => object): readonly object[] {
  return Array.from({ length: count }, (_, index) => create(index + 1));
}

describe('the calls of the journal', () => {
  it('are one settlement for all events of a request, whose attempts name the request', async () => {
    const settled: (readonly string[])[] = [];
    const requestIds: (readonly string[])[] = [];
    await startWith((journal) => ({
      settle(token, settlements) {
        settled.push(settlements.map(({ receipt }) => receipt));
        requestIds.push(settlements.flatMap(({ attempts }) => attempts.map(({ request }) => request.id)));
        return journal.settle(token, settlements);
      },
    }));
    const receipts = await acceptAll(numbered(40, (at) => transactionAdded(at)));
    await harness.destinations.start();
    expect(new Set(await statesOf(receipts))).toEqual(new Set(['delivered']));
    const sent = harness.requests.map((request) => request.receipts);
    // Requests that end together are recorded in any order.
    expect(new Set(settled.map(String))).toEqual(new Set(sent.map(String)));
    expect(settled).toHaveLength(sent.length);
    expect(requestIds.map((ids) => new Set(ids).size)).toEqual(sent.map(() => 1));
  });

  it('settle an event when both of its messages have their outcome', async () => {
    const settled: (readonly string[])[] = [];
    await startWith((journal) => ({
      settle(token, settlements) {
        settled.push(settlements.map(({ delivered }) => delivered.toSorted().join()));
        return journal.settle(token, settlements);
      },
    }));
    harness.simulator.setFaults([{ on: 'batch', match: { flowId: 'profile-flow' }, then: { delayMs: 200 } }]);
    const receipts = await acceptAll(numbered(5, (at) => pointsIssued(at, 7)));
    await harness.destinations.start();
    expect(new Set(await statesOf(receipts))).toEqual(new Set(['delivered']));
    expect(new Set(settled.flat())).toEqual(new Set(['event,profile']));
    expect(settled.length).toBeLessThanOrEqual(harness.requests.length);
  });

  it('are one read of the customers who are merged, and one count of new contacts', async () => {
    const lanes: (readonly string[])[] = [];
    const counted: number[] = [];
    await startWith((journal) => ({
      profiles(destination, wanted) {
        lanes.push(wanted);
        return journal.profiles(destination, wanted);
      },
      countContacts(request) {
        counted.push(request.customers.length);
        return journal.countContacts(request);
      },
    }));
    const merges = numbered(4, (at) => customersMerged(at, at + 100, T + at));
    const updates = numbered(4, (at) =>
      customerUpdated(at + 200, T + at, {
        customerIdentifiers: { customerId: at + 200, instore: { email: `new${at}@example.org` } },
      }),
    );
    const receipts = await acceptAll([...merges, ...updates]);
    await harness.destinations.start();
    expect(new Set(await statesOf(receipts))).toEqual(new Set(['delivered']));
    expect(lanes.map(({ length }) => length)).toEqual([4]);
    // The merges have new contacts too.
    expect(counted).toEqual([8]);
  });
});

describe('an event that must wait', () => {
  it('for the state of a merged customer holds up no other event', async () => {
    const answer = Promise.withResolvers<void>();
    await startWith((journal) => ({
      profiles: async (destination, lanes) => {
        await answer.promise;
        return journal.profiles(destination, lanes);
      },
    }));
    const [merge = '', ...others] = await acceptAll([
      customersMerged(1, 2, T),
      ...numbered(20, (at) => transactionAdded(at + 10)),
    ]);
    await harness.destinations.start();
    expect(new Set(await statesOf(others))).toEqual(new Set(['delivered']));
    expect((await harness.record(merge)).event.state).toBe('pending');
    answer.resolve();
    expect(await statesOf([merge])).toEqual(['delivered']);
  });

  it('for the count of its contacts holds up none without new contacts', async () => {
    const answer = Promise.withResolvers<void>();
    await startWith((journal) => ({
      countContacts: async (request) => {
        await answer.promise;
        return journal.countContacts(request);
      },
    }));
    const identifiers = { customerId: 1, instore: { email: 'new@example.org' } };
    const [waiting = '', ...others] = await acceptAll([
      customerUpdated(1, T, { customerIdentifiers: identifiers }),
      ...numbered(20, (at) => pointsIssued(at + 10, 5)),
    ]);
    await harness.destinations.start();
    expect(new Set(await statesOf(others))).toEqual(new Set(['delivered']));
    expect((await harness.record(waiting)).event.state).toBe('pending');
    answer.resolve();
    expect(await statesOf([waiting])).toEqual(['delivered']);
  });
});

it('finds events although no wake-up arrives', async () => {
  let claimedAt = performance.now();
  await startWith((journal) => ({
    onClaimable: () => () => undefined,
    claim(claimant, limits) {
      claimedAt = performance.now();
      return journal.claim(claimant, limits);
    },
  }));
  await harness.destinations.start();
  await until(() => performance.now() - claimedAt > 200);
  const receipts = await acceptAll([transactionAdded(1)]);
  expect(await statesOf(receipts)).toEqual(['delivered']);
});
