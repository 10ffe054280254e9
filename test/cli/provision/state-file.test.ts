import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openState, statePath } from '../../../src/cli/provision/state-file.ts';

const TARGET = { destination: 'aep', imsOrgId: 'org@AdobeOrg', sandbox: 'dev' };

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'relay.provision.json');
}

it('lies beside the configuration', () => {
  expect(statePath('/etc/relay/relay.yaml')).toBe('/etc/relay/relay.provision.json');
  expect(statePath('relay.yml')).toBe('relay.provision.json');
});

it('keeps ids and attempts by destination, organisation and sandbox', async () => {
  const file = stateFile();
  const now = () => Date.UTC(2026, 10, 30);
  const first = (await openState(file, now))(TARGET);
  expect(existsSync(file)).toBe(false);
  await first.attempt('dataset:event');
  await first.record('schema:event', { kind: 'schema', name: 'events', id: 's1', by: 'made' });

  const states = await openState(file, now);
  const again = states(TARGET);
  expect(again.object('schema:event')).toEqual({
    kind: 'schema',
    name: 'events',
    id: 's1',
    by: 'made',
    at: '2026-11-30T00:00:00.000Z',
  });
  expect(again.attemptedAt('dataset:event')).toBe(now());
  expect(states({ ...TARGET, sandbox: 'prod' }).object('schema:event')).toBeUndefined();

  await again.record('dataset:event', { kind: 'dataset', name: 'events', id: 'd1', by: 'made' });
  expect(again.attemptedAt('dataset:event')).toBeUndefined();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    version: 1,
    destinations: [{ attempts: {} }],
  });
});

it('refuses a damaged file, and says what to do', async () => {
  const file = stateFile();
  writeFileSync(file, '{"version": 1, "destinations": [{}]}');
  await expect(openState(file)).rejects.toThrow(/damaged[\s\S]*move it away/);
});

it('says what to do about a file that cannot be read', async () => {
  await expect(openState(dirname(stateFile()))).rejects.toThrow(/cannot be read \(EISDIR\); fix: .*--state/);
});
