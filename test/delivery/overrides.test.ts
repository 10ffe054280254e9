import { afterEach, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';

let rig: DeliveryRig;
afterEach(() => rig.close());

const withOverride =
  (profile: string) =>
  ({ sources: [source] }: RelayConfig): void => {
    source!['overrides'] = { transactionAdded: { profile } };
  };
const MENDED = '{"_acme": {"lastBill": event.data.billNumber}}';

it.each([
  ['fails', '$number(event.data.billNumber)', /JSONata code D3030 at character 8$/],
  ['runs too long', '($f := function($n) { $f($n + 1) }; $f(0))', /JSONata code D1012 .* at character \d+$/],
  ['gives no object', 'event.data.billNumber', /something else than an object$/],
])(
  'an override that %s makes a dead letter, and a replay after it is mended delivers it whole',
  async (_what, broken, why) => {
    rig = await startDeliveryRig(withOverride(broken));
    await rig.destinations.start();
    const { receipt, id } = await rig.accept(transactionAdded(3));

    expect(await rig.settled(receipt)).toMatchObject({ state: 'dead', reason: 'mapping' });
    const { event, sent, body } = await rig.record(receipt);
    expect(event.detail).toMatch(/^source acme, transactionAdded, override of the profile: /);
    expect(event.detail).toMatch(why);
    expect({ sent, delivered: event.delivered, hasBody: body !== undefined }).toEqual({
      sent: [],
      delivered: [],
      hasBody: true,
    });
    expect(rig.simulator.landed()).toEqual([]);

    // It holds up nobody: the next event of the customer passes.
    expect(await rig.settled((await rig.accept(pointsIssued(3, 10))).receipt)).toMatchObject({
      state: 'delivered',
    });

    await rig.reconfigure(withOverride(MENDED));
    const replayed = rig.tried(receipt, 2);
    await rig.journal.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga', now: Date.now() });

    expect(await replayed).toMatchObject({ state: 'delivered', delivered: ['event', 'profile'] });
    expect(rig.simulator.landed({ id })).toMatchObject([
      { kind: 'event', duplicates: 0 },
      { kind: 'profile', dropped: [], entity: { _acme: { lastBill: expect.stringMatching(/^B-/) } } },
    ]);
  },
);
