import { describe, expect, onTestFinished, test } from 'vitest';
import { createCapillaryClient, type CapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import { deliveryMetrics, deliveryPage } from '../../../src/capillary/api/delivery-log.ts';
import { listWebhooks, offeredEvents } from '../../../src/capillary/api/webhooks.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { withCapillary } from '../../simulator/capillary/api/capillary-caller.ts';
import { anEvent, withDelivery } from '../../simulator/capillary/api/delivery-rig.ts';

function clientOf({ capillaryUrl }: Simulator, key = 'northKey'): CapillaryClient {
  let waited = 0;
  const client = createCapillaryClient({
    api: {
      url: capillaryUrl,
      key,
      secret: 'northSecret',
      callsPerMinute: 100_000,
      concurrency: 4,
      timeout: 5_000,
    },
    monotonic: () => performance.now() + waited,
    wait: async (ms) => {
      waited += ms;
    },
  });
  onTestFinished(() => client.close());
  return client;
}

describe('the client at the simulated Capillary', () => {
  test('reads its organisation, webhooks and events', async () => {
    const { simulator } = await withCapillary();
    const client = clientOf(simulator);
    expect(await client.claims()).toMatchObject({ value: { orgId: 100_737, seesPersonalData: true } });
    expect(await listWebhooks(client)).toEqual({ ok: true, value: [] });
    expect(await offeredEvents(client)).toContain('loyaltyCustomerMerge');
  });

  test('gets a new token after all were revoked, also where the answer is XML', async () => {
    const { simulator } = await withCapillary();
    const client = clientOf(simulator);
    await client.claims();
    simulator.capillary.tokens.revoke();
    expect(await listWebhooks(client)).toMatchObject({ ok: true });
    simulator.capillary.tokens.revoke();
    expect(await client.get('/v2/no-such-path')).toMatchObject({ error: { kind: 'not-found' } });
  });

  test('says which right is missing', async () => {
    const clients = [{ key: 'northKey', secret: 'northSecret', access: { Customer: ['read' as const] } }];
    const { simulator } = await withCapillary({ clients });
    expect(await listWebhooks(clientOf(simulator))).toMatchObject({
      error: { kind: 'forbidden', code: '4000', missing: 'Read on Webhooks' },
    });
  });

  test('reports the limit of calls', async () => {
    const { simulator } = await withCapillary({ callsPerMinute: 4 });
    const client = clientOf(simulator);
    const answers = [];
    for (let call = 0; call < 4; call += 1) answers.push(await client.get('/v3/webHooks', { attempts: 2 }));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
    expect(answers.at(-1)).toMatchObject({ error: { kind: 'throttled', status: 429, ambiguous: false } });
  });

  test('reads the delivery log with its bodies, and the counts', async () => {
    const from = Date.now() - 60_000;
    const { simulator, raise, settled, made } = await withDelivery((response, webhook) => {
      response.writeHead(webhook.body.includes('request-2') ? 400 : 200).end();
    });
    raise(1, 2, 3);
    await settled();
    const client = clientOf(simulator);
    const window = { from, to: Date.now() + 60_000 };
    expect(await deliveryMetrics(client, made.consumerGroupId, window)).toMatchObject({
      value: { total: 3, delivered: 2, failed: 1, retrying: 0, pending: 0 },
    });
    const all = await deliveryPage(client, made.consumerGroupId, { ...window, page: 1 });
    if (!all.ok) throw new Error(all.error.text);
    expect(all.value.rows.map(({ eventId }) => eventId).toSorted()).toEqual(
      [1, 2, 3].map((number) => anEvent(number).eventId),
    );
    for (const { body = '', eventId } of all.value.rows) expect(JSON.parse(body)).toMatchObject({ eventId });
    expect(
      await deliveryPage(client, made.consumerGroupId, { ...window, status: 'FAIL', page: 1 }),
    ).toMatchObject({
      value: {
        totalRows: 1,
        rows: [{ status: 'FAIL', answered: 400, eventName: 'transactionAdded', orgId: 100_737 }],
      },
    });
  });
});
