import { expect, test } from 'vitest';
import { sourceSchema } from '../../../src/config/source-config.ts';
import { DIRECT_EGRESS } from '../../../src/http/egress.ts';
import { createSourceReconciler } from '../../../src/reconciliation/capillary/source-reconciler.ts';
import { startDeliveryHarness } from '../../helpers/delivery-harness.ts';
import { clientOfLog } from './log-fake.ts';

const ORG = 100_458;
const HOUR_MS = 3_600_000;

test('an old event that is recovered does not replace what a newer one has set', async () => {
  const harness = await startDeliveryHarness();
  await harness.destinations.start();
  try {
    const now = Date.now();
    const at = now - 2 * HOUR_MS;
    const event = (eventId: string, createdAt: number, firstName: string) => ({
      eventName: 'customerUpdated',
      eventId,
      orgId: ORG,
      createdAt,
      data: { customerIdentifiers: { customerId: 7 }, loyaltyType: 'loyalty', firstName },
    });
    /** First names of the profile records, in the order in which they were sent. */
    const sentNames = () =>
      harness.simulator
        .landed({ datasetId: 'profile-dataset' })
        .map((record) => /"firstName":"(\w+)"/.exec(JSON.stringify(record))?.[1]);
    const newer = await harness.accept(event('newer', now - HOUR_MS, 'Grace'));
    await harness.whenSettled(newer.receipt);
    expect(sentNames()).toEqual(['Grace']);

    const lost = event('older', at, 'Ada');
    const client = clientOfLog({
      count: 1,
      generatedAt: () => at,
      row: () => ({
        id: 'row',
        eventId: 'older',
        eventType: 'customerUpdated',
        orgId: String(ORG),
        deliveryStatus: 'FAILED',
        enrichedPayload: JSON.stringify(JSON.stringify(lost)),
      }),
    });
    const reconciler = createSourceReconciler({
      source: sourceSchema.parse({
        name: 'acme',
        destination: 'acme-aep',
        orgIds: [ORG],
        verify: [{ type: 'none' }],
        api: { url: 'http://127.0.0.1:1', key: 'key', secret: 'secret' },
        webhook: {
          name: 'relay',
          url: 'http://127.0.0.1:1/webhooks/acme',
          header: { name: 'X-Key', value: 'v' },
        },
        reconcile: {},
      }),
      journal: harness.journal,
      bodyLimit: () => 1_048_576,
      admission: { refusal: () => undefined, admit: () => undefined },
      egress: DIRECT_EGRESS,
      sharedClient: () => client,
      observer: {
        runEnded: () => undefined,
        found: () => undefined,
        recovered: () => undefined,
        called: () => undefined,
        errorCaught: () => undefined,
      },
    });
    await reconciler.run({}, new AbortController().signal);
    const { sums, differences } = await reconciler.report();
    expect(sums).toMatchObject({ sent: 1, recovered: 1 });
    await harness.whenSettled(differences[0]?.receipt ?? '');

    const events = harness.simulator.landed({ datasetId: 'events-dataset' });
    expect(events).toHaveLength(2);
    expect(new Set(sentNames())).toEqual(new Set(['Grace']));
  } finally {
    await harness.close();
  }
});
