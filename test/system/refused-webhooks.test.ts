import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { run } from '../cli/command-line.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { ADMIN_TOKEN, KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;

beforeAll(async () => {
  simulator = await startSimulator();
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  config.sources[0]!['verify'] = [{ type: 'header', name: 'X-Relay-Key', values: ['${file:key}'] }];
  folder = relayFolder(config);
  writeFileSync(join(folder.folder, 'key'), 'wrong');
  relay = await folder.start();
});

afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

function cli(...words: string[]) {
  return run([...words, '--url', relay.adminUrl], { env: { RELAY_ADMIN_TOKEN: ADMIN_TOKEN } });
}

function status() {
  return cli('status', '--once', '--interval', '0.1');
}

it('status shows a wrong secret before and after a restart, until what was refused is released', async () => {
  for (const n of [1, 2, 3]) expect((await relay.post(transactionAdded(n))).status).toBe(401);
  const before = await status();
  expect(before.code).toBe(1);
  expect(before.stdout).toContain('  acme: 3 × 401 not-verified, the last ');

  expect(await relay.stop('SIGTERM')).toBe(0);
  relay = await folder.start();
  const after = await status();
  expect(after.code).toBe(1);
  expect(after.stdout).toMatch(/ none refused since the start \d+ s ago\n/);
  expect(after.stdout).toMatch(/ {2}acme: 3 in quarantine, the newest \d+ s old \(header:mismatch\)\n/);
  expect(after.stdout).toContain('  Capillary does not repeat a 401: lost unless released or replayed\n');
  expect(after.stdout).toContain('    capillary-relay quarantine list --source acme ');
  expect(after.stdout).toMatch(
    /\nexit code 1: source acme refused a webhook \d+ s ago, and none was accepted since\n$/,
  );

  writeFileSync(join(folder.folder, 'key'), KEY);
  await until(async () => (await cli('quarantine', 'release', '--source', 'acme', '--yes')).code === 0);
  const fixed = await status();
  expect(fixed).toMatchObject({ code: 0, stderr: '' });
  expect(fixed.stdout).not.toMatch(/quarantine|exit code/);
});
