import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FleetNotice, Journal } from '../../src/journal/journal.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

/** What this replica told the others, and a way to hear from them. */
const published: FleetNotice[] = [];
let hear: (notice: FleetNotice) => void = () => undefined;
let harness: DeliveryHarness;

/** A journal that one more replica uses. */
async function startReplica(more: Partial<Journal> = {}): Promise<void> {
  published.length = 0;
  const listeners = new Set<(notice: FleetNotice) => void>();
  hear = (notice) => {
    for (const listener of listeners) listener(notice);
  };
  harness = await startDeliveryHarness(undefined, {}, () => ({
    replicaCount: () => 2,
    publish: (notice) => void published.push(notice),
    onNotice: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...more,
  }));
}

function status() {
  return harness.destinations.all[0]!.dispatcher.state.status();
}

afterEach(() => harness.close());

describe('a destination that asks to slow down', () => {
  it('is heard by all replicas, once for all requests', async () => {
    await startReplica();
    harness.simulator.setFaults([{ on: 'batch', times: 2, then: { status: 429, retryAfter: 1 } }]);
    const accepted = await Promise.all(
      [0, 1, 2].map((customer) => harness.accept(transactionAdded(customer))),
    );
    await harness.destinations.start();
    await Promise.all(accepted.map(({ receipt }) => harness.whenSettled(receipt)));
    const told = published.filter(({ kind }) => kind === 'throttled');
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told.length).toBeLessThanOrEqual(2);
    expect(told[0]).toEqual({
      kind: 'throttled',
      destination: 'acme-aep',
      forMs: expect.any(Number) as number,
    });
    expect(told[0]).toHaveProperty('forMs', expect.closeTo(1_000, -2));
  });

  it('is not asked by this one when another one was told so', async () => {
    await startReplica();
    await harness.destinations.start();
    const before = harness.destinations.all[0]!.dispatcher.pace.slots.limit;
    hear({ kind: 'throttled', destination: 'another', forMs: 60_000 });
    expect(status().state).toBe('flowing');
    hear({ kind: 'throttled', destination: 'acme-aep', forMs: 300 });
    expect(status()).toMatchObject({ state: 'waiting', reason: 'throttled' });
    expect(harness.destinations.all[0]!.dispatcher.pace.slots.limit).toBe(before / 2);
    const startedAt = performance.now();
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.whenSettled(receipt);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(250);
    expect(published).toEqual([]);
  });
});

describe("an operator's pause", () => {
  it('is told to the others, and so is its end', async () => {
    await startReplica();
    await harness.destinations.start();
    await harness.destinations.pause('acme-aep', 'ann');
    await harness.destinations.resume('acme-aep');
    expect(published).toEqual([
      { kind: 'pauses', destination: 'acme-aep' },
      { kind: 'pauses', destination: 'acme-aep' },
      { kind: 'retry-now', destination: 'acme-aep' },
    ]);
  });

  it('holds here when another replica has stored it', async () => {
    await startReplica();
    await harness.destinations.start();
    await harness.journal.pause('acme-aep', 'ann');
    hear({ kind: 'pauses', destination: 'acme-aep' });
    await until(() => status().state === 'paused');
    expect(status()).toMatchObject({ reason: 'operator', detail: 'paused by ann' });
    await harness.journal.resume('acme-aep');
    hear({ kind: 'pauses', destination: 'acme-aep' });
    await until(() => status().state === 'flowing');
  });

  it('holds here within seconds even if the notice is lost', async () => {
    await startReplica();
    await harness.destinations.start();
    await harness.journal.pause('acme-aep', 'ann');
    await until(() => status().state === 'paused');
    await harness.journal.resume('acme-aep');
    await until(() => status().state === 'flowing');
    expect(published).toEqual([]);
  });

  it('is not ended by what another replica asks to try now', async () => {
    await startReplica();
    await harness.destinations.start();
    await harness.destinations.pause('acme-aep', 'ann');
    hear({ kind: 'retry-now', destination: 'acme-aep' });
    await sleep(20);
    expect(status().reason).toBe('operator');
  });
});

it('ends a wait when an operator asked another replica to try now', async () => {
  await startReplica();
  await harness.destinations.start();
  hear({ kind: 'throttled', destination: 'acme-aep', forMs: 600_000 });
  hear({ kind: 'retry-now', destination: 'acme-aep' });
  const { receipt } = await harness.accept(transactionAdded(1));
  await harness.whenSettled(receipt);
  expect(status().state).toBe('flowing');
});

it('sends nothing of an event whose claim has ended meanwhile', async () => {
  let isHeld = false;
  let asked = 0;
  await startReplica({
    holds: () => {
      asked += 1;
      return isHeld;
    },
  });
  const { receipt } = await harness.accept(transactionAdded(1));
  await harness.destinations.start();
  await until(() => asked >= 2);
  expect(harness.simulator.stats().landed).toBe(0);
  isHeld = true;
  await harness.whenSettled(receipt);
  const { attempts } = await harness.record(receipt);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['delivered']);
});
