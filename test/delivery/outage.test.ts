import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

/** As by default. The harness is faster. */
const RETRY = { minDelay: '1s', maxDelay: '5m' };
const OUTAGE_MS = 5_000;

const OUTAGES: [string, FaultRuleInput['then']][] = [
  ['answers 503', { status: 503 }],
  ['resets connections', { reset: 'before' }],
];

it.each(OUTAGES)(
  'what was accepted while the inlet %s for 5 s lands as soon as it returns',
  async (_what, then) => {
    harness = await startDeliveryHarness((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, RETRY);
    });
    await harness.destinations.start();
    const first = await harness.accept(transactionAdded(1));
    await harness.whenSettled(first.receipt);

    harness.simulator.setFaults([{ on: 'inlet', then }]);
    const end = performance.now() + OUTAGE_MS;
    const accepted = [];
    for (let at = 1; performance.now() < end; at += 1) {
      accepted.push(await harness.accept(at % 5 === 0 ? pointsIssued(at, 5) : transactionAdded(at)));
      await sleep(100);
    }
    const failed = harness.requests.length;
    harness.simulator.setFaults([]);
    const returnedAt = performance.now();
    const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    const ms = performance.now() - returnedAt;

    expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
    expect(ms).toBeLessThan(3_000);
    // The first requests, and a probe each half second.
    expect(failed).toBeLessThan(3 + 2 * 2 * (OUTAGE_MS / 1_000));
  },
);

it('no event of an outage keeps a long wait of its own, however many probes it was', async () => {
  harness = await startDeliveryHarness((config) => {
    Object.assign(config.destinations[0]!['retry'] as object, { minDelay: '20ms', maxDelay: '5m' });
  });
  harness.simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
  const accepted = [await harness.accept(transactionAdded(1)), await harness.accept(transactionAdded(2))];
  await harness.destinations.start();
  // After twelve failures an event would wait for up to 80 s.
  for (const { receipt } of accepted) await harness.whenSettledTimes(receipt, 12);
  harness.simulator.setFaults([]);
  const returnedAt = performance.now();
  await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
  expect(performance.now() - returnedAt).toBeLessThan(10_000);
});
