import { afterEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';

let rig: DeliveryRig;
const start = async (messagesPerSecond: number, more: Record<string, unknown> = {}): Promise<void> => {
  rig = await startDeliveryRig((config) => {
    Object.assign(config.destinations[0]!, { limits: { messagesPerSecond } }, more);
  });
};
afterEach(() => rig.close());

interface Sent {
  readonly receipt: string;
  readonly id: string;
}

const acceptAll = async (events: readonly object[]): Promise<Sent[]> => {
  const sent: Sent[] = [];
  for (const event of events) sent.push(await rig.accept(event));
  return sent;
};

/** Dead letters, as if Adobe had refused them. */
const bury = async (events: readonly object[]): Promise<Sent[]> => {
  const buried = await acceptAll(events);
  for (const { receipt } of buried) {
    const common = { receipt, now: Date.now(), attempts: [], delivered: [], sent: [] };
    await rig.journal.settle({ ...common, state: 'dead', reason: 'rejected', detail: 'no such field' });
  }
  return buried;
};

const replay = () =>
  rig.journal.replay({ filter: { states: ['dead'] }, asNew: false, by: 'olga', now: Date.now() });

const delivered = async (sent: readonly Sent[]): Promise<void> => {
  const outcomes = await Promise.all(sent.map(({ receipt }) => rig.settled(receipt)));
  expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
};

const idsOf = (sent: readonly Sent[]): string[] => sent.map(({ id }) => id);
const landed = (): string[] => rig.simulator.landed({ kind: 'event' }).flatMap(({ id }) => id ?? []);

/** So many events for each of so many customers, the customers in turn. */
const eventsOf = (customers: number, each: number): object[] =>
  Array.from({ length: customers * each }, (_, n) => pointsIssued(1 + (n % customers), n));

const CUSTOMERS = 10;

describe('a replay beside live traffic', () => {
  it('takes nothing from it, keeps the order of both, and lands whole', async () => {
    await start(2_000);
    const old = await bury(eventsOf(CUSTOMERS, 12));
    expect(await replay()).toEqual({ replayed: old.length });
    await rig.destinations.start();
    const live = await acceptAll(eventsOf(CUSTOMERS, 12));
    await Promise.all([delivered(live), delivered(old)]);

    expect(landed().toSorted()).toEqual([...idsOf(live), ...idsOf(old)].toSorted());
    for (const queue of [live, old]) {
      for (let customer = 0; customer < CUSTOMERS; customer += 1) {
        const own = idsOf(queue).filter((_, n) => n % CUSTOMERS === customer);
        expect(landed().filter((id) => own.includes(id))).toEqual(own);
      }
    }
    expect(await rig.journal.backlog()).toMatchObject([{ pending: 0, replaying: 0 }]);
  });

  it('is sent after what waits already', async () => {
    await start(2_000);
    const old = await bury(Array.from({ length: 30 }, (_, n) => transactionAdded(n + 1)));
    await replay();
    const live = await acceptAll(Array.from({ length: 30 }, (_, n) => transactionAdded(n + 1)));
    await rig.destinations.start();
    await Promise.all([delivered(live), delivered(old)]);
    expect(landed().slice(0, 30).toSorted()).toEqual(idsOf(live).toSorted());
  });
});

describe('a replay with nothing beside it', () => {
  it('is no faster than its share', async () => {
    // A tenth of 600 messages, two for each event: 30 events at once and 30 in each second.
    // Five in flight at most, and nothing but their ends and the share to wake the dispatcher.
    await start(600, {
      limits: { messagesPerSecond: 600, concurrency: 1 },
      batch: { maxMessages: 10, maxWait: '20ms' },
      retry: { minDelay: '50ms', maxDelay: '1h' },
    });
    const old = await bury(Array.from({ length: 60 }, (_, n) => transactionAdded(n + 1)));
    await replay();
    const begun = performance.now();
    await rig.destinations.start();
    await delivered(old);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_000);
    expect(landed().toSorted()).toEqual(idsOf(old).toSorted());
  });

  it('probes a destination that waits, as any event does', async () => {
    await start(2_000);
    const old = await bury([transactionAdded(1)]);
    rig.simulator.setFaults([{ on: 'inlet', times: 2, then: { status: 429, retryAfter: 0 } }]);
    await replay();
    await rig.destinations.start();
    await delivered(old);
    expect(landed()).toEqual(idsOf(old));
  });
});
