import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

it.each([
  ['', async () => undefined],
  [
    ', while the destination is reloaded',
    async () => {
      for (const maxWait of ['1ms', '2ms', '3ms']) {
        await sleep(200);
        await harness.reload((config) => {
          config.destinations[0]!['batch'] = { maxWait, maxMessages: 10 };
        });
      }
    },
  ],
])(
  'respects the limits of requests and messages in any one second, as Adobe sees them%s',
  async (_when, meanwhile) => {
    harness = await startDeliveryHarness((config) => {
      config.destinations[0]!['limits'] = { requestsPerSecond: 5, messagesPerSecond: 30, concurrency: 3 };
      config.destinations[0]!['batch'] = { maxWait: '0ms', maxMessages: 10 };
    });
    harness.simulator.setFaults([{ on: 'batch', then: { delayMs: 30 } }]);
    const accepted = await Promise.all(
      Array.from({ length: 90 }, (_, customer) => harness.accept(transactionAdded(customer))),
    );
    await harness.destinations.start();
    await meanwhile();
    await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    const landed = harness.simulator.landed({ kind: 'event' });
    for (const { at } of landed) {
      const within = landed.filter((one) => one.at >= at && one.at < at + 1_000);
      expect(within.length).toBeLessThanOrEqual(30);
      expect(new Set(within.map((one) => one.requestId)).size).toBeLessThanOrEqual(5);
    }
    expect(harness.simulator.stats().maxConcurrent).toBeLessThanOrEqual(3);
  },
);
