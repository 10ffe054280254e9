import { afterEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

/** `_id`s in the order of their first landing. */
function firstLandings(): string[] {
  return [...new Set(harness.simulator.landed({ kind: 'event' }).map((record) => record.id ?? ''))];
}

describe('the order of a customer’s events', () => {
  it('is preserved despite failing items, failing requests and lost answers', async () => {
    harness = await startDeliveryHarness((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, { poisonAttempts: 100 });
    });
    harness.simulator.setFaults([
      { on: 'batch', probability: 0.1, then: { status: 500 } },
      { on: 'batch', probability: 0.1, then: { reset: 'before', landed: true } },
      { on: 'batch', then: { items: { which: { fraction: 0.2 }, status: 503 } } },
    ]);
    const byCustomer = new Map<number, string[]>();
    const all = [];
    for (let at = 0; at < 120; at += 1) {
      const customer = at % 3 === 0 ? 0 : at % 12;
      const one = await harness.accept(transactionAdded(customer));
      byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), one.id]);
      all.push(one);
    }
    await harness.destinations.start();
    const outcomes = await Promise.all(all.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    const landed = firstLandings();
    for (const ids of byCustomer.values()) expect(landed.filter((id) => ids.includes(id))).toEqual(ids);
    expect(harness.simulator.stats()).toMatchObject({ overlapping: 0, sameKeyInRequest: 0 });
  });

  it('does not block one customer by another whose event is stuck', async () => {
    harness = await startDeliveryHarness();
    const stuck = await harness.accept(transactionAdded(1));
    const behind = await harness.accept(transactionAdded(1));
    harness.simulator.setFaults([
      {
        on: 'inlet',
        match: { ids: [stuck.id] },
        then: { items: { status: 503, which: { match: { ids: [stuck.id] } } } },
      },
    ]);
    const others = await Promise.all(
      Array.from({ length: 30 }, (_, at) => harness.accept(transactionAdded(at + 2))),
    );
    await harness.destinations.start();
    await Promise.all(others.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(firstLandings()).not.toContain(behind.id);
  });

  it('makes the events of a busy customer wait for each other only, not for a full batch', async () => {
    harness = await startDeliveryHarness((config) => {
      config.destinations[0]!['batch'] = { maxWait: '2s' };
    });
    const all = [];
    for (let at = 0; at < 60; at += 1) all.push(await harness.accept(transactionAdded(1)));
    await harness.destinations.start();
    // If each waited for a full batch, this would take two minutes: longer than a test may.
    const outcomes = await Promise.all(all.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    expect(firstLandings()).toEqual(all.map(({ id }) => id));
  });

  it('does not let one busy customer block the others', async () => {
    harness = await startDeliveryHarness();
    for (let at = 0; at < 300; at += 1) await harness.accept(transactionAdded(1));
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, at) => harness.accept(transactionAdded(at + 2))),
    );
    await harness.destinations.start();
    await Promise.all(others.map(({ receipt }) => harness.whenSettled(receipt)));
    // All the others needed only a few requests; the busy customer had one event in each.
    expect(harness.simulator.stats().kinds.event.landed).toBeLessThan(50 + 30);
  });
});
