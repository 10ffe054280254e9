import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
async function start(...args: Parameters<typeof startDeliveryHarness>): Promise<DeliveryHarness> {
  harness = await startDeliveryHarness(...args);
  return harness;
}
afterEach(() => harness.close());

function oneAfterAnother(...thens: FaultRuleInput['then'][]): FaultRuleInput[] {
  return thens.map((then) => ({ on: 'inlet', times: 1, then }));
}
function soon(): string {
  return new Date(Date.now() + 1_000).toUTCString();
}

/** What Adobe answers, request by request, before it recovers. */
const SEQUENCES: [string, FaultRuleInput['then'][]][] = [
  ['503 twice', [{ status: 503 }, { status: 503 }]],
  ['503 with Retry-After in seconds', [{ status: 503, retryAfter: 1 }]],
  ['503 with Retry-After as a date', [{ status: 503, retryAfter: soon() }]],
  ['503 with an invalid Retry-After', [{ status: 503, retryAfter: 'soon' }]],
  [
    '429, then 429',
    [
      { status: 429, retryAfter: 1 },
      { status: 429, retryAfter: 0 },
    ],
  ],
  ['500, 502, 504, 408', [{ status: 500 }, { status: 502 }, { status: 504 }, { status: 408 }]],
  ['an answer that is not JSON', [{ shape: 'not-json' }]],
  ['a 500 with an HTML page', [{ status: 500, body: '<html>down</html>' }]],
  ['401 once', [{ status: 401 }]],
  ['403 with a body once', [{ status: 403, body: { title: 'expired' } }]],
  ['a reset, a partial answer, a 503', [{ reset: 'before' }, { reset: 'mid-body' }, { status: 503 }]],
  ['200 on the batch endpoint', [{ shape: 'batch200' }]],
  ['items without xactionId', [{ xaction: 'missing' }]],
  ['items in another order', [{ xaction: 'shuffled' }]],
  ['indexes off by one', [{ xaction: 'offByOne' }]],
  ['one element too many', [{ shape: 'extra' }]],
  ['every item 503', [{ items: { status: 503 } }, { items: { status: 503, key: 'statusCode' } }]],
  ['some items 500', [{ items: { which: { fraction: 0.5 }, status: 500 } }]],
  ['some items 429', [{ items: { which: 'first', status: 429, omitXaction: true } }]],
];

describe('sequences of answers after which every event is still delivered', () => {
  it.each(SEQUENCES)('%s', async (_what, thens) => {
    await start();
    harness.simulator.setFaults(oneAfterAnother(...thens));
    const accepted = await Promise.all(
      Array.from({ length: 6 }, (_, customer) => harness.accept(transactionAdded(customer))),
    );
    await harness.destinations.start();
    const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.map((outcome) => outcome.state)).toEqual(accepted.map(() => 'delivered'));
    const landed = harness.simulator.landed({ kind: 'event' }).map((record) => record.id);
    expect(new Set(landed)).toEqual(new Set(accepted.map(({ id }) => id)));
  });
});
