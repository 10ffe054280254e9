import { describe, expect, it, onTestFinished } from 'vitest';
import { createCapillaryClient } from '../../../../src/capillary/api/capillary-client.ts';
import { deliveryMetrics, deliveryPage } from '../../../../src/capillary/api/delivery-log.ts';
import {
  createWebhook,
  listWebhooks,
  offeredEvents,
  replaceWebhook,
} from '../../../../src/capillary/api/webhooks.ts';
import type { JsonObject } from '../../../../src/capillary/json.ts';
import type { CapillaryOptions } from '../../../../src/simulator/capillary/api/capillary-options.ts';
import { simulate } from '../../adobe/adobe-client.ts';
import { aWebhook } from './capillary-caller.ts';
import { anEvent, withDelivery } from './delivery-rig.ts';
import { statuses } from './receiving-relay.ts';

const KEY = { key: 'northKey', secret: 'secret-of-the-north' };

/** The relay's client; its waits take no time, but its clock counts them. */
function clientOf(url: string) {
  const waits: number[] = [];
  const waited = (): number => waits.reduce((sum, ms) => sum + ms, 0);
  const client = createCapillaryClient({
    api: { url, ...KEY, callsPerMinute: 100_000, concurrency: 4, timeout: 2_000 },
    monotonic: () => performance.now() + waited(),
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  onTestFinished(() => client.close());
  return { client, waits };
}

async function withClient(capillary: CapillaryOptions = {}) {
  const simulator = await simulate({ capillary });
  return { simulator, ...clientOf(simulator.capillaryUrl) };
}

describe("the relay's client and the simulated API", () => {
  it('agree on the token and its claims', async () => {
    const { client } = await withClient({ orgId: 42, clients: [{ ...KEY, psiAccess: false, till: 't-1' }] });
    expect(await client.claims()).toEqual({
      ok: true,
      value: { orgId: 42, seesPersonalData: false, defaultTill: 't-1' },
    });
    const { client: stranger } = await withClient({
      clients: [{ key: 'northKey', secret: 'another-secret' }],
    });
    expect(await stranger.claims()).toMatchObject({
      ok: false,
      error: { kind: 'unauthorized', status: 401 },
    });
  });

  it('agree on webhooks: created, replaced, read again', async () => {
    const { client } = await withClient();
    expect(await createWebhook(client, aWebhook() as JsonObject)).toEqual({ ok: true, value: undefined });
    const listed = await listWebhooks(client);
    const [webhook] = listed.ok ? listed.value : [];
    expect(webhook).toMatchObject({ name: 'relay', active: true, headers: { 'X-Relay-Key': 'first' } });
    const object = { ...webhook?.object, maxAllowedConnections: 20 };
    expect(await replaceWebhook(client, webhook?.id ?? '', object)).toMatchObject({ ok: true });
    const again = await listWebhooks(client);
    expect(again.ok && again.value[0]?.object).toMatchObject({
      ...aWebhook({ maxAllowedConnections: 20 }),
      eventNames: expect.any(Array),
    });
    expect(await offeredEvents(client)).toContain('transactionAdded');
    const taken = await createWebhook(client, aWebhook() as JsonObject);
    expect(taken).toMatchObject({ ok: false, error: { kind: 'invalid', code: '51001', ambiguous: false } });
  });

  it.each([
    [403, 'forbidden', '4000'],
    [461, 'busy', '461'],
    [498, 'unauthorized', '498'],
    [500, 'unavailable', '500'],
    [502, 'unavailable', '502'],
    [503, 'busy', '4001'],
    [521, 'busy', '521'],
  ])('agree on a status of %i: %s', async (status, kind, code) => {
    const { simulator, client } = await withClient();
    simulator.setFaults([
      { on: 'capillary', match: { method: 'GET', path: '/v3/webHooks' }, then: { status } },
    ]);
    const answer = await listWebhooks(client);
    expect(answer).toMatchObject({
      ok: false,
      error: { kind, code, status, requestId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it('agree on 429, which has no body, and on a 401 of v2, which is XML', async () => {
    const { simulator, client, waits } = await withClient();
    simulator.setFaults([{ on: 'capillary', match: { method: 'GET' }, times: 2, then: { status: 429 } }]);
    expect(await listWebhooks(client)).toEqual({ ok: true, value: [] });
    expect(waits.length).toBeGreaterThan(0);
    simulator.setFaults([{ on: 'capillary', match: { method: 'GET' }, then: { status: 401 } }]);
    expect(await client.get('/v3/webHooks')).toMatchObject({
      ok: false,
      error: { kind: 'unauthorized', status: 401 },
    });
    simulator.capillary.tokens.revoke();
    simulator.setFaults([{ on: 'capillary', match: { path: '/v3/oauth' }, then: { landed: false } }]);
    const v2 = await client.get('/v2/customers/1');
    expect(v2).toMatchObject({ ok: false, error: { kind: 'unauthorized', status: 401, code: '401' } });
  });

  it('agree on a token that expires between two calls', async () => {
    const { simulator, client } = await withClient();
    expect(await listWebhooks(client)).toMatchObject({ ok: true });
    simulator.capillary.tokens.revoke();
    expect(await listWebhooks(client)).toMatchObject({ ok: true });
  });

  it('agree on a webhook that was made although its answer was lost', async () => {
    const { simulator, client } = await withClient();
    simulator.setFaults([
      {
        on: 'capillary',
        match: { method: 'POST', path: '/v3/webHooks' },
        times: 1,
        then: { status: 502, landed: true },
      },
    ]);
    expect(await createWebhook(client, aWebhook() as JsonObject)).toMatchObject({
      ok: false,
      error: { ambiguous: true },
    });
    expect(await listWebhooks(client)).toMatchObject({ ok: true, value: [{ name: 'relay' }] });
  });

  it('agree on metrics and on the delivery log', async () => {
    const { simulator, made, raise, settled } = await withDelivery(statuses(400));
    const { client } = clientOf(simulator.capillaryUrl);
    raise(1);
    await settled();
    const window = { from: Date.now() - 60_000, to: Date.now() + 60_000 };
    expect(await deliveryMetrics(client, made.consumerGroupId, window)).toEqual({
      ok: true,
      value: { total: 1, delivered: 0, failed: 1, retrying: 0, pending: 0 },
    });
    const page = await deliveryPage(client, made.consumerGroupId, { ...window, status: 'FAIL', page: 1 });
    expect(page).toMatchObject({
      ok: true,
      value: {
        totalPages: 1,
        totalRows: 1,
        rows: [
          { eventName: 'transactionAdded', orgId: 100_737, status: 'FAIL', answered: 400, retryCount: 0 },
        ],
      },
    });
    const body = page.ok ? page.value.rows[0]?.body : undefined;
    expect(JSON.parse(body ?? '')).toMatchObject({
      eventId: anEvent(1).eventId,
      data: { customerIdentifiers: { instore: { mobile: '919800000001' } } },
    });
  });
});
