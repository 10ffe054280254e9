import { afterEach, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

function withOverride(profile: string) {
  return ({ sources: [source] }: RelayConfig): void => {
    source!['overrides'] = { transactionAdded: { profile } };
  };
}
const FIXED = '{"_acme": {"lastBill": event.data.billNumber}}';

it.each([
  ['fails', '$number(event.data.billNumber)', /JSONata code D3030 at character 8$/],
  ['runs too long', '($f := function($n) { $f($n + 1) }; $f(0))', /JSONata code D1012 .* at character \d+$/],
  ['does not return an object', 'event.data.billNumber', /the result is not an object$/],
])(
  'an override that %s makes a dead letter, and a replay after the fix delivers all messages',
  async (_what, broken, why) => {
    harness = await startDeliveryHarness(withOverride(broken));
    await harness.destinations.start();
    const { receipt, id } = await harness.accept(transactionAdded(3));

    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'dead', reason: 'mapping' });
    const { event, sent, body } = await harness.record(receipt);
    expect(event.detail).toMatch(/^source acme, transactionAdded, override of the profile: /);
    expect(event.detail).toMatch(why);
    expect({ sent, delivered: event.delivered, hasBody: body !== undefined }).toEqual({
      sent: [],
      delivered: [],
      hasBody: true,
    });
    expect(harness.simulator.landed()).toEqual([]);

    // It does not block the lane: the next event of the customer is delivered.
    expect(await harness.whenSettled((await harness.accept(pointsIssued(3, 10))).receipt)).toMatchObject({
      state: 'delivered',
    });

    await harness.reconfigure(withOverride(FIXED));
    const replayed = harness.whenSettledTimes(receipt, 2);
    await harness.journal.replay({
      filter: { receipts: [receipt] },
      asNew: false,
      by: 'olga',
    });

    expect(await replayed).toMatchObject({ state: 'delivered', delivered: ['event', 'profile'] });
    expect(harness.simulator.landed({ id })).toMatchObject([
      { kind: 'event', duplicates: 0 },
      { kind: 'profile', dropped: [], entity: { _acme: { lastBill: expect.stringMatching(/^B-/) } } },
    ]);
  },
);
