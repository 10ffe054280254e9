import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { pointsIssued } from '../fixtures/events.ts';
import { KEY, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/** A platform that takes every call and never answers. */
async function startHanging() {
  const calls: string[] = [];
  const server = createServer((request) => void calls.push(String(request.url)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it('platforms that never answer keep neither events nor a reload nor a stop waiting', async () => {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const aep = await startHanging();
  const capillary = await startHanging();
  const plain = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  const config = {
    ...plain,
    sources: [
      {
        ...plain.sources[0],
        api: { url: capillary.url, key: 'key', secret: 'secret' },
        webhook: {
          name: 'relay',
          url: 'https://relay.example.com/webhooks/acme',
          header: { name: 'X-Relay-Key', value: KEY },
        },
        reconcile: { every: '1s' },
      },
    ],
    destinations: [
      { ...plain.destinations[0], platform: { url: aep.url }, reconcile: { every: '1s' } } as Record<
        string,
        unknown
      >,
    ],
  };
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  const relay = await folder.start();
  await until(() => aep.calls.length > 0 && capillary.calls.length > 0);
  expect((await relay.post(pointsIssued(1, 10))).status).toBe(200);
  await until(async () => (await relay.admin('/admin/v1/ledger')).body.delivered === 1);
  const before = aep.calls.length;
  config.destinations[0]!['reconcile'] = { every: '2s' };
  writeFileSync(folder.file, stringify(config));
  process.kill(relay.pid, 'SIGHUP');
  await until(() => aep.calls.length > before);
  expect(await relay.stop('SIGTERM')).toBe(0);
});
