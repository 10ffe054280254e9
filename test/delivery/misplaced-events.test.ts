import { afterEach, expect, it } from 'vitest';
import { sampleEvent } from '../contract/samples.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

it('a start leaves events where another configuration has put them; rerouting delivers them', async () => {
  harness = await startDeliveryHarness();
  const [appended] = await harness.journal.append([
    sampleEvent({ source: 'acme', destination: 'former-aep', receivedAt: Date.now() }),
  ]);
  const { receipt } = appended!;
  await harness.destinations.start();
  expect(await harness.destinations.misplaced.check()).toEqual([
    { source: 'acme', from: 'former-aep', to: 'acme-aep', pending: 1 },
  ]);
  expect((await harness.journal.find(receipt))?.event).toMatchObject({
    destination: 'former-aep',
    state: 'pending',
  });
  expect(await harness.destinations.reroute('olga', 'other')).toBe(0);
  expect(await harness.destinations.reroute('olga')).toBe(1);
  expect(harness.destinations.misplaced.known).toEqual([]);
  await harness.whenSettled(receipt);
  const moved = await harness.journal.find(receipt);
  expect(moved?.event.destination).toBe('acme-aep');
  expect(moved?.actions).toMatchObject([{ by: 'olga', action: 'rerouted from former-aep to acme-aep' }]);
});
