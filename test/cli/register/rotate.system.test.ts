import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { ADMIN_TOKEN, relayConfig, relayFolder, type RelayProcess } from '../../helpers/relay-process.ts';
import { until } from '../../helpers/until.ts';
import { anEvent, ORG } from '../../simulator/capillary/api/delivery-rig.ts';
import { run } from '../command-line.ts';

const OLD = 'old-value-of-the-header';

let twin: Simulator;
let relay: RelayProcess;
let folder: ReturnType<typeof relayFolder>;
let secrets = '';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  twin = await startSimulator({ capillary: { orgId: ORG } });
  secrets = mkdtempSync(join(tmpdir(), 'relay-secrets-'));
  for (const name of ['key', 'former-key']) writeFileSync(join(secrets, name), `${OLD}\n`, { mode: 0o600 });
  const [current, former] = ['key', 'former-key'].map((name) => `\${file:${join(secrets, name)}}`);
  const config = relayConfig({ imsUrl: twin.imsUrl, inletUrl: twin.inletUrl() });
  const port = await freePort();
  config.server = { host: '127.0.0.1', port };
  config.admin = { host: '127.0.0.1', port: await freePort(), token: ADMIN_TOKEN };
  Object.assign(config.sources[0] ?? {}, {
    orgIds: [ORG],
    verify: [{ type: 'header', name: 'X-Relay-Key', values: [current, former] }],
    api: { url: twin.capillaryUrl, key: 'key', secret: 'secret', callsPerMinute: 100_000 },
    webhook: {
      name: 'acme-aep-relay',
      url: `http://127.0.0.1:${port}/webhooks/acme`,
      header: { name: 'X-Relay-Key', value: current },
    },
  });
  folder = relayFolder(config);
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await twin.close();
  rmSync(secrets, { recursive: true });
});

function register(...words: string[]) {
  return run(['register', ...words, '--config', folder.file]);
}

function headerAtCapillary(): string | undefined {
  return twin.capillary.webhooks.list(ORG)[0]?.fields.webHookHeaders['X-Relay-Key'];
}

test('one command exchanges the value while events arrive, and none is refused', async () => {
  expect(await register('apply')).toMatchObject({ code: 0, stderr: '' });
  expect(headerAtCapillary()).toBe(OLD);

  let raised = 0;
  const stop = new AbortController();
  const sending = (async () => {
    while (!stop.signal.aborted) {
      twin.capillary.raise(anEvent((raised += 1)));
      await until(() => twin.capillary.log.list(({ status }) => status === 'IN_PROGRESS').length < 5);
      await new Promise((resolve) => setImmediate(resolve));
      if (raised % 20 === 0) await relay.admin('/admin/v1/intake');
    }
  })();
  const rotated = await register('rotate', '--wait', '20s');
  stop.abort();
  await sending;
  expect(rotated).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('the former value is not accepted any more'),
  });

  const value = headerAtCapillary() ?? '';
  expect(value).toMatch(/^[\w-]{43}$/);
  expect(['key', 'former-key'].map((name) => readFileSync(join(secrets, name), 'utf8'))).toEqual([
    `${value}\n`,
    `${value}\n`,
  ]);
  for (const text of [rotated.stdout, rotated.stderr])
    for (const secret of [OLD, value]) expect(text).not.toContain(secret);

  await until(() => twin.capillary.log.list(({ status }) => status === 'IN_PROGRESS').length === 0);
  expect(twin.capillary.log.list(({ status }) => status !== 'SUCCESS')).toEqual([]);
  expect((await relay.admin('/admin/v1/quarantine')).body.quarantined).toEqual([]);
  expect((await relay.post({}, { 'x-relay-key': OLD })).status).toBe(401);

  const status = await register('status');
  expect(status).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`delivered +${raised} +${raised}`)),
  });
  expect(await register('plan')).toMatchObject({ code: 0 });
}, 60_000);
