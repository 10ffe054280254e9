import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

let harness: DeliveryHarness;
async function start(...args: Parameters<typeof startDeliveryHarness>): Promise<DeliveryHarness> {
  harness = await startDeliveryHarness(...args);
  return harness;
}
afterEach(() => harness.close());

function status(name = 'acme-aep') {
  return harness.destinations.get(name)!.dispatcher.state.status();
}
describe('a destination that cannot be reached', () => {
  let plain: Simulator;
  beforeAll(async () => {
    plain = await startSimulator();
  });
  afterAll(() => plain.close());

  it.each([
    ['no such host', () => 'http://no-such-host.invalid/collection/inlet', /^dns/],
    ['nothing listens', () => 'http://127.0.0.1:9/collection/inlet', /^refused/],
    ['it does not speak TLS', () => plain.inletUrl().replace('http:', 'https:'), /^tls/],
  ])('waits and probes, without a failed attempt for the event, when %s', async (_what, url, detail) => {
    await start((config) => {
      config.destinations[0]!['inletUrl'] = url();
    });
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await until(() => status().state === 'waiting');
    expect(status()).toMatchObject({ reason: 'failing', detail: expect.stringMatching(detail) });
    expect((await harness.record(receipt)).event).toMatchObject({ state: 'pending', ownFaultCount: 0 });
  });

  it('does not slow another destination', async () => {
    await start((config) => {
      const [source, destination] = [config.sources[0]!, config.destinations[0]!];
      config.sources.push({ ...source, name: 'other', destination: 'other-aep' });
      config.destinations.push({ ...destination, name: 'other-aep' });
      destination['inletUrl'] = 'http://127.0.0.1:9/collection/inlet';
    });
    const stuck = await harness.accept(transactionAdded(1), 0);
    await harness.destinations.start();
    await until(() => status().state === 'waiting');
    const before = status('other-aep');
    const good = await Promise.all(
      Array.from({ length: 40 }, (_, customer) => harness.accept(transactionAdded(customer), 1)),
    );
    const outcomes = await Promise.all(good.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    expect(before.state).toBe('flowing');
    expect((await harness.record(stuck.receipt)).event.state).toBe('pending');
  });
});

describe('a message that fails by its own fault', () => {
  const poisoned = (id: string, then: FaultRuleInput['then']): FaultRuleInput[] => [
    { on: 'inlet', match: { ids: [id] }, then },
  ];

  it.each([
    ['answers 500', { status: 500 }],
    ['resets', { reset: 'before' }],
    ['times out', { hang: true }],
  ] as const)(
    'becomes a dead letter after maxAge if it %s and nothing else arrives; its successors continue',
    async (_how, then) => {
      await start((config) => {
        Object.assign(config.destinations[0]!['retry'] as object, { maxAge: '1s', poisonAttempts: 50 });
      });
      const stuck = await harness.accept(transactionAdded(1));
      const successor = await harness.accept(transactionAdded(1));
      harness.simulator.setFaults(poisoned(stuck.id, then));
      await harness.destinations.start();
      expect(await harness.whenSettled(stuck.receipt)).toMatchObject({ state: 'dead', reason: 'expired' });
      expect((await harness.whenSettled(successor.receipt)).state).toBe('delivered');
    },
  );

  it('never becomes a dead letter while the destination is down, however old it is', async () => {
    await start((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, { maxAge: '1ms', poisonAttempts: 1 });
    });
    harness.simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await harness.whenSettledTimes(receipt, 5);
    expect((await harness.record(receipt)).event).toMatchObject({ state: 'pending', ownFaultCount: 0 });
    harness.simulator.setFaults([]);
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
  });

  // `tries`: requests until the batch is known to contain a culprit.
  it.each([
    ['fails', { status: 500 }, { tries: 3, state: 'pending' }],
    ['is refused', { status: 400, problem: 'bad message' }, { tries: 3, state: 'dead' }],
  ] as const)(
    'costs the other messages log2(batch) requests if every request with it %s',
    async (_how, then, { tries, state }) => {
      await start((config) => {
        config.destinations[0]!['batch'] = { maxWait: '2s' };
      });
      const accepted = await Promise.all(
        Array.from({ length: 200 }, (_, customer) => harness.accept(transactionAdded(customer))),
      );
      const poison = accepted[137]!;
      harness.simulator.setFaults(poisoned(poison.id, then));
      await harness.destinations.start();
      const good = accepted.filter((one) => one !== poison);
      const outcomes = await Promise.all(good.map(({ receipt }) => harness.whenSettled(receipt)));
      expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
      // Without the culprit one request would do; the messages left out by the halvings need
      // another.
      expect(harness.requests.length - 1).toBeLessThanOrEqual(tries + Math.ceil(Math.log2(200)));
      await until(async () => (await harness.record(poison.receipt)).event.state === state);
    },
  );
});
