import { afterEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
async function start(messagesPerSecond: number, more: Record<string, unknown> = {}): Promise<void> {
  harness = await startDeliveryHarness((config) => {
    Object.assign(config.destinations[0]!, { limits: { messagesPerSecond } }, more);
  });
}
afterEach(() => harness.close());

interface Sent {
  readonly receipt: string;
  readonly id: string;
}

async function acceptAll(events: readonly object[]): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const event of events) sent.push(await harness.accept(event));
  return sent;
}

/** Makes dead letters, as if Adobe had refused the events. */
async function createDeadLetters(events: readonly object[]): Promise<Sent[]> {
  const accepted = await acceptAll(events);
  const dead = {
    attempts: [],
    delivered: [],
    state: 'dead',
    reason: 'rejected',
    detail: 'no',
    sent: [],
  } as const;
  for (let settled = 0; settled < accepted.length; ) {
    const { token, events: claimed } = await harness.claim();
    const settlements = claimed.map(({ receipt }) => ({ receipt, ...dead }));
    await harness.journal.settle(token, settlements);
    settled += claimed.length;
  }
  return accepted;
}

function replay() {
  return harness.journal.replay({ filter: { states: ['dead'] }, asNew: false, by: 'olga' });
}

async function delivered(sent: readonly Sent[]): Promise<void> {
  const outcomes = await Promise.all(sent.map(({ receipt }) => harness.whenSettled(receipt)));
  expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
}

function idsOf(sent: readonly Sent[]): string[] {
  return sent.map(({ id }) => id);
}
function landed(): string[] {
  return harness.simulator.landed({ kind: 'event' }).flatMap(({ id }) => id ?? []);
}

/** `each` events for each of `customers` customers, interleaved. */
function eventsOf(customers: number, each: number): object[] {
  return Array.from({ length: customers * each }, (_, n) => pointsIssued(1 + (n % customers), n));
}

const CUSTOMERS = 10;

describe('a replay during live traffic', () => {
  it('does not delay it, keeps the order of both, and is complete', async () => {
    await start(2_000);
    const old = await createDeadLetters(eventsOf(CUSTOMERS, 12));
    expect(await replay()).toEqual({ replayed: old.length });
    await harness.destinations.start();
    const live = await acceptAll(eventsOf(CUSTOMERS, 12));
    await Promise.all([delivered(live), delivered(old)]);

    expect(landed().toSorted()).toEqual([...idsOf(live), ...idsOf(old)].toSorted());
    for (const queue of [live, old]) {
      for (let customer = 0; customer < CUSTOMERS; customer += 1) {
        const own = idsOf(queue).filter((_, n) => n % CUSTOMERS === customer);
        expect(landed().filter((id) => own.includes(id))).toEqual(own);
      }
    }
    expect(await harness.journal.backlog()).toMatchObject([{ pending: 0, replaying: 0 }]);
  });

  it('is sent after the events that already wait', async () => {
    await start(2_000);
    const old = await createDeadLetters(Array.from({ length: 30 }, (_, n) => transactionAdded(n + 1)));
    await replay();
    const live = await acceptAll(Array.from({ length: 30 }, (_, n) => transactionAdded(n + 1)));
    await harness.destinations.start();
    await Promise.all([delivered(live), delivered(old)]);
    expect(landed().slice(0, 30).toSorted()).toEqual(idsOf(live).toSorted());
  });
});

describe('a replay without live traffic', () => {
  it('is no faster than its share of the limits', async () => {
    // A tenth of 600 messages, two for each event: 30 events at once and 30 in each second.
    // Five in flight at most; only their completion and the throttle wake the dispatcher.
    await start(600, {
      limits: { messagesPerSecond: 600, concurrency: 1 },
      batch: { maxMessages: 10, maxWait: '20ms' },
      retry: { minDelay: '50ms', maxDelay: '1h' },
    });
    const old = await createDeadLetters(Array.from({ length: 60 }, (_, n) => transactionAdded(n + 1)));
    await replay();
    const startedAt = performance.now();
    await harness.destinations.start();
    await delivered(old);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(landed().toSorted()).toEqual(idsOf(old).toSorted());
  });

  it('probes a waiting destination, as any event does', async () => {
    await start(2_000);
    const old = await createDeadLetters([transactionAdded(1)]);
    harness.simulator.setFaults([{ on: 'inlet', times: 2, then: { status: 429, retryAfter: 0 } }]);
    await replay();
    await harness.destinations.start();
    await delivered(old);
    expect(landed()).toEqual(idsOf(old));
  });
});
