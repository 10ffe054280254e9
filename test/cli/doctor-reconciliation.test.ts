import { expect, it, onTestFinished } from 'vitest';
import { networkFindings } from '../../src/cli/doctor/network-findings.ts';
import { notificationFindings } from '../../src/cli/doctor/reconciliation-findings.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { CapillaryOptions } from '../../src/simulator/capillary/api/capillary-options.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { askToken, aWebhook, callApi } from '../simulator/capillary/api/capillary-caller.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };
const ALL = { ...CLIENT, key: 'allKey' };

/** What `doctor` finds about the log of a source with `reconcile`. */
async function findings(capillary: CapillaryOptions, { isRegistered = true } = {}) {
  const simulator = await startSimulator({ capillary });
  onTestFinished(() => simulator.close());
  const token = (await askToken(simulator, ALL.key)).json.data.accessToken as string;
  if (isRegistered) await callApi(simulator, 'POST', '/v3/webHooks', { token, body: aWebhook() });
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  plain.store['path'] = '/unused';
  Object.assign(plain.sources[0]!, {
    api: { url: simulator.capillaryUrl, ...CLIENT },
    webhook: {
      name: 'relay',
      url: 'https://relay.example.com/webhooks/acme',
      header: { name: 'X-Relay-Key', value: 'key' },
    },
    reconcile: {},
  });
  const found = await networkFindings(configSchema.parse(plain), {});
  return found.filter(({ check }) => check.startsWith('reconcile/'));
}

it('says that the log can be read', async () => {
  expect(await findings({ clients: [CLIENT, ALL] })).toEqual([
    { check: 'reconcile/acme', level: 'ok', detail: 'the log has 0 events of the last hour' },
  ]);
});

it('names the right that is missing, and how to add it', async () => {
  const clients = [{ ...CLIENT, access: { Customer: ['read'] } } as const, ALL];
  expect(await findings({ clients })).toMatchObject([
    { level: 'fail', detail: expect.stringContaining('Webhooks'), fix: expect.stringContaining('InTouch') },
  ]);
});

it('warns only that Capillary has no such webhook, because there is none before the first start', async () => {
  expect(await findings({ clients: [CLIENT, ALL] }, { isRegistered: false })).toMatchObject([
    {
      level: 'warn',
      detail: 'Capillary has no webhook named relay',
      fix: expect.stringContaining('register'),
    },
  ]);
});

it('warns if Adobe cannot reach the address of the notifications', () => {
  const config = (host: string) => {
    const plain = relayConfig({
      imsUrl: 'http://127.0.0.1:1/token',
      inletUrl: 'http://127.0.0.1:1/collection/a',
    });
    plain.store['path'] = '/unused';
    plain.admin['host'] = host;
    plain.destinations[0]!['reconcile'] = { notifications: {} };
    return configSchema.parse(plain);
  };
  expect(notificationFindings(config('127.0.0.1'))).toMatchObject([
    { check: 'notifications/acme-aep', level: 'warn', fix: expect.stringContaining('proxy') },
  ]);
  expect(notificationFindings(config('0.0.0.0'))).toMatchObject([{ level: 'ok' }]);
});
