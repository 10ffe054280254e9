import { afterEach, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

let harness: DeliveryHarness;
async function start(...args: Parameters<typeof startDeliveryHarness>): Promise<DeliveryHarness> {
  harness = await startDeliveryHarness(...args);
  return harness;
}
afterEach(() => harness.close());

function status() {
  return harness.destinations.get('acme-aep')!.dispatcher.state.status();
}
function landedIds(kind: 'event' | 'profile' = 'event') {
  return harness.simulator.landed({ kind }).map((record) => record.id);
}

describe('delivery to Adobe', () => {
  it('delivers an event and its profile, each to its flow, and records Adobe’s answer', async () => {
    await start();
    const { receipt, id } = await harness.accept(pointsIssued(1, 145));
    await harness.destinations.start();
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    const landed = harness.simulator.landed();
    expect(
      landed
        .map(({ kind, flowId, datasetId, dropped }) => ({ kind, flowId, datasetId, dropped }))
        .toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
    ).toEqual([
      { kind: 'event', flowId: 'events-flow', datasetId: 'events-dataset', dropped: [] },
      { kind: 'profile', flowId: 'profile-flow', datasetId: 'profile-dataset', dropped: [] },
    ]);
    expect(landed.every((record) => record.id === id)).toBe(true);
    const { attempts, event } = await harness.record(receipt);
    expect(event).toMatchObject({
      state: 'delivered',
      delivered: expect.arrayContaining(['event', 'profile']),
    });
    expect(attempts).toHaveLength(2);
    expect(attempts.every((one) => one.outcome === 'delivered' && one.status === 207 && one.xactionId)).toBe(
      true,
    );
  });

  it('collects waiting events into one batch', async () => {
    // A busy machine maps them in several turns; a full batch is sent at once.
    await start((config) => {
      config.destinations[0]!['batch'] = { maxWait: '2s', maxMessages: 50 };
    });
    const accepted = await Promise.all(
      Array.from({ length: 50 }, (_, at) => harness.accept(transactionAdded(at))),
    );
    await harness.destinations.start();
    await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(harness.requests.map((request) => request.messages)).toEqual([50]);
  });

  it('sends a customer’s events one after another, and the whole profile each time', async () => {
    await start();
    const sent = [];
    for (let balance = 1; balance <= 10; balance += 1)
      sent.push(await harness.accept(pointsIssued(7, balance)));
    await harness.destinations.start();
    await Promise.all(sent.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(landedIds()).toEqual(sent.map(({ id }) => id));
    expect(
      harness.simulator.landed({ kind: 'profile' }).map(({ entity }) => entity['loyalty']),
    ).toMatchObject([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((points) => ({ points })));
  });

  it('keeps attributes from earlier events of the customer in the profile', async () => {
    await start();
    await harness.destinations.start();
    const added = await harness.accept({
      ...pointsIssued(8, 0),
      eventName: 'customerAdded',
      data: {
        firstName: 'Mara',
        lastName: 'Lund',
        enteredAt: 1_790_848_000_000,
        customerIdentifiers: { customerId: 8 },
      },
    });
    await harness.whenSettled(added.receipt);
    const points = await harness.accept(pointsIssued(8, 77));
    await harness.whenSettled(points.receipt);
    expect(harness.simulator.landed({ kind: 'profile' }).at(-1)?.entity).toMatchObject({
      person: { name: { firstName: 'Mara', lastName: 'Lund' } },
      loyalty: { points: 77 },
    });
  });
});

describe('a fault of the message', () => {
  it('makes a dead letter of the item that Adobe refuses, with Adobe’s message, and delivers the others', async () => {
    await start();
    const good = await harness.accept(transactionAdded(1));
    const bad = await harness.accept(transactionAdded(2));
    const other = await harness.accept(transactionAdded(3));
    harness.simulator.setFaults([
      {
        on: 'batch',
        then: { items: { which: { match: { ids: [bad.id] } }, status: 400, message: 'extraneous key' } },
      },
    ]);
    await harness.destinations.start();
    expect((await harness.whenSettled(good.receipt)).state).toBe('delivered');
    expect((await harness.whenSettled(other.receipt)).state).toBe('delivered');
    expect(await harness.whenSettled(bad.receipt)).toMatchObject({ state: 'dead', reason: 'rejected' });
    const record = await harness.record(bad.receipt);
    expect(record.event.detail).toContain('extraneous key');
    expect(JSON.parse(record.sent[0]!.json).body.xdmEntity._id).toBe(bad.id);
  });

  it('halves a batch that is too large for the inlet', async () => {
    await start();
    const accepted = await Promise.all(
      Array.from({ length: 8 }, (_, at) => harness.accept(transactionAdded(at))),
    );
    harness.simulator.setFaults([{ on: 'batch', times: 3, then: { status: 413 } }]);
    await harness.destinations.start();
    const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    expect(harness.requests.map((request) => request.messages).slice(0, 3)).toEqual([8, 4, 2]);
  });

  it('isolates a message that makes every request fail while others succeed, and makes it a dead letter', async () => {
    await start();
    const poison = await harness.accept(transactionAdded(999));
    harness.simulator.setFaults([{ on: 'inlet', match: { ids: [poison.id] }, then: { status: 500 } }]);
    const others = await Promise.all(
      Array.from({ length: 30 }, (_, at) => harness.accept(transactionAdded(at))),
    );
    await harness.destinations.start();
    const outcomes = await Promise.all(others.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
    // A failure is its own fault only if others succeed, so more events keep coming.
    while ((await harness.record(poison.receipt)).event.state === 'pending') {
      const next = await harness.accept(transactionAdded(1_000));
      await harness.whenSettled(next.receipt);
    }
    expect(await harness.whenSettled(poison.receipt)).toMatchObject({ state: 'dead', reason: 'poison' });
  });
});

describe('a fault of the destination', () => {
  it('mints one new token when Adobe has forgotten the old one', async () => {
    await start();
    await harness.destinations.start();
    const before = await harness.accept(transactionAdded(1));
    await harness.whenSettled(before.receipt);
    harness.simulator.revokeTokens();
    const after = await harness.accept(transactionAdded(2));
    expect((await harness.whenSettled(after.receipt)).state).toBe('delivered');
    expect(harness.simulator.stats().mints).toBe(2);
    expect((await harness.record(after.receipt)).event.failedAttempts).toBe(0);
  });

  it.each([
    ['a wrong address', { on: 'inlet', then: { status: 404 } }, 'inlet-not-found'],
    ['an address list', { on: 'inlet', then: { status: 403, body: '' } }, 'ip-not-allowed'],
    [
      'a wrong secret',
      {
        on: 'ims',
        then: {
          status: 400,
          body: { error: 'invalid_client', error_description: 'invalid client_id parameter' },
        },
      },
      'ims-invalid_client',
    ],
  ] as const)(
    'pauses for %s without a failed attempt for the event, and recovers by itself',
    async (_what, fault, reason) => {
      await start();
      harness.simulator.setFaults([fault]);
      const { receipt } = await harness.accept(transactionAdded(1));
      await harness.destinations.start();
      await until(() => status().state === 'paused');
      expect(status().reason).toBe(reason);
      harness.simulator.setFaults([]);
      harness.replaceSecrets(['fixed']);
      expect((await harness.whenSettled(receipt)).state).toBe('delivered');
      expect(status().state).toBe('flowing');
      expect((await harness.record(receipt)).event).toMatchObject({ ownFaultCount: 0, failedAttempts: 0 });
    },
  );

  it('waits as long as a 429 asks, then continues', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'inlet', times: 1, then: { status: 429, retryAfter: 1 } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    const { attempts, event } = await harness.record(receipt);
    expect(attempts.map((one) => one.outcome)).toEqual(['throttled', 'delivered']);
    expect(attempts[1]!.at - attempts[0]!.at).toBeGreaterThanOrEqual(990);
    expect(event.failedAttempts).toBe(0);
  });

  it.each([
    ['500s', { status: 500 }],
    ['resets', { reset: 'before' }],
    ['partial answers', { reset: 'mid-body' }],
    ['hangs', { hang: true }],
  ] as const)(
    'survives an outage of %s without losing events or making dead letters',
    async (_what, then) => {
      await start();
      harness.simulator.setFaults([{ on: 'inlet', times: 3, then }]);
      const accepted = await Promise.all(
        Array.from({ length: 20 }, (_, at) => harness.accept(transactionAdded(at))),
      );
      await harness.destinations.start();
      const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
      expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
      expect(new Set(landedIds())).toEqual(new Set(accepted.map(({ id }) => id)));
    },
  );

  it('resends with the same id what Adobe accepted without its answer arriving', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'inlet', times: 1, then: { reset: 'before', landed: true } }]);
    const { receipt, id } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect(landedIds()).toEqual([id, id]);
    expect(harness.simulator.stats().distinctIds).toBe(1);
  });

  it('stays paused by an operator after a restart of the dispatcher, and resumes', async () => {
    await start();
    await harness.destinations.pause('acme-aep', 'ops');
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    expect(await harness.journal.pauses()).toMatchObject([{ destination: 'acme-aep', by: 'ops' }]);
    expect(status()).toMatchObject({ state: 'paused', reason: 'operator' });
    await harness.destinations.resume('acme-aep');
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect(await harness.journal.pauses()).toEqual([]);
  });
});

describe('messages without an item in a 207', () => {
  it.each(['drop-last', 'drop-first', 'empty', 'no-responses'] as const)(
    'are resent alone after %s',
    async (shape) => {
      await start();
      harness.simulator.setFaults([{ on: 'batch', times: 1, then: { shape } }]);
      const accepted = await Promise.all(
        Array.from({ length: 5 }, (_, at) => harness.accept(transactionAdded(at))),
      );
      await harness.destinations.start();
      const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
      expect(outcomes.every((outcome) => outcome.state === 'delivered')).toBe(true);
      expect(harness.requests.some((request) => request.endpoint === 'single')).toBe(true);
      expect(new Set(landedIds())).toEqual(new Set(accepted.map(({ id }) => id)));
    },
  );
});

describe('stopping', () => {
  it('leaves unsent events pending in the journal', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'inlet', then: { hang: true } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await until(() => harness.destinations.get('acme-aep')!.dispatcher.pace.slots.used > 0);
    await harness.destinations.stop();
    expect((await harness.record(receipt)).event.state).toBe('pending');
  });
});
