/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextEventId, pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
async function start(profile: Record<string, unknown> = {}): Promise<void> {
  harness = await startDeliveryHarness(
    ({ destinations: [destination] }) => {
      destination!['format'] = 'raw';
      Object.assign(destination!['profile'] as object, profile);
    },
    { dataType: 'raw' },
  );
  await harness.destinations.start();
}
afterEach(() => harness.close());

async function deliver(event: object): Promise<string> {
  const { receipt } = await harness.accept(event);
  expect(await harness.whenSettled(receipt)).toMatchObject({ state: 'delivered' });
  return receipt;
}

function customerUpdated(customerId: number, data: object) {
  return {
    eventName: 'customerUpdated',
    eventId: nextEventId(),
    orgId: 100458,
    createdAt: 1_790_848_803_000,
    data: { customerIdentifiers: { customerId, firstName: 'Ada' }, ...data },
  };
}

function profileOf(customerId: number) {
  return harness.simulator.profile({ namespace: 'capillaryId', id: String(customerId) })?.fragments;
}
function landed(datasetId: string) {
  return harness.simulator.landed({ datasetId });
}

describe('format raw with a profile', () => {
  beforeEach(() => start());

  it('patches the profile with each event that has profile data, in order', async () => {
    await deliver(customerUpdated(7, { customerStatus: { currentLabel: 'Active' } }));
    await deliver(pointsIssued(7, 310));

    expect(landed('profile-dataset')).toMatchObject([
      { kind: 'raw', operation: 'merge', flowId: 'profile-flow', dropped: [] },
      { kind: 'raw', operation: 'merge', flowId: 'profile-flow', dropped: [] },
    ]);
    // Attributes that the second event lacks are still there.
    expect(profileOf(7)).toMatchObject([
      {
        datasetId: 'profile-dataset',
        writes: 2,
        entity: { data: { customerStatus: { currentLabel: 'Active' }, programCurrentPoints: 310 } },
      },
    ]);
  });

  it('sends the same flat event to both flows, and stores no profile in the journal', async () => {
    const receipt = await deliver(pointsIssued(8, 55));
    const [event] = landed('events-dataset');
    const [upsert] = landed('profile-dataset');

    expect(upsert?.entity).toEqual(event?.entity);
    expect(event).toMatchObject({ flowId: 'events-flow', entity: { eventName: 'pointsIssued' } });
    expect(event).not.toHaveProperty('operation');
    const { event: stored } = await harness.record(receipt);
    expect(await harness.journal.profiles('acme-aep', [stored.lane ?? ''])).toEqual(new Map());
  });

  it('sends no profile record for an event without profile data', async () => {
    await deliver(transactionAdded(9));

    expect(landed('events-dataset')).toHaveLength(1);
    expect(landed('profile-dataset')).toEqual([]);
  });

  it('sends a deletion to the events flow only, without personal data', async () => {
    await deliver(customerUpdated(10, { customerStatus: { currentLabel: 'Active' } }));
    await deliver(customerUpdated(10, { customerStatus: { currentLabel: 'Deleted' } }));

    expect(landed('profile-dataset')).toHaveLength(1);
    expect(JSON.stringify(landed('events-dataset')[1]?.entity)).not.toContain('Ada');
  });
});

describe('the operations of an upsert', () => {
  it('link identities if an identity dataset is configured', async () => {
    await start({ identityDatasetId: 'links-dataset' });
    harness.simulator.setFaults([
      { on: 'batch', match: { flowId: 'profile-flow' }, then: { items: { which: 'all', status: 400 } } },
    ]);
    const { receipt } = await harness.accept(pointsIssued(11, 5));
    await harness.whenSettled(receipt);
    const { sent } = await harness.record(receipt);

    expect(sent.map(({ json }) => (JSON.parse(json) as { header: object }).header)).toMatchObject([
      { operations: { data: 'merge', identity: 'create', identityDatasetId: 'links-dataset' } },
    ]);
  });
});
