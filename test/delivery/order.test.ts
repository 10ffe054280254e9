import { afterEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';

let rig: DeliveryRig;
afterEach(() => rig.close());

/** `_id`s in the order in which they landed first. */
const firstLandings = (): string[] => [
  ...new Set(rig.simulator.landed({ kind: 'event' }).map((record) => record.id ?? '')),
];

describe('the order of each customer', () => {
  it('holds under failing items, failing requests and lost answers', async () => {
    rig = await startDeliveryRig((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, { poisonAttempts: 100 });
    });
    rig.simulator.setFaults([
      { on: 'batch', probability: 0.1, then: { status: 500 } },
      { on: 'batch', probability: 0.1, then: { reset: 'before', landed: true } },
      { on: 'batch', then: { items: { which: { fraction: 0.2 }, status: 503 } } },
    ]);
    const byCustomer = new Map<number, string[]>();
    const all = [];
    for (let at = 0; at < 120; at += 1) {
      const customer = at % 3 === 0 ? 0 : at % 12;
      const one = await rig.accept(transactionAdded(customer));
      byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), one.id]);
      all.push(one);
    }
    await rig.destinations.start();
    const outcomes = await Promise.all(all.map(({ receipt }) => rig.settled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    const landed = firstLandings();
    for (const ids of byCustomer.values()) expect(landed.filter((id) => ids.includes(id))).toEqual(ids);
    expect(rig.simulator.stats()).toMatchObject({ overlapping: 0, sameKeyInRequest: 0 });
  });

  it('lets no customer wait for another one that is stuck', async () => {
    rig = await startDeliveryRig();
    const stuck = await rig.accept(transactionAdded(1));
    const behind = await rig.accept(transactionAdded(1));
    rig.simulator.setFaults([
      {
        on: 'inlet',
        match: { ids: [stuck.id] },
        then: { items: { status: 503, which: { match: { ids: [stuck.id] } } } },
      },
    ]);
    const others = await Promise.all(
      Array.from({ length: 30 }, (_, at) => rig.accept(transactionAdded(at + 2))),
    );
    await rig.destinations.start();
    await Promise.all(others.map(({ receipt }) => rig.settled(receipt)));
    expect(firstLandings()).not.toContain(behind.id);
  });

  it('lets the events of a hot customer wait for each other only, not for company', async () => {
    rig = await startDeliveryRig((config) => {
      config.destinations[0]!['batch'] = { maxWait: '2s' };
    });
    const all = [];
    for (let at = 0; at < 60; at += 1) all.push(await rig.accept(transactionAdded(1)));
    await rig.destinations.start();
    // Were each to wait for company, this would take two minutes: longer than a test may.
    const outcomes = await Promise.all(all.map(({ receipt }) => rig.settled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    expect(firstLandings()).toEqual(all.map(({ id }) => id));
  });

  it('does not let one hot customer stop the rest', async () => {
    rig = await startDeliveryRig();
    for (let at = 0; at < 300; at += 1) await rig.accept(transactionAdded(1));
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, at) => rig.accept(transactionAdded(at + 2))),
    );
    await rig.destinations.start();
    await Promise.all(others.map(({ receipt }) => rig.settled(receipt)));
    // All the others took no more requests than a few; the hot one has had one event in each.
    expect(rig.simulator.stats().kinds.event.landed).toBeLessThan(50 + 30);
  });
});
