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
function answerWith(then: FaultRuleInput['then']): void {
  harness.simulator.setFaults([{ on: 'inlet', then }]);
}
function acceptAll(count: number) {
  return Promise.all(Array.from({ length: count }, (_, at) => harness.accept(pointsIssued(at + 1, 145))));
}

/** Answers of something between the relay and Adobe. */
const FOREIGN: [string, FaultRuleInput['then']][] = [
  ['200 with an HTML page', { foreign: 'html' }],
  ['204', { status: 204, foreign: 'empty' }],
  ['200 {}', { foreign: 'object' }],
  ['200 {"error":…}', { foreign: 'error' }],
  ['200 with a text', { foreign: 'text' }],
  ['207 with an HTML page', { status: 207, foreign: 'html' }],
  [
    '207 with elements that have nothing of Adobe’s',
    { status: 207, body: { responses: [{}] }, landed: false },
  ],
  ['400 with an empty body', { status: 400, foreign: 'empty' }],
  ['400 with an HTML page', { status: 400, foreign: 'html' }],
  ['400 {"error":…}', { status: 400, foreign: 'error' }],
  ['415 with an empty body', { status: 415, foreign: 'empty' }],
  ['422 with an HTML page', { status: 422, foreign: 'html' }],
  ['413 for messages of 1 KB', { status: 413 }],
  ['413 with an HTML page', { status: 413, foreign: 'html' }],
];

describe('100 events to an inlet whose answers are not Adobe’s', () => {
  it.each(FOREIGN)(
    'all stay pending after %s, also over a restart, and are delivered later',
    async (_what, then) => {
      harness = await startDeliveryHarness();
      answerWith(then);
      await acceptAll(100);
      await harness.destinations.start();
      await until(() => status().state === 'paused');
      expect(status()).toMatchObject({ reason: 'foreign-answer', nextTryAt: expect.any(Number) });
      // Halving a 413 takes log2 requests for each batch, everything else one or two; a request for
      // each message would be 200.
      expect(harness.requests.length).toBeLessThanOrEqual(60);
      // Requests that were in flight when it paused are no probes.
      await until(() => slots().used === 0);
      const paused = { at: performance.now(), requests: harness.requests.length };
      await until(() => harness.requests.length >= paused.requests + 12);
      // A probe has up to two messages; the waits between four probes are 100, 200 and 400 ms.
      expect(performance.now() - paused.at).toBeGreaterThanOrEqual(500);
      expect(await totals()).toEqual({ accepted: 100, pending: 100, delivered: 0, dead: 0 });

      await harness.reconfigure(() => undefined);
      await until(() => status().state === 'paused');
      expect(status().reason).toBe('foreign-answer');
      expect(await totals()).toEqual({ accepted: 100, pending: 100, delivered: 0, dead: 0 });
      expect(harness.simulator.stats().landed).toBe(0);

      harness.simulator.setFaults([]);
      await until(async () => (await totals()).pending === 0);
      expect(await totals()).toEqual({ accepted: 100, pending: 0, delivered: 100, dead: 0 });
      expect(status().state).toBe('flowing');
      expect(harness.simulator.stats().kinds.event.distinctIds).toBe(100);
    },
  );
});

describe('a foreign answer', () => {
  it('on the single endpoint delivers nothing either', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([
      { on: 'batch', times: 1, then: { shape: 'no-responses', landed: false } },
      { on: 'single', times: 1, then: { foreign: 'html' } },
    ]);
    const accepted = await Promise.all(
      [1, 2, 3].map((customer) => harness.accept(transactionAdded(customer))),
    );
    await harness.destinations.start();
    await until(() => status().state === 'paused');
    expect(status().reason).toBe('foreign-answer');
    const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
    const landed = harness.simulator.landed({ kind: 'event' }).map(({ id }) => id);
    expect(new Set(landed)).toEqual(new Set(accepted.map(({ id }) => id)));
  });

  it('uses up no attempt of an event and is recorded with what was answered', async () => {
    harness = await startDeliveryHarness();
    answerWith({ foreign: 'html' });
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await harness.whenSettledTimes(receipt, 3);
    const { event, attempts } = await harness.record(receipt);
    expect(event).toMatchObject({ state: 'pending', failedAttempts: 0, ownFaultCount: 0 });
    expect(attempts[0]).toMatchObject({
      outcome: 'destination',
      status: 200,
      detail: "200, an answer that is not Adobe's: Sign in Please sign in to the network.",
    });
  });

  it('to one message only, while others pass, keeps that message waiting and nothing else', async () => {
    harness = await startDeliveryHarness();
    const blocked = await harness.accept(transactionAdded(1));
    const others = await Promise.all(
      Array.from({ length: 40 }, (_, at) => harness.accept(transactionAdded(at + 2))),
    );
    harness.simulator.setFaults([
      { on: 'inlet', match: { ids: [blocked.id] }, then: { status: 400, foreign: 'error' } },
    ]);
    await harness.destinations.start();
    const outcomes = await Promise.all(others.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
    await until(async () => (await harness.record(blocked.receipt)).event.failedAttempts > 0);
    expect((await harness.record(blocked.receipt)).event).toMatchObject({
      state: 'pending',
      ownFaultCount: 0,
    });
    expect(status().state).toBe('flowing');
    harness.simulator.setFaults([]);
    expect((await harness.whenSettled(blocked.receipt)).state).toBe('delivered');
  });

  it('to one message only, while others pass, is bounded by maxAge', async () => {
    harness = await startDeliveryHarness((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, { maxAge: '1s', poisonAttempts: 50 });
    });
    const blocked = await harness.accept(transactionAdded(1));
    harness.simulator.setFaults([
      { on: 'inlet', match: { ids: [blocked.id] }, then: { status: 400, foreign: 'html' } },
    ]);
    await harness.destinations.start();
    for (let customer = 2; (await harness.record(blocked.receipt)).event.state === 'pending'; customer += 1) {
      const { receipt } = await harness.accept(transactionAdded(customer));
      await harness.whenSettled(receipt);
    }
    expect(await harness.whenSettled(blocked.receipt)).toMatchObject({ state: 'dead', reason: 'expired' });
  });

  it('never makes a dead letter of an old event while nothing passes', async () => {
    harness = await startDeliveryHarness((config) => {
      Object.assign(config.destinations[0]!['retry'] as object, { maxAge: '1ms', poisonAttempts: 1 });
    });
    answerWith({ status: 400, foreign: 'html' });
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await harness.whenSettledTimes(receipt, 5);
    expect((await harness.record(receipt)).event).toMatchObject({ state: 'pending', ownFaultCount: 0 });
  });

  it('does not end a pause when a probe gets it', async () => {
    harness = await startDeliveryHarness();
    harness.simulator.setFaults([
      { on: 'inlet', times: 1, then: { status: 404 } },
      { on: 'inlet', then: { foreign: 'html' } },
    ]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await until(() => status().reason === 'foreign-answer');
    await harness.whenSettledTimes(receipt, 4);
    expect(status().state).toBe('paused');
    expect((await harness.record(receipt)).event.state).toBe('pending');
  });
});

describe('a message that is too large for the inlet', () => {
  it('becomes a dead letter only if it is near the limit', async () => {
    harness = await startDeliveryHarness(
      (config) => {
        config.destinations[0]!['format'] = 'raw';
        delete config.destinations[0]!['profile'];
      },
      { dataType: 'raw' },
    );
    const large = await harness.accept(transactionAdded(1, { notes: 'x'.repeat(950_000) }));
    const small = await harness.accept(transactionAdded(2));
    harness.simulator.setFaults([
      { on: 'inlet', match: { contains: 'xxxxxxxx' }, then: { status: 413, foreign: 'html' } },
    ]);
    await harness.destinations.start();
    expect(await harness.whenSettled(large.receipt)).toMatchObject({ state: 'dead', reason: 'too-large' });
    expect((await harness.whenSettled(small.receipt)).state).toBe('delivered');
  });
});
