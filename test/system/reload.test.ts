import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import {
  KEY,
  type RelayConfig,
  type RelayProcess,
  relayConfig,
  relayFolder,
} from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let config: RelayConfig;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;

const RELOAD = '/admin/v1/config/reload';

/** Replaces a file of the folder at once, as a careful editor does. */
function put(name: string, text: string): void {
  writeFileSync(join(folder.folder, `${name}.new`), text);
  renameSync(join(folder.folder, `${name}.new`), join(folder.folder, name));
}

function write(): void {
  put('relay.yaml', stringify(config));
}

function linesOf(message: string): readonly Record<string, any>[] {
  return relay.log.filter(({ msg }) => msg === message);
}

async function hangUp(message: string): Promise<Record<string, any>> {
  const before = linesOf(message).length;
  process.kill(relay.pid, 'SIGHUP');
  await until(() => linesOf(message).length > before);
  return linesOf(message).at(-1)!;
}

async function post(source: string, key: string, n = 1): Promise<number> {
  const answer = await fetch(`${relay.intakeUrl}/webhooks/${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-relay-key': key },
    body: JSON.stringify(transactionAdded(n)),
  });
  return answer.status;
}

async function metric(name: string): Promise<number> {
  const { body } = await relay.admin('/metrics');
  const line = String(body)
    .split('\n')
    .find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

async function delivered(): Promise<number> {
  return (await relay.admin('/admin/v1/ledger')).body.delivered;
}

beforeAll(async () => {
  simulator = await startSimulator();
  config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  folder = relayFolder(config);
  config.sources[0]!['verify'] = [{ type: 'header', name: 'X-Relay-Key', values: ['${file:key}'] }];
  put('key', KEY);
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

it('adds a source and changes a secret by SIGHUP, and the log tells it without secrets', async () => {
  expect(await post('second', 'key-of-the-second')).toBe(404);
  const verify = [{ type: 'header', name: 'X-Relay-Key', values: ['key-of-the-second'] }];
  config.sources.push({ ...config.sources[0], name: 'second', verify });
  config.sources[0]!['timezone'] = 'Asia/Kolkata';
  write();
  const { changed } = await hangUp('configuration reloaded');
  expect(changed).toEqual([
    { path: 'sources[acme].timezone', from: 'Europe/London', to: 'Asia/Kolkata' },
    { path: 'sources[second]', to: expect.any(String) },
  ]);
  expect(await post('second', 'key-of-the-second')).toBe(200);
  expect(await post('acme', KEY)).toBe(200);
  await until(async () => (await delivered()) === 2);
  expect(JSON.stringify(relay.log)).not.toContain('key-of-the-second');
  expect(await metric('relay_config_reloads_total{outcome="applied"}')).toBe(1);
});

it('changes secret, limits and log level by the API, and names what needs a restart', async () => {
  config.sources[1]!['verify'] = [{ type: 'header', name: 'X-Relay-Key', values: ['another-key'] }];
  config.server = { ...config.server, port: 1, bodyLimit: '1KB', rateLimit: { max: 3, window: '1h' } };
  Object.assign(config, { log: { level: 'debug' } });
  write();
  const { status, body } = await relay.admin(RELOAD, { method: 'POST' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ outcome: 'applied', needsRestart: ['server.port'], warnings: [] });
  expect(body.changed).toContainEqual({ path: 'sources[second].verify[0].values', secret: true });
  expect(JSON.stringify(body)).not.toContain('another-key');
  expect((await relay.admin('/admin/v1/log-level')).body).toEqual({ level: 'debug', configured: 'debug' });
  expect(await post('second', 'key-of-the-second')).toBe(401);
  const big = JSON.stringify(transactionAdded(1, { note: 'x'.repeat(2_000) }));
  expect((await relay.post(big)).status).toBe(413);
  const codes = [await post('second', 'another-key'), await post('second', 'another-key')];
  expect([...codes, await post('second', 'another-key')]).toContain(429);

  expect((await relay.admin(RELOAD, { method: 'POST' })).body).toEqual({
    outcome: 'unchanged',
    file: expect.stringMatching(/relay\.yaml$/),
    changed: [],
    needsRestart: ['server.port'],
    warnings: [],
  });
  config.server = { ...config.server, port: 0, bodyLimit: '1MiB', rateLimit: { max: 2_000, window: '1s' } };
  write();
  expect((await relay.admin(RELOAD, { method: 'POST' })).body).toMatchObject({
    needsRestart: [],
    warnings: [],
  });
});

it('keeps everything as it was if the new configuration is refused', async () => {
  const valid = stringify(config);
  put(
    'relay.yaml',
    valid
      .replaceAll('Asia/Kolkata', 'Europe/Paris')
      .replace(/destination: acme-aep(?![^]*destination: )/, 'destination: acme-app'),
  );
  const { status, body } = await relay.admin(RELOAD, { method: 'POST' });
  expect(status).toBe(422);
  expect(body.problems).toMatchObject([{ path: 'sources[1].destination', line: expect.any(Number) }]);
  const { problems } = await hangUp('configuration not reloaded; the previous one stays in use');
  expect(problems).toMatchObject([{ path: 'sources[1].destination' }]);
  expect(await metric('relay_config_reloads_total{outcome="refused"}')).toBe(2);
  expect(await post('acme', KEY)).toBe(200);
  expect(await post('second', 'another-key')).toBe(200);
  put('relay.yaml', valid);
  expect((await relay.admin(RELOAD, { method: 'POST' })).body).toMatchObject({ outcome: 'unchanged' });
});

it('counts secret files that cannot be used, and goes on with the old secret', async () => {
  expect(await metric('relay_secret_files_unusable')).toBe(0);
  put('key', '');
  await until(async () => (await metric('relay_secret_files_unusable')) === 1);
  expect(await post('acme', KEY)).toBe(200);
  expect((await relay.admin(RELOAD, { method: 'POST' })).status).toBe(422);
  put('key', KEY);
  await until(async () => (await metric('relay_secret_files_unusable')) === 0);
});

it('serves a SIGHUP that arrives while the relay starts, and still ends with SIGTERM', async () => {
  expect(await relay.stop('SIGTERM')).toBe(0);
  relay = await folder.start({
    onSpawn: ({ stdout, pid }) => stdout!.once('data', () => process.kill(pid!, 'SIGHUP')),
  });
  await until(() => relay.log.some(({ msg }) => String(msg).startsWith('configuration reloaded')));
  expect(await post('acme', KEY)).toBe(200);
  expect(await relay.stop('SIGTERM')).toBe(0);
});
