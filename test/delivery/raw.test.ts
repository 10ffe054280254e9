/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextEventId, pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type DeliveryRig, startDeliveryRig } from '../helpers/delivery-rig.ts';

let rig: DeliveryRig;
const start = async (profile: Record<string, unknown> = {}): Promise<void> => {
  rig = await startDeliveryRig(
    ({ destinations: [destination] }) => {
      destination!['format'] = 'raw';
      Object.assign(destination!['profile'] as object, profile);
    },
    { dataType: 'raw' },
  );
  await rig.destinations.start();
};
afterEach(() => rig.close());

const deliver = async (event: object): Promise<string> => {
  const { receipt } = await rig.accept(event);
  expect(await rig.settled(receipt)).toMatchObject({ state: 'delivered' });
  return receipt;
};

const customerUpdated = (customerId: number, data: object) => ({
  eventName: 'customerUpdated',
  eventId: nextEventId(),
  orgId: 100458,
  createdAt: 1_790_848_803_000,
  data: { customerIdentifiers: { customerId, firstName: 'Ada' }, ...data },
});

const profileOf = (customerId: number) => {
  return rig.simulator.profile({ namespace: 'capillaryId', id: String(customerId) })?.fragments;
};
const landed = (datasetId: string) => rig.simulator.landed({ datasetId });

describe('format raw with a profile', () => {
  beforeEach(() => start());

  it('patches the profile with each event that tells of it, in their order', async () => {
    await deliver(customerUpdated(7, { customerStatus: { currentLabel: 'Active' } }));
    await deliver(pointsIssued(7, 310));

    expect(landed('profile-dataset')).toMatchObject([
      { kind: 'raw', operation: 'merge', flowId: 'profile-flow', dropped: [] },
      { kind: 'raw', operation: 'merge', flowId: 'profile-flow', dropped: [] },
    ]);
    // What the second event does not tell of is still there.
    expect(profileOf(7)).toMatchObject([
      {
        datasetId: 'profile-dataset',
        writes: 2,
        entity: { data: { customerStatus: { currentLabel: 'Active' }, programCurrentPoints: 310 } },
      },
    ]);
  });

  it('sends the same flat event to both flows, and keeps no profile of its own', async () => {
    const receipt = await deliver(pointsIssued(8, 55));
    const [event] = landed('events-dataset');
    const [upsert] = landed('profile-dataset');

    expect(upsert?.entity).toEqual(event?.entity);
    expect(event).toMatchObject({ flowId: 'events-flow', entity: { eventName: 'pointsIssued' } });
    expect(event).not.toHaveProperty('operation');
    const { event: stored } = await rig.record(receipt);
    expect(await rig.journal.profiles('acme-aep', [stored.lane ?? ''])).toEqual(new Map());
  });

  it('leaves the profile alone for an event that tells nothing of it', async () => {
    await deliver(transactionAdded(9));

    expect(landed('events-dataset')).toHaveLength(1);
    expect(landed('profile-dataset')).toEqual([]);
  });

  it('sends a deletion to the events only, without the person', async () => {
    await deliver(customerUpdated(10, { customerStatus: { currentLabel: 'Active' } }));
    await deliver(customerUpdated(10, { customerStatus: { currentLabel: 'Deleted' } }));

    expect(landed('profile-dataset')).toHaveLength(1);
    expect(JSON.stringify(landed('events-dataset')[1]?.entity)).not.toContain('Ada');
  });
});

describe('the operations of an upsert', () => {
  it('link identities where there is a dataset for that', async () => {
    await start({ identityDatasetId: 'links-dataset' });
    rig.simulator.setFaults([
      { on: 'batch', match: { flowId: 'profile-flow' }, then: { items: { which: 'all', status: 400 } } },
    ]);
    const { receipt } = await rig.accept(pointsIssued(11, 5));
    await rig.settled(receipt);
    const { sent } = await rig.record(receipt);

    expect(sent.map(({ json }) => (JSON.parse(json) as { header: object }).header)).toMatchObject([
      { operations: { data: 'merge', identity: 'create', identityDatasetId: 'links-dataset' } },
    ]);
  });
});
