import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

function slots() {
  return harness.destinations.get('acme-aep')!.dispatcher.pace.slots;
}
function status() {
  return harness.destinations.get('acme-aep')!.dispatcher.state.status();
}
async function totals() {
  const { accepted, pending, delivered, dead } = (await harness.journal.ledger())['acme']!;
  return { accepted, pending, delivered, dead };
}
async function startHealthy(): Promise<void> {
  harness = await startDeliveryHarness();
  await harness.destinations.start();
  const { receipt } = await harness.accept(pointsIssued(9_999, 1));
  await harness.whenSettled(receipt);
}

const REASON = 'dataset not found';
const REFUSALS: [string, FaultRuleInput['then']][] = [
  ['the whole request', { status: 400, problem: REASON }],
  ['the whole request with a 422', { status: 422, problem: REASON }],
  ['every item', { items: { status: 400, message: REASON } }],
  [
    'every item by statusCode',
    { items: { status: 400, message: REASON, key: 'statusCode', omitXaction: true } },
  ],
];

describe('100 events to an inlet that refuses everything', () => {
  it.each(REFUSALS)(
    'all stay pending while Adobe refuses %s, and are delivered later',
    async (_what, then) => {
      harness = await startDeliveryHarness();
      harness.simulator.setFaults([{ on: 'inlet', then }]);
      await Promise.all(Array.from({ length: 100 }, (_, at) => harness.accept(pointsIssued(at + 1, 145))));
      await harness.destinations.start();
      await until(() => status().state === 'paused');
      expect(status()).toMatchObject({
        reason: 'everything-refused',
        detail: expect.stringContaining(REASON),
      });
      // The batches of each kind, and three messages of each kind by themselves.
      expect(harness.requests.length).toBeLessThanOrEqual(20);
      // Requests that were in flight when it paused are no probes.
      await until(() => slots().used === 0);
      const paused = { at: performance.now(), requests: harness.requests.length };
      await until(() => harness.requests.length >= paused.requests + 12);
      expect(performance.now() - paused.at).toBeGreaterThanOrEqual(500);
      expect(await totals()).toEqual({ accepted: 100, pending: 100, delivered: 0, dead: 0 });

      await harness.reconfigure(() => undefined);
      await until(() => status().reason === 'everything-refused');
      expect(await totals()).toEqual({ accepted: 100, pending: 100, delivered: 0, dead: 0 });

      harness.simulator.setFaults([]);
      await until(async () => (await totals()).pending === 0);
      expect(await totals()).toEqual({ accepted: 100, pending: 0, delivered: 100, dead: 0 });
      expect(status().state).toBe('flowing');
    },
  );

  it.each(REFUSALS)('also if it worked before and the events arrive one by one: %s', async (_what, then) => {
    await startHealthy();
    harness.simulator.setFaults([{ on: 'inlet', then }]);
    for (let customer = 1; customer <= 20; customer += 1) {
      const { receipt } = await harness.accept(transactionAdded(customer));
      if (customer < 3)
        await until(() => harness.requests.some(({ receipts }) => receipts.includes(receipt)));
    }
    await until(() => status().reason === 'everything-refused');
    expect(await totals()).toMatchObject({ pending: 20, delivered: 1, dead: 0 });
    harness.simulator.setFaults([]);
    await until(async () => (await totals()).pending === 0);
    expect(await totals()).toEqual({ accepted: 21, pending: 0, delivered: 21, dead: 0 });
  });

  it('stays paused while only the profile’s dataset is refused, although the events pass', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([
      { on: 'inlet', match: { flowId: 'profile-flow' }, then: { status: 400, problem: REASON } },
    ]);
    await Promise.all(Array.from({ length: 20 }, (_, at) => harness.accept(pointsIssued(at + 1, 145))));
    await harness.destinations.start();
    await until(() => status().reason === 'everything-refused');
    await until(() => harness.requests.length >= 14);
    expect(status()).toMatchObject({ state: 'paused', reason: 'everything-refused' });
    expect(await totals()).toEqual({ accepted: 20, pending: 20, delivered: 0, dead: 0 });
    harness.simulator.setFaults([]);
    await until(async () => (await totals()).pending === 0);
    expect(await totals()).toMatchObject({ delivered: 20, dead: 0 });
  });
});

describe('a message that Adobe refuses', () => {
  it.each([
    ['of a destination that worked before', startHealthy],
    [
      'of a destination that has delivered nothing yet',
      async () => {
        harness = await startDeliveryHarness();
        await harness.destinations.start();
      },
    ],
  ])('alone, %s, becomes a dead letter with Adobe’s text', async (_what, begin) => {
    await begin();
    harness.simulator.setFaults([{ on: 'inlet', times: 1, then: { status: 400, problem: 'bad message' } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'dead', reason: 'rejected' });
    const { event, attempts } = await harness.record(receipt);
    expect(event.detail).toContain('bad message');
    expect(attempts).toMatchObject([{ outcome: 'rejected', status: 400 }]);
    expect(status().state).toBe('flowing');
  });

  it('is a dead letter at the next attempt if another customer’s message passes meanwhile', async () => {
    await startHealthy();
    const bad = await harness.accept(transactionAdded(1));
    harness.simulator.setFaults([
      { on: 'inlet', match: { ids: [bad.id] }, then: { status: 400, problem: 'bad message' } },
    ]);
    await until(async () => harness.requests.some(({ receipts }) => receipts.includes(bad.receipt)));
    const good = await harness.accept(transactionAdded(2));
    expect((await harness.whenSettled(good.receipt)).state).toBe('delivered');
    expect(await harness.whenSettled(bad.receipt)).toMatchObject({ state: 'dead', reason: 'rejected' });
    expect(status().state).toBe('flowing');
  });

  it('dies, and so do many of them, while other messages pass', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([
      { on: 'inlet', match: { contains: 'bad-bill' }, then: { status: 400, problem: 'bad message' } },
    ]);
    const bad = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        harness.accept(transactionAdded(at + 1, { billNumber: `bad-bill-${at}` })),
      ),
    );
    await harness.destinations.start();
    await until(() => status().reason === 'everything-refused');
    expect(await totals()).toMatchObject({ pending: 10, dead: 0 });
    for (let customer = 100; (await totals()).dead < bad.length; customer += 1) {
      const good = await harness.accept(transactionAdded(customer));
      expect((await harness.whenSettled(good.receipt)).state).toBe('delivered');
    }
    const outcomes = await Promise.all(bad.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : ''))).toEqual(
      bad.map(() => 'rejected'),
    );
    await until(() => status().state === 'flowing');
  });

  it('of 100 hardly any dies if a single request passes by luck', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([{ on: 'inlet', then: { items: { status: 400, message: REASON } } }]);
    const accepted = await Promise.all(
      Array.from({ length: 100 }, (_, at) => harness.accept(transactionAdded(at + 1))),
    );
    await harness.destinations.start();
    await until(() => status().reason === 'everything-refused');
    await until(() => harness.requests.length >= 6);
    // One request passes, then everything is refused again.
    harness.simulator.setFaults([
      { on: 'inlet', after: 1, then: { items: { status: 400, message: REASON } } },
    ]);
    await until(async () => (await totals()).delivered > 0);
    const before = harness.requests.length;
    await until(() => harness.requests.length >= before + 4);
    expect(status().reason).toBe('everything-refused');
    expect((await totals()).dead).toBeLessThanOrEqual(2);
    harness.simulator.setFaults([]);
    await until(async () => (await totals()).pending === 0);
    expect((await totals()).delivered).toBeGreaterThanOrEqual(accepted.length - 2);
  });

  it('stays pending if the relay stops before it is decided', async () => {
    await startHealthy();
    harness.simulator.setFaults([{ on: 'inlet', then: { status: 400, problem: 'bad message' } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await until(() => harness.requests.some(({ receipts }) => receipts.includes(receipt)));
    const stopping = performance.now();
    await harness.destinations.stop();
    expect(performance.now() - stopping).toBeLessThan(4_000);
    expect((await harness.record(receipt)).event).toMatchObject({ state: 'pending', ownFaultCount: 0 });
  });
});
