import { writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { STANDARD_GROUPS } from '../../src/xdm/standard-groups.ts';
import { ORG, setUpByHand } from '../cli/provision/verify-rig.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const HOUR_MS = 3_600_000;
const STORE = { enteredBy: { store: { code: 'S1', name: 'High Street' } } };
const CLIENT_ID = 'events-project';

/** AEP without the field group of stores, and a relay that is told of failed batches. */
async function startAll() {
  let ago = HOUR_MS;
  const places = STANDARD_GROUPS.filter(({ feature }) => feature === 'placeContext');
  const { simulator, destination } = await setUpByHand({
    withoutGroups: places.map(({ id }) => id),
    // Dataflows that are made now would lose what comes first.
    simulator: { now: () => Date.now() - ago, validationDelayMs: 1_500 },
  });
  ago = 0;
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: destination.inletUrl });
  const reconcile = {
    every: '1d',
    lakeDelay: '1d',
    notifications: { clientId: CLIENT_ID, signingHost: simulator.url },
  };
  const config = {
    ...plain,
    sources: [{ ...plain.sources[0], destination: 'main' }],
    destinations: [
      {
        ...plain.destinations[0],
        name: 'main',
        imsOrgId: ORG,
        sandbox: 'dev',
        ims: { url: simulator.imsUrl, clientId: 'client-1', clientSecrets: ['secret'] },
        platform: { url: simulator.url },
        events: destination.events,
        profile: {
          schemaId: destination.profile?.schemaId,
          datasetId: destination.profile?.datasetId,
          flowId: destination.profile?.flowId,
        },
        schemaFeatures: { placeContext: true },
        reconcile,
      } as Record<string, any>,
    ],
  };
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  return { simulator, config, folder, relay: await folder.start() };
}

it('a signed notification makes a dead letter of what AEP refused, and nothing else is believed', async () => {
  const { simulator, config, folder, relay } = await startAll();
  const hook = `${relay.adminUrl}/hooks/adobe`;
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(hook, { method: 'POST', body, headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const challenge = await fetch(`${hook}?challenge=8ec8d794`);
  expect([challenge.status, await challenge.json()]).toEqual([200, { challenge: '8ec8d794' }]);
  expect(await post('{"challenge":"x1"}')).toEqual({ status: 200, body: { challenge: 'x1' } });

  const datasetId = config.destinations[0]!['events'].datasetId as string;
  const notice = (recipient: string, ingestionId: string) =>
    JSON.stringify({
      event_id: 'e1',
      event: {
        'xdm:ingestionId': ingestionId,
        'xdm:datasetId': datasetId,
        'xdm:eventCode': 'ing_load_failure',
        'xdm:sandboxName': 'dev',
        'xdm:imsOrg': ORG,
      },
      recipient_client_id: recipient,
    });
  const own = notice(CLIENT_ID, 'forged');
  const signed = simulator.notifications.signatureOf(own);
  expect((await post(own)).status).toBe(401);
  expect((await post(`${own} `, signed)).status).toBe(401);
  expect((await post(notice('client-1', 'forged'), signed)).status).toBe(401);
  const elsewhere = { ...signed, 'x-adobe-public-key1-path': '//evil.example/prod/keys/a.pem' };
  expect((await post(own, { ...elsewhere, 'x-adobe-public-key2-path': '/../x.pem' })).status).toBe(401);
  expect((await post('[]', signed)).status).toBe(401);
  expect((await post('', signed)).status).toBe(401);
  expect((await post('['.repeat(60_000), signed)).status).toBe(401);
  expect((await post(' '.repeat(70_000), signed)).status).toBe(413);
  expect(await post(own, signed)).toEqual({ status: 200, body: { outcome: 'stored' } });

  simulator.notifications.set({ url: hook, clientId: CLIENT_ID });
  const refused = transactionAdded(12, STORE);
  for (const event of [pointsIssued(11, 100), refused]) expect((await relay.post(event)).status).toBe(200);
  const state = async (of: typeof relay) => {
    const { body } = await of.admin(`/admin/v1/events?eventId=${refused.eventId}`);
    return body.events[0];
  };
  await until(async () => (await state(relay))?.reason === 'refused-later');
  const { body: ledger } = await relay.admin('/admin/v1/ledger');
  expect(ledger).toMatchObject({ accepted: 2, delivered: 1, dead: 1 });
  const texts = [JSON.stringify(relay.log), relay.stderr(), String((await relay.admin('/metrics')).body)];
  for (const text of texts)
    for (const secret of ['High Street', signed['x-adobe-digital-signature-1']!])
      expect(text).not.toContain(secret);
  expect(simulator.notifications.sent().every(({ statuses }) => statuses.length === 1)).toBe(true);

  // Without the key nothing is accepted any more, also after a reload.
  delete config.destinations[0]!['reconcile'].notifications;
  writeFileSync(folder.file, stringify(config));
  process.kill(relay.pid, 'SIGHUP');
  await until(async () => (await post(own, signed)).status === 404);
  expect(await relay.stop('SIGTERM')).toBe(0);
  const next = await folder.start();
  expect((await state(next))?.reason).toBe('refused-later');
  expect(await next.stop('SIGTERM')).toBe(0);
});
