import { afterEach, expect, it } from 'vitest';
import { customerDeleted, customersMerged, customerUpdated } from '../fixtures/customers.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import type { RelayConfig } from '../helpers/relay-process.ts';

const T = 1_790_848_800_000;
const SHARED = 'counter.mumbai@brand.example.org';

let harness: DeliveryHarness;
afterEach(() => harness.close());

/** A customer who gives the shared address, or their own. */
function update(customerId: number, at: number, email = SHARED) {
  return customerUpdated(customerId, at, {
    firstName: `Asha ${customerId}`,
    customerIdentifiers: { customerId, instore: { email } },
  });
}

async function deliver(...events: object[]): Promise<void> {
  for (const event of events) {
    const { receipt } = await harness.accept(event);
    await harness.destinations.start();
    expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  }
}

/** The addresses in the identityMap of the last message of a customer. */
function linkedBy(customerId: number, kind: 'event' | 'profile'): string[] {
  const sent = harness.simulator.landed({ kind }).filter(({ identity }) => identity?.id === `${customerId}`);
  const map = sent.at(-1)!.entity['identityMap'] as Record<string, { id: string }[]>;
  return (map['Email'] ?? []).map(({ id }) => id);
}

function addressOf(customerId: number): unknown {
  const sent = harness.simulator.landed({ kind: 'profile' });
  return sent.findLast(({ identity }) => identity?.id === `${customerId}`)?.entity['personalEmail'];
}

it('never links the sixth customer by a contact of five, and none of them from then on', async () => {
  harness = await startDeliveryHarness();
  await deliver(...[1, 2, 3, 4, 5].map((id) => update(id, T)));
  expect([1, 5].flatMap((id) => linkedBy(id, 'profile'))).toEqual([SHARED, SHARED]);
  expect(harness.sharedKinds).toEqual([]);

  await deliver(update(6, T));
  expect(linkedBy(6, 'event')).toEqual([]);
  expect(linkedBy(6, 'profile')).toEqual([]);
  expect(addressOf(6)).toEqual({ address: SHARED });
  expect(harness.sharedKinds).toEqual(['email']);
  expect(harness.mappingReports.at(-1)?.notes.map(({ code, path }) => `${code} ${path}`)).toEqual([
    'shared-contact identityMap.email',
  ]);

  await deliver(update(1, T + 1), update(7, T));
  for (const id of [1, 7]) {
    expect([...linkedBy(id, 'event'), ...linkedBy(id, 'profile')]).toEqual([]);
    expect(addressOf(id)).toEqual({ address: SHARED });
  }
  const { contacts, total } = await harness.journal.sharedContacts({ limit: 9 });
  expect([total, contacts[0]?.masked, contacts[0]?.kind]).toEqual([1, 'c***@brand.example.org', 'email']);
  expect(harness.sharedKinds).toEqual(['email']);
});

it('counts across a restart, and a customer once for any number of events, duplicates and replays', async () => {
  harness = await startDeliveryHarness();
  for (let times = 0; times < 8; times += 1) await deliver(update(1, T + times));
  await deliver(...[2, 3, 4].map((id) => update(id, T)));
  await harness.reconfigure(() => undefined);
  await deliver(update(1, T + 20), update(5, T));
  await harness.journal.replay({ filter: {}, asNew: false, by: 'olga' });
  await deliver(update(5, T + 1));
  expect(linkedBy(5, 'event')).toEqual([SHARED]);
  await harness.reconfigure(() => undefined);
  await deliver(update(6, T));
  expect(linkedBy(6, 'event')).toEqual([]);
  await harness.reconfigure(() => undefined);
  await deliver(update(2, T + 30));
  expect(linkedBy(2, 'event')).toEqual([]);
});

it('counts customers without a stored profile too', async () => {
  harness = await startDeliveryHarness((config) => {
    Object.assign(config.destinations[0]!['profile'] as object, { write: 'off' });
  });
  await deliver(...[1, 2, 3, 4, 5, 1, 2].map((id, at) => update(id, T + at)));
  expect(linkedBy(2, 'event')).toEqual([SHARED]);
  await deliver(update(6, T), update(2, T + 9));
  expect([...linkedBy(6, 'event'), ...linkedBy(2, 'event')]).toEqual([]);
});

it('counts merged customers as one, and an erased one no longer', async () => {
  harness = await startDeliveryHarness();
  await deliver(...[1, 2, 3, 4, 5].map((id) => update(id, T)));
  await deliver(customersMerged(1, 2, T + 1), customerDeleted(3, T + 1));
  await deliver(update(8, T), update(9, T));
  expect(linkedBy(9, 'event')).toEqual([SHARED]);
  await deliver(update(10, T));
  expect(linkedBy(10, 'event')).toEqual([]);
});

const settings = (sharedBy: number) => (config: RelayConfig) => {
  config.sources[0]!['contacts'] = { sharedBy };
};

it('counts to the configured limit', async () => {
  harness = await startDeliveryHarness(settings(1));
  await deliver(update(1, T), update(2, T));
  expect(linkedBy(2, 'event')).toEqual([]);
});

it('checks nothing with sharedBy 0, not even what was found before', async () => {
  harness = await startDeliveryHarness(settings(1));
  await deliver(update(1, T), update(2, T));
  await harness.reconfigure(settings(0));
  await deliver(update(2, T + 1), ...[3, 4, 5, 6, 7].map((id) => update(id, T)));
  for (const id of [2, 7])
    expect([linkedBy(id, 'event'), linkedBy(id, 'profile')]).toEqual([[SHARED], [SHARED]]);
});
