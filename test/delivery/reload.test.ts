import { afterEach, describe, expect, it } from 'vitest';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let harness: DeliveryHarness;
async function start(...args: Parameters<typeof startDeliveryHarness>): Promise<void> {
  harness = await startDeliveryHarness(...args);
  await harness.destinations.start();
}
afterEach(() => harness.close());

function dispatcher(name = 'acme-aep') {
  return harness.destinations.get(name)!.dispatcher;
}

function status(name?: string) {
  return dispatcher(name).state.status();
}

function acceptMany(count: number, source = 0): Promise<{ receipt: string; id: string }[]> {
  return Promise.all(
    Array.from({ length: count }, (_, customer) => harness.accept(transactionAdded(customer + 1), source)),
  );
}

/** Delays the answer to the first request for events, and resolves once it is in flight. */
async function untilInFlight(): Promise<void> {
  harness.simulator.setFaults([
    { on: 'batch', times: 1, match: { flowId: 'events-flow' }, then: { delayMs: 300 } },
  ]);
  await until(() => harness.simulator.faults()[0]!.fired === 1);
}

function withOverride(label: string) {
  return ({ sources }: RelayConfig): void => {
    const event = `{"_acme": {"label": "${label}"}}`;
    sources[0]!['overrides'] = { transactionAdded: { event } };
  };
}

function labelOf(id: string): unknown {
  const [landed] = harness.simulator.landed({ id }).filter(({ kind }) => kind === 'event');
  return (landed?.entity as { _acme?: { label?: unknown } } | undefined)?._acme?.label;
}

describe('a change of a source', () => {
  it('affects the next event; what is in flight ends with the old mapping', async () => {
    await start(withOverride('old'));
    const first = await harness.accept(transactionAdded(1));
    await untilInFlight();
    const before = dispatcher();
    await harness.reload(withOverride('new'));
    const second = await harness.accept(transactionAdded(2));
    await Promise.all([first, second].map(({ receipt }) => harness.whenSettled(receipt)));
    expect([labelOf(first.id), labelOf(second.id)]).toEqual(['old', 'new']);
    expect(dispatcher()).toBe(before);
  });

  it('adds one, and its events are delivered', async () => {
    await start();
    await harness.reload(({ sources }) => sources.push({ ...sources[0], name: 'second' }));
    const { receipt } = await harness.accept(transactionAdded(1), 1);
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  });

  it('removes one, and its pending events wait until it is configured again', async () => {
    await start(({ sources }) => sources.push({ ...sources[0], name: 'second' }));
    await harness.destinations.pause('acme-aep', 'olga');
    // A claim that began before the pause has ended once a later call has.
    await harness.journal.profiles('acme-aep', []);
    const { receipt } = await harness.accept(transactionAdded(1), 1);
    let removed: Record<string, unknown> | undefined;
    await harness.reload(({ sources }) => {
      removed = sources.pop();
    });
    await harness.destinations.resume('acme-aep');
    const other = await harness.accept(transactionAdded(2));
    await harness.whenSettled(other.receipt);
    expect((await harness.record(receipt)).event.state).toBe('pending');
    await harness.reload(({ sources }) => sources.push(removed!));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  });

  it('counts contacts with a new limit, those of known customers too', async () => {
    const shared = { customerIdentifiers: { instore: { email: 'desk@example.com' } } };
    const from = (customerId: number) =>
      transactionAdded(customerId, {
        customerIdentifiers: { customerId, ...shared.customerIdentifiers },
      });
    await start(({ sources }) => {
      sources[0]!['contacts'] = { sharedBy: 50 };
    });
    for (const customer of [1, 2, 3])
      await harness.whenSettled((await harness.accept(from(customer))).receipt);
    expect(harness.sharedKinds).toEqual([]);
    await harness.reload(({ sources }) => {
      sources[0]!['contacts'] = { sharedBy: 2 };
    });
    await harness.whenSettled((await harness.accept(from(1))).receipt);
    expect(harness.sharedKinds).toEqual(['email']);
  });
});

describe('a change of a destination', () => {
  it('sends new events to the new inlet and loses none of those in flight', async () => {
    await start();
    const first = await harness.accept(transactionAdded(1));
    await untilInFlight();
    await harness.reload(({ destinations }) => {
      destinations[0]!['inletUrl'] = harness.simulator.inletUrl('other-inlet');
    });
    const second = await harness.accept(transactionAdded(2));
    await Promise.all([first, second].map(({ receipt }) => harness.whenSettled(receipt)));
    const inletOf = ({ id }: { id: string }) =>
      harness.simulator.landed({ id }).map(({ inletId }) => inletId);
    expect(new Set(inletOf(first))).not.toContain('other-inlet');
    expect(new Set(inletOf(second))).toEqual(new Set(['other-inlet']));
  });

  it('delivers everything exactly once while it is changed again and again', async () => {
    await start(({ destinations }) => {
      destinations[0]!['batch'] = { maxWait: '1ms', maxMessages: 5 };
    });
    const accepted: { receipt: string; id: string }[] = [];
    for (const concurrency of [1, 2, 3, 4, 5, 6]) {
      accepted.push(...(await acceptMany(40)));
      await harness.reload(({ destinations }) => {
        destinations[0]!['limits'] = { concurrency };
      });
    }
    await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    const events = harness.simulator.landed().filter(({ kind }) => kind === 'event');
    expect(events).toHaveLength(accepted.length);
    expect(events.every(({ duplicates }) => duplicates === 0)).toBe(true);
    expect(dispatcher().pace.slots.limit).toBe(6);
  });

  it('hands over what waits, at once', async () => {
    await start(({ destinations }) => {
      destinations[0]!['limits'] = { concurrency: 1 };
      destinations[0]!['batch'] = { maxWait: '1ms', maxMessages: 10 };
    });
    harness.simulator.setFaults([{ on: 'batch', times: 1, then: { delayMs: 500 } }]);
    const accepted = await acceptMany(20);
    await until(() => dispatcher().inFlight > 1);
    await harness.reload(({ destinations }) => {
      destinations[0]!['limits'] = { concurrency: 8 };
    });
    const outcomes = await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(outcomes.every(({ state }) => state === 'delivered')).toBe(true);
  });

  it('stops while requests of the old one hang, and their events stay pending', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'batch', then: { hang: true } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await until(() => harness.simulator.faults()[0]!.fired === 1);
    const before = dispatcher();
    await harness.reload(({ destinations }) => {
      destinations[0]!['sandbox'] = 'dev';
    });
    expect(before.inFlight).toBe(1);
    await harness.destinations.stop();
    expect(before.inFlight).toBe(0);
    expect((await harness.record(receipt)).event.state).toBe('pending');
  });

  it('tries at once what another proxy or CA may repair, and nothing else', async () => {
    await start(({ destinations }) => {
      destinations[0]!['retry'] = { minDelay: '10m', maxDelay: '10m' };
    });
    const withEgress = (egress: object) => (config: RelayConfig) => void Object.assign(config, { egress });
    harness.simulator.setFaults([{ on: 'inlet', then: { status: 200, body: '<html>Sign in</html>' } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await until(() => status().reason === 'foreign-answer');
    harness.simulator.setFaults([]);
    await harness.reload(withEgress({ noProxy: ['.svc'] }));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });

    harness.simulator.setFaults([{ on: 'inlet', then: { status: 429, retryAfter: '600' } }]);
    await harness.accept(transactionAdded(4));
    await until(() => status().reason === 'throttled');
    const { nextTryAt } = status();
    await harness.reload(withEgress({ noProxy: [] }));
    expect(status().nextTryAt).toBeCloseTo(nextTryAt ?? 0, -4);
  });

  it('keeps the pause of an operator', async () => {
    await start();
    await harness.destinations.pause('acme-aep', 'olga');
    await harness.reload(({ destinations }) => {
      destinations[0]!['sandbox'] = 'dev';
    });
    expect(status()).toMatchObject({ state: 'paused', reason: 'operator', detail: 'paused by olga' });
    await harness.destinations.resume('acme-aep');
    const { receipt } = await harness.accept(transactionAdded(1));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  });

  it('keeps the time of the last success, and the wait that Adobe asked for', async () => {
    await start();
    await harness.whenSettled((await harness.accept(transactionAdded(1))).receipt);
    harness.simulator.setFaults([{ on: 'inlet', then: { status: 429, retryAfter: 3_600 } }]);
    await harness.accept(transactionAdded(2));
    await until(() => status().reason === 'throttled');
    const before = status();
    expect(before.lastSuccessAt).toBeDefined();
    await harness.reload(({ destinations }) => {
      destinations[0]!['batch'] = { maxWait: '10ms' };
    });
    expect(status()).toMatchObject({ reason: 'throttled', lastSuccessAt: before.lastSuccessAt });
    expect(status().nextTryAt! - Date.now()).toBeGreaterThan(3_500_000);
  });

  it('with another credential is tried at once', async () => {
    await start(
      ({ destinations }) => {
        destinations[0]!['retry'] = { minDelay: '1h', maxDelay: '1h' };
      },
      { credentials: [{ clientId: 'new-client', secrets: ['new-secret'] }] },
    );
    const { receipt } = await harness.accept(transactionAdded(1));
    await until(() => status().state === 'paused');
    const url = harness.simulator.imsUrl;
    await harness.reload(({ destinations }) => {
      destinations[0]!['ims'] = { url, clientId: 'new-client', clientSecrets: ['old-secret'] };
    });
    await until(() => status().state === 'paused');
    await harness.reload(({ destinations }) => {
      destinations[0]!['ims'] = { url, clientId: 'new-client', clientSecrets: ['new-secret'] };
    });
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  });

  it('adds one and moves the pending events of its source there, and removes one', async () => {
    await start();
    await harness.destinations.pause('acme-aep', 'olga');
    const accepted = await acceptMany(10);
    await harness.reload(({ sources, destinations }) => {
      destinations.push({
        ...destinations[0],
        name: 'other-aep',
        inletUrl: harness.simulator.inletUrl('other-inlet'),
      });
      sources[0]!['destination'] = 'other-aep';
    });
    await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    expect(harness.simulator.landed().every(({ inletId }) => inletId === 'other-inlet')).toBe(true);
    expect(harness.destinations.all.map(({ config }) => config.name)).toEqual(['acme-aep', 'other-aep']);
    await harness.reload(({ destinations }) => destinations.shift());
    expect(harness.destinations.all.map(({ config }) => config.name)).toEqual(['other-aep']);
    const { receipt } = await harness.accept(transactionAdded(11));
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  });

  it('keeps the order of a customer whose events move to another destination', async () => {
    await start(({ destinations }) => {
      const other = { ...destinations[0], name: 'other-aep' };
      destinations.push({ ...other, batch: { maxWait: '1ms', maxMessages: 5 } });
    });
    await harness.destinations.pause('acme-aep', 'olga');
    await acceptMany(600);
    const before = [await harness.accept(transactionAdded(900)), await harness.accept(transactionAdded(900))];
    await harness.reload(({ sources }) => {
      sources[0]!['destination'] = 'other-aep';
    });
    const after = [await harness.accept(transactionAdded(900)), await harness.accept(transactionAdded(900))];
    const mine = [...before, ...after];
    await Promise.all(mine.map(({ receipt }) => harness.whenSettled(receipt)));
    const ids = new Set(mine.map(({ id }) => id));
    const landed = harness.simulator.landed({ kind: 'event' }).filter(({ id }) => ids.has(id!));
    expect(landed.toSorted((a, b) => a.at - b.at).map(({ id }) => id)).toEqual(mine.map(({ id }) => id));
  });
});
