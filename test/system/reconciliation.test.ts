import { expect, it, onTestFinished } from 'vitest';
import type { CapillaryTwin } from '../../src/simulator/capillary/api/capillary-twin.ts';
import { STANDARD_GROUPS } from '../../src/xdm/standard-groups.ts';
import { run } from '../cli/command-line.ts';
import { ORG, setUpByHand } from '../cli/provision/verify-rig.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { ADMIN_TOKEN, KEY, relayConfig, relayFolder, type RelayProcess } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';
import { askToken, aWebhook, callApi } from '../simulator/capillary/api/capillary-caller.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };
const HOUR_MS = 3_600_000;
const STORE = { enteredBy: { store: { code: 'S1', name: 'High Street' } } };

interface SentEvent {
  readonly eventName: string;
  readonly eventId: string;
}

/** AEP without the field group of stores, Capillary, and a relay that compares with both. */
async function startAll() {
  let ago = HOUR_MS;
  const places = STANDARD_GROUPS.filter(({ feature }) => feature === 'placeContext');
  const { simulator, destination } = await setUpByHand({
    withoutGroups: places.map(({ id }) => id),
    simulator: {
      capillary: { orgId: 100_458, clients: [CLIENT] },
      // Dataflows that are made now would lose what comes first.
      now: () => Date.now() - ago,
    },
  });
  ago = 0;
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: destination.inletUrl });
  const webhook = {
    name: 'relay',
    url: 'https://relay.example.com/webhooks/acme',
    header: { name: 'X-Relay-Key', value: KEY },
  };
  const config = {
    ...plain,
    sources: [
      {
        ...plain.sources[0],
        destination: 'main',
        api: { url: simulator.capillaryUrl, ...CLIENT, callsPerMinute: 6_000 },
        webhook,
        reconcile: { every: '1d', delay: '1s', window: '1h' },
      },
    ],
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
        reconcile: { every: '1d', window: '10s', lakeDelay: '1s', profileDelay: '1s', readBack: 1 },
      } as Record<string, unknown>,
    ],
  };
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  return { simulator, config, folder, relay: await folder.start() };
}

function logOf(twin: CapillaryTwin) {
  return (event: SentEvent, status: 'SUCCESS' | 'FAILED') => {
    const { eventName, eventId } = event;
    const generated = { name: eventName, variant: 'plain', body: JSON.stringify(event), eventId };
    return twin.addToLog(generated, {
      status,
      generatedAt: Date.now() - HOUR_MS / 3,
    });
  };
}

async function seriesOf(relay: RelayProcess): Promise<readonly string[]> {
  return String((await relay.admin('/metrics')).body).split('\n');
}

it('a loss at each end is named, and repaired by itself or by the command that it names', async () => {
  const { simulator, config, folder, relay } = await startAll();
  const token = (await askToken(simulator)).json.data.accessToken as string;
  await callApi(simulator, 'POST', '/v3/webHooks', { token, body: aWebhook() });
  const log = logOf(simulator.capillary);
  const cli = (...args: string[]) => run([...args, '--url', relay.adminUrl, '--token', ADMIN_TOKEN]);

  const arrived = pointsIssued(11, 100);
  const refused = transactionAdded(12, STORE);
  const lost = pointsIssued(13, 300);
  const without = pointsIssued(14, 400);
  for (const event of [arrived, refused]) {
    expect((await relay.post(event)).status).toBe(200);
    log(event, 'SUCCESS');
  }
  log(lost, 'FAILED');
  for (const row of log(without, 'FAILED')) row.hasPayload = false;

  // Capillary's side: one is taken from the log, of the other there is nothing to take.
  const source = await cli('reconcile', '--source', 'acme');
  expect(source).toMatchObject({ code: 1, stderr: '' });
  expect(source.stdout).toContain('sent 4 = accepted 2 + recovered 1 + unrecoverable 1 + missing 0');
  expect(source.stdout).toMatch(/open +no-payload +relay-unreachable +1/);
  expect(source.stdout).toContain(without.eventId);
  expect(source.stdout).toMatch(/done +given-up +relay-unreachable +1/);

  // Adobe's side: the store is no field of this schema, which AEP says after its 200.
  const found = await until(async () => {
    const answer = await cli('reconcile', '--destination', 'main', '--json');
    const [one] = JSON.parse(answer.stdout).destinations;
    return one.open['refused-later'] === 1 && one.sums.landed === 2 && { answer, one };
  });
  expect(found.answer.code).toBe(1);
  expect(found.one.sums).toEqual({ delivered: 3, landed: 2, refusedLater: 1, unconfirmed: 0 });
  expect(found.one.differences).toMatchObject([{ kind: 'refused-later', cause: 'validation', open: true }]);

  const ledger = await cli('ledger');
  expect(ledger.code).toBe(0);
  expect(ledger.stdout).toMatch(/SENT \(CAPILLARY\).*LANDED \(AEP\)/);
  expect(ledger.stdout).toContain('acknowledged by AEP 3 = landed 2 + refused later 1 + unconfirmed 0');
  expect((await cli('explain', lost.eventId)).stdout.trim()).toMatch(/\nin the lake since 20\S+ \S+Z$/);
  expect((await cli('explain', refused.eventId)).stdout).toContain('dead (refused-later)');
  expect(await seriesOf(relay)).toEqual(
    expect.arrayContaining([
      'relay_reconcile_sent{source="acme",outcome="recovered"} 1',
      'relay_reconcile_recovered_total{source="acme"} 1',
      'relay_reconcile_differences_open{side="capillary",name="acme",kind="no-payload"} 1',
      'relay_reconcile_differences_open{side="aep",name="main",kind="refused-later"} 1',
      'relay_reconcile_landed{destination="main",state="landed"} 2',
    ]),
  );
  const status = await cli('status', '--once', '--interval', '0.1');
  expect(status.stdout).toContain('compared  main: left to do: refused-later 1');

  // Fixed, replayed, and what landed stays landed over a restart.
  config.destinations[0]!['schemaFeatures'] = { placeContext: false };
  await relay.stop('SIGTERM');
  const next = await folder.start();
  const after = (...args: string[]) => run([...args, '--url', next.adminUrl, '--token', ADMIN_TOKEN]);
  expect(await after('dead-letters', 'replay', '--reason', 'refused-later')).toMatchObject({ code: 0 });
  const clean = await until(async () => {
    const answer = await after('reconcile', '--destination', 'main');
    return answer.stdout.includes('acknowledged 3 = landed 3') && answer;
  });
  expect(clean).toMatchObject({ code: 0 });
  expect(clean.stdout).toContain('main, landed in AEP: nothing is left to do');
  const again = await after('reconcile', '--source', 'acme', '--json');
  expect(JSON.parse(again.stdout).sources).toMatchObject([
    { sums: { sent: 4, accepted: 2, recovered: 1, unrecoverable: 1, missing: 0 } },
  ]);
  expect(await next.stop('SIGTERM')).toBe(0);
});
