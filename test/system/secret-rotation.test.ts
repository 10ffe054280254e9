import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/**
 * The simulated IMS accepts no old secret, so nothing is delivered before the relay has a new one.
 */
const CREDENTIAL = { clientId: 'client', secrets: ['new-client-secret', 'newest-client-secret'] };
const WRONG_SECRET = {
  status: 400,
  body: { error: 'invalid_client', error_description: 'invalid client_secret parameter' },
};

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;

/** Replaces the file atomically, as Kubernetes does with a mounted Secret. */
function putSecret(name: string, text: string): void {
  writeFileSync(join(folder.folder, `${name}.new`), text);
  renameSync(join(folder.folder, `${name}.new`), join(folder.folder, name));
}

async function post(n: number, key: string): Promise<number> {
  return (await relay.post(transactionAdded(n), { 'x-relay-key': key })).status;
}

function ledger(token: string): Promise<Response> {
  return fetch(`${relay.adminUrl}/admin/v1/ledger`, { headers: { authorization: `Bearer ${token}` } });
}

/** The body of an answer to the new token. */
async function admin(path: string): Promise<any> {
  const headers = { authorization: 'Bearer new-token' };
  return (await fetch(`${relay.adminUrl}/admin/v1${path}`, { headers })).json();
}

beforeAll(async () => {
  simulator = await startSimulator({ credentials: [CREDENTIAL] });
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  config.admin['token'] = '${file:admin-token}';
  config.sources[0]!['verify'] = [{ type: 'header', name: 'X-Relay-Key', values: ['${file:relay-key}'] }];
  config.destinations[0]!['ims'] = {
    url: simulator.imsUrl,
    clientId: CREDENTIAL.clientId,
    clientSecrets: ['${file:client-secret}'],
  };
  folder = relayFolder(config);
  putSecret('admin-token', 'old-token');
  putSecret('relay-key', 'old-key');
  putSecret('client-secret', 'old-client-secret');
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

it('uses changed secrets of senders, of the admin API and of IMS without a restart', async () => {
  expect(await post(1, 'old-key')).toBe(200);
  expect(await post(2, 'new-key')).toBe(401);
  expect((await ledger('old-token')).status).toBe(200);
  await until(() => relay.log.some(({ msg }) => msg === 'destination stopped delivering'));
  expect(await (await ledger('old-token')).json()).toMatchObject({ pending: 1, delivered: 0 });

  // Wait for the log line: polling with the new token would get this address throttled for a
  // minute.
  putSecret('admin-token', 'new-token');
  await until(() => relay.log.some(({ msg }) => msg === 'secrets reloaded'));
  expect((await ledger('new-token')).status).toBe(200);
  putSecret('relay-key', 'new-key');
  putSecret('client-secret', 'new-client-secret');
  await until(async () => (await post(3, 'new-key')) === 200);
  expect(await post(4, 'old-key')).toBe(401);
  expect((await ledger('old-token')).status).toBe(401);
  await until(async () => {
    const { delivered } = (await (await ledger('new-token')).json()) as { delivered: number };
    return delivered === 2;
  });
  const log = JSON.stringify(relay.log);
  expect(log).toContain('secrets reloaded');
  for (const name of ['key', 'token', 'client-secret'])
    for (const age of ['old', 'new']) expect(log).not.toContain(`${age}-${name}`);
});

it('names the refused client secret as the cause, though the inlet refuses the old token, and tries a changed one at once', async () => {
  // As after the rotation above: a token is cached, and the file has the new secret.
  simulator.setFaults([{ on: 'ims', match: { contains: 'new-client-secret' }, then: WRONG_SECRET }]);
  simulator.revokeTokens();
  expect(await post(5, 'new-key')).toBe(200);
  const stopped = await until(async () => {
    const [destination] = (await admin('/destinations')).destinations;
    return destination.state !== 'flowing' && destination;
  });
  expect(stopped).toMatchObject({
    state: 'paused',
    reason: 'ims-invalid_client',
    detail: expect.stringContaining('invalid client_secret parameter'),
    lastAnswers: {
      inlet: { status: 401, text: expect.stringContaining('Ims service token is not valid') },
      ims: { status: 400, text: expect.stringContaining('invalid client_secret parameter') },
    },
  });
  // The relay would try the refused secret again after a minute.
  expect(Date.parse(stopped.nextTryAt)).toBeGreaterThan(Date.now() + 30_000);
  simulator.setFaults([]);
  putSecret('client-secret', 'newest-client-secret');
  await until(async () => (await admin('/ledger')).delivered === 3);
  expect((await admin('/destinations')).destinations[0].state).toBe('flowing');
});
