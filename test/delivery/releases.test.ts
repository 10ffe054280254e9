import { afterEach, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

const T = 1_790_848_800_000;
const PHONE = '919845099999';
const EMAIL = 'sita@example.org';

const person = (customerId: number, instore: object = {}) => ({
  customerIdentifiers: { customerId, instore },
});

let harness: DeliveryHarness;
afterEach(() => harness.close());

function eventAt(at: number, eventName: string, data: object): object {
  return { eventName, eventId: `${eventName}-${at}`, orgId: 100_737, createdAt: T + at, data };
}

it.each<[string, object]>([
  [
    'profiles',
    {
      mergeEventId: 'm-1',
      releasedAt: T + 4,
      profiles: [{ customerId: 7002, instore: { mobile: PHONE, email: EMAIL } }],
    },
  ],
  ['customerIdentifiers', person(7002, { mobile: PHONE, email: EMAIL })],
  ['a customerId', person(7002)],
  [
    'the customers of the merge',
    {
      mergeEventId: 'm-1',
      survivorCustomerIdentifiers: { customerId: 7001 },
      victimCustomerIdentifiers: { customerId: 7002, instore: { mobile: PHONE, email: EMAIL } },
    },
  ],
])(
  'identifiers of a merged customer that are released by %s go to their new owner alone',
  async (_by, data) => {
    harness = await startDeliveryHarness();
    await harness.destinations.start();
    const accepted: { receipt: string; id: string }[] = [];
    const outcomes: Settlement[] = [];
    for (const event of [
      eventAt(1, 'customerAdded', { ...person(7001), firstName: 'Ram' }),
      eventAt(2, 'customerAdded', { ...person(7002, { mobile: PHONE, email: EMAIL }), firstName: 'Sita' }),
      eventAt(3, 'loyaltyCustomerMerge', {
        survivorCustomerIdentifiers: { customerId: 7001 },
        victimCustomerIdentifiers: { customerId: 7002 },
      }),
      eventAt(4, 'identifierReleased', data),
      eventAt(5, 'customerAdded', { ...person(7003, { mobile: PHONE }), firstName: 'Gita' }),
      eventAt(6, 'pointsIssued', { ...person(7001), loyaltyProgramId: 1, programCurrentPoints: 5 }),
    ]) {
      // One after the other: the merge and the release belong to different customers.
      const one = await harness.accept(event);
      accepted.push(one);
      outcomes.push(await harness.whenSettled(one.receipt));
    }

    expect(outcomes.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'delivered'));
    const landed = (at: number) => harness.simulator.landed({ id: accepted[at]!.id });
    const [merged, released, owner, survivor] = [2, 3, 4, 5].map((at) => JSON.stringify(landed(at)));
    expect(merged).toContain(PHONE);
    for (const text of [released, survivor]) {
      expect(text).not.toContain(PHONE);
      expect(text).not.toContain(EMAIL);
    }
    const identityMap = landed(3).find(({ kind }) => kind === 'event')?.entity['identityMap'];
    expect(identityMap).toMatchObject({ capillaryId: [{ primary: true }] });
    expect(Object.values(identityMap as object).flat()).toHaveLength(1);
    expect(owner).toContain(`+${PHONE}`);
    const record = landed(5).find(({ kind }) => kind === 'profile')?.entity;
    expect(record).toMatchObject({
      person: { name: { firstName: 'Ram' } },
      identityMap: { capillaryId: [{ id: '7001', primary: true }] },
    });
    expect(Object.keys(record?.['identityMap'] as object)).toEqual(['capillaryId']);
  },
);
