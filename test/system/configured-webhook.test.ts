import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';
import { aWebhook, callApi } from '../simulator/capillary/api/capillary-caller.ts';

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator({ capillary: { orgId: 100_458, retryScale: 0.05 } });
  folder = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') }));
  relay = await folder.start();
  const body = { key: 'k', secret: 's' };
  token = (await callApi(simulator, 'POST', '/v3/oauth/token/generate', { body })).json.data.accessToken;
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

function call(method: string, path: string, body?: unknown) {
  return callApi(simulator, method, path, { token, body });
}

/** A webhook of the relay with this secret. */
function webhookWith(secret: string) {
  return aWebhook({
    webHookUrl: `${relay.intakeUrl}/webhooks/acme`,
    webHookHeaders: { 'X-Relay-Key': secret },
    maxAllowedConnections: 2,
  });
}

function raise(...customers: number[]) {
  const events = customers.map((customer) => transactionAdded(customer));
  return call('POST', '/_sim/capillary/events', events);
}

function landed() {
  return simulator.landed({ kind: 'event', dropped: false }).length;
}

it('a webhook that is configured at Capillary brings events to Adobe, if its secret is right', async () => {
  const { webHookId, consumerGroupId } = (await call('POST', '/v3/webHooks', webhookWith('wrong'))).json.data;
  const rows = async (status: string) =>
    (await call('GET', `/v3/events/consumer-groups/${consumerGroupId}/logs?deliveryStatus=${status}`)).json
      .data.data;
  const metrics = async () =>
    (await call('GET', `/v3/events/consumer-groups/${consumerGroupId}/metrics`)).json.data;

  await raise(1);
  await until(async () => (await rows('FAIL')).length === 1);
  expect(await rows('FAIL')).toMatchObject([{ webhookResponseCode: '401', retryCount: 0 }]);

  await call('PUT', `/v3/webHooks/${webHookId}`, webhookWith(KEY));
  await raise(2, 3);
  await until(async () => landed() === 2 && (await metrics()).deliveredEvents === 2);
  expect(await metrics()).toMatchObject({ totalEvents: 3, failedEvents: 1 });

  await relay.stop('SIGTERM');
  await raise(4, 5, 6);
  await until(async () => (await metrics()).retryingEvents === 2);
  expect(await metrics()).toMatchObject({ pendingEvents: 1 });
  relay = await folder.start();
  await call('PUT', `/v3/webHooks/${webHookId}`, webhookWith(KEY));
  await until(async () => landed() === 5 && (await metrics()).deliveredEvents === 5);
  expect(await metrics()).toMatchObject({
    totalEvents: 6,
    failedEvents: 1,
    retryingEvents: 0,
  });
});
