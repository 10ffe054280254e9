import { expect, it } from 'vitest';
import type { LandedRecord } from '../../../../src/simulator/adobe/landed-store.ts';
import { createProfileStore } from '../../../../src/simulator/adobe/platform/profile-store.ts';

const NAMESPACE = 'CapillaryCustomer';

function eventOf(seq: number): LandedRecord {
  const identity = { namespace: NAMESPACE, id: String(seq) };
  return {
    seq,
    at: seq,
    kind: 'event',
    inletId: 'inlet',
    flowId: 'flow',
    datasetId: 'events',
    id: `event-${seq}`,
    identity,
    entity: { timestamp: new Date(seq).toISOString() },
    duplicates: 0,
    dropped: [],
    requestId: 'r',
    position: 0,
  };
}

it('forgets the oldest identities and events, so that it does not grow', () => {
  const store = createProfileStore(2);
  for (let seq = 1; seq <= 10; seq += 1) store.add(eventOf(seq));
  const eventsOf = (seq: number) =>
    store.find({ namespace: NAMESPACE, id: String(seq) })?.events.map(({ id }) => id);
  expect(eventsOf(1)).toBeUndefined();
  expect(eventsOf(8)).toEqual([]);
  expect(eventsOf(10)).toEqual(['event-10']);
});
