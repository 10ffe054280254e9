import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FleetNotice, Journal } from '../../src/journal/journal.ts';
import { contactKey } from '../../src/mapping/contact-key.ts';
import { customerUpdated } from '../fixtures/customers.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

/** What this replica told the others, and a way to hear from them. */
const published: FleetNotice[] = [];
let hear: (notice: FleetNotice) => void = () => undefined;
/** Says that another replica has come or gone. */
let changeShares: () => void = () => undefined;
let harness: DeliveryHarness;

/** A journal that one more replica uses. */
async function startReplica(more: Partial<Journal> = {}): Promise<void> {
  published.length = 0;
  const listeners = new Set<(notice: FleetNotice) => void>();
  hear = (notice) => {
    for (const listener of listeners) listener(notice);
  };
  const onShares = new Set<() => void>();
  changeShares = () => {
    for (const listener of onShares) listener();
  };
  harness = await startDeliveryHarness(undefined, {}, () => ({
    replicaCount: () => 2,
    publish: (notice) => void published.push(notice),
    onNotice: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onShares: (listener) => {
      onShares.add(listener);
      return () => onShares.delete(listener);
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
    // It goes on by itself: there may be nothing here that could be sent as a probe.
    const startedAt = performance.now();
    await until(() => status().state === 'flowing');
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

/** The loyalty object of the profile record that was sent last. */
function lastLoyalty(): unknown {
  return harness.simulator.landed({ kind: 'profile' }).at(-1)?.entity['loyalty'];
}

it('knows the names that another replica has learnt, and keeps what that one has stored', async () => {
  await startReplica();
  await harness.destinations.start();
  const said = (name: string) => [{ id: '973', name: { value: name, at: 1 }, tiers: {} }];
  const json = JSON.stringify(said('Pine Circle'));
  await harness.journal.savePrograms([{ orgId: 100_458, json, replaces: undefined }]);
  changeShares();
  const event = (eventId: string, data: object) => ({
    eventName: 'pointsIssued',
    eventId,
    orgId: 100_458,
    createdAt: 1_790_848_800_000,
    data: { customerIdentifiers: { customerId: 1 }, loyaltyProgramId: 973, programCurrentPoints: 5, ...data },
  });
  await until(async () => {
    const { receipt } = await harness.accept(event(`e${performance.now()}`, {}));
    await harness.whenSettled(receipt);
    return JSON.stringify(lastLoyalty()).includes('Pine Circle');
  });
  // Another one learns of a second program while this one learns of a third.
  const second = JSON.stringify([...said('Pine Circle'), { ...said('Oak')[0], id: '974' }]);
  await harness.journal.savePrograms([{ orgId: 100_458, json: second, replaces: json }]);
  const details = { id: 975, name: 'Elm', isDefault: false, tiers: [] };
  const { receipt } = await harness.accept(
    event('last', { loyaltyProgramId: 975, loyaltyProgramDetails: details }),
  );
  await harness.whenSettled(receipt);
  const [stored] = await harness.journal.programs();
  const programs = JSON.parse(stored!.json) as { id: string; name: { value: string } }[];
  expect(programs.map(({ id, name }) => [id, name.value])).toEqual([
    ['973', 'Pine Circle'],
    ['974', 'Oak'],
    ['975', 'Elm'],
  ]);
});

it('knows the contacts that another replica has found to be shared', async () => {
  const email = 'counter.mumbai@brand.example.org';
  await startReplica();
  await harness.destinations.start();
  const update = (at: number) =>
    customerUpdated(1, 1_790_848_800_000 + at, {
      customerIdentifiers: { customerId: 1, instore: { email } },
    });
  const linked = async (at: number): Promise<boolean> => {
    const { receipt } = await harness.accept(update(at));
    await harness.whenSettled(receipt);
    const { entity } = harness.simulator.landed({ kind: 'profile' }).at(-1)!;
    return JSON.stringify(entity['identityMap']).includes(email);
  };
  expect(await linked(0)).toBe(true);
  const { orgId } = update(0);
  const contacts = [{ key: contactKey(orgId, 'email', email), kind: 'email', masked: 'c…' }];
  const customers = Array.from({ length: 6 }, (_, n) => ({ lane: `lane ${n}`, contacts }));
  await harness.journal.countContacts({ destination: 'acme-aep', source: 'acme', customers, limit: 5 });
  changeShares();
  let at = 1;
  await until(async () => !(await linked((at += 1))));
});
