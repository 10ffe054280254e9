import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { run } from './command-line.ts';

let folder = '';
let simulator: Simulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-check-'));
  simulator = await startSimulator({ credentials: [{ clientId: 'client', secrets: ['secret'] }] });
});

afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true });
});

const ADMIN = 'admin-token-of-the-tests';

async function write(
  name: string,
  change: (config: ReturnType<typeof relayConfig>) => void = () => undefined,
): Promise<string> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.store['path'] = join(folder, 'data');
  change(config);
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, stringify(config));
  return file;
}

describe('check', () => {
  it('shows a good configuration without its secrets', async () => {
    const file = await write('good');
    const ended = await run(['check', '--config', file]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`OK: ${file} can be used`);
    expect(ended.stdout).toContain('name: acme-aep');
    for (const secret of [ADMIN, 'key-of-the-tests']) expect(ended.stdout).not.toContain(secret);
  });

  it('prints one line with --quiet', async () => {
    const file = await write('quiet');
    const ended = await run(['check', '--config', file, '--quiet']);
    expect(ended).toEqual({ code: 0, stdout: `OK: ${file} can be used\n`, stderr: '' });
  });

  it('with --quiet still shows problems and warnings', async () => {
    const file = await write('quiet-warning', (config) => (config.sources[0]!['timezone'] = 'IST'));
    const warned = await run(['check', '--config', file, '--quiet']);
    expect(warned.stdout).toMatch(
      /^\S+quiet-warning\.yaml:\d+:\d+ {2}sources\[0\]\.timezone\n {2}warning: [^]*\n\nOK: \S+ can be used; warnings: 1\n$/,
    );
    const bad = await write('quiet-bad', (config) => (config.server['port'] = 'eighty'));
    const refused = await run(['check', '--config', bad, '--quiet']);
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('problems: 1');
  });

  it('finds the configuration by RELAY_CONFIG', async () => {
    const file = await write('by-variable');
    const ended = await run(['check', '--json'], { env: { RELAY_CONFIG: file } });
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: true,
      file,
      config: { sources: [{ name: 'acme' }] },
    });
  });

  it('lists every problem with its position, the message and the fix', async () => {
    const file = await write('bad', (config) => {
      config.server['port'] = 'eighty';
      config.sources[0]!['destination'] = 'nowhere';
    });
    const ended = await run(['check', '--config', file]);
    expect(ended).toMatchObject({ code: 2, stderr: '' });
    expect(ended.stdout).toMatch(
      /bad\.yaml:\d+:\d+ {2}server\.port\n {2}problem: must be an integer.*\n {2}fix: {5}/,
    );
    expect(ended.stdout).toContain('sources[0].destination');
    expect(ended.stdout).toContain('problems: 2');

    const json = await run(['check', '--config', file, '--json']);
    expect(json.code).toBe(2);
    const paths = JSON.parse(json.stdout).problems.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(['server.port', 'sources[0].destination']);
  });

  it('warns of what is probably wrong, and fails then only with --strict', async () => {
    const file = await write('warnings', (config) => {
      config.store['maxBytes'] = '900000GiB';
      config.destinations[0]!['inletUrl'] = 'http://gateway.example.com/collection/abc';
    });
    const ended = await run(['check', '--config', file]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(
      /warnings\.yaml:\d+:\d+ {2}destinations\[0\]\.inletUrl\n {2}warning: .*\n {2}fix: {5}write/,
    );
    expect(ended.stdout).toMatch(
      /store\.maxBytes\n {2}warning: .*more than the volume of .* on this machine/,
    );
    expect(ended.stdout).toContain(`OK: ${file} can be used; warnings: 2`);
    expect(ended.stdout).toContain('window: 1s');
    const strict = await run(['check', '--config', file, '--strict', '--json']);
    expect(strict.code).toBe(1);
    const { ok, warnings } = JSON.parse(strict.stdout);
    expect({ ok, paths: warnings.map(({ path }: { path: string }) => path) }).toEqual({
      ok: true,
      paths: ['destinations[0].inletUrl', 'store.maxBytes'],
    });
  });

  it('a file that does not exist: says how to name one', async () => {
    const ended = await run(['check', '--config', join(folder, 'none.yaml')]);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain('set the path with --config FILE or RELAY_CONFIG');
  });

  it('other commands refuse a broken configuration with the same message', async () => {
    const file = await write('broken', (config) => (config.sources[0]!['name'] = 'No Name'));
    const ended = await run(['store', 'verify', '--config', file]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/1 problem in the configuration[^]*sources\[0\]\.name/);
  });
});

describe('check --connect', () => {
  it('mints a token and reaches the inlet, and sends nothing', async () => {
    const file = await write('connect');
    const ended = await run(['check', '--config', file, '--connect']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/acme-aep +token +ok +minted in .*, valid for (23 h 59 min|1 d 0 h)\n/);
    expect(ended.stdout).toMatch(/acme-aep +inlet +ok +127\.0\.0\.1:\d+ reached in/);
    expect(simulator.stats()).toMatchObject({ mints: 1, messages: 0, requests: { batch: {}, single: {} } });
  });

  it('ends with the result, after the connections', async () => {
    const file = await write('connect-quiet');
    const good = await run(['check', '--config', file, '--connect', '--quiet']);
    expect(good.stdout).toMatch(/^DESTINATION [^]*\n\nOK: \S+ can be used\n$/);
    const closed = await write('connect-closed', (config) => {
      config.destinations[0]!['inletUrl'] = 'http://127.0.0.1:1/collection/abc';
    });
    const failed = await run(['check', '--config', closed, '--connect', '--quiet']);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(
      /inlet +FAILED[^]*\n\nFAILED: \S+ is valid, but a destination could not be reached\n$/,
    );
  });

  it('names what failed and how to fix it, without the secret', async () => {
    const file = await write('wrong-secret', (config) => {
      const ims = { url: simulator.imsUrl, clientId: 'client', clientSecrets: ['wrong-one'] };
      Object.assign(config.destinations[0]!, { ims, inletUrl: 'http://127.0.0.1:1/collection/abc' });
    });
    const ended = await run(['check', '--config', file, '--connect', '--json']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).not.toContain('wrong-one');
    const { ok, connections } = JSON.parse(ended.stdout);
    expect(ok).toBe(false);
    const [ims, inlet, platform, ...checks] = connections;
    expect([ims, inlet, platform]).toMatchObject(
      [new URL(simulator.imsUrl).host, '127.0.0.1:1', 'platform.adobe.io'].map((host) => ({
        destination: 'acme-aep',
        check: 'route',
        ok: true,
        detail: `${host}: direct`,
      })),
    );
    expect(checks).toMatchObject(
      [
        { destination: 'acme-aep', check: 'token', ok: false, detail: /invalid_client/ },
        { destination: 'acme-aep', check: 'inlet', ok: false, detail: /127\.0\.0\.1:1 refused/ },
      ].map((check) => ({ ...check, detail: expect.stringMatching(check.detail), fix: expect.any(String) })),
    );
  });

  it('requests no token where the connection needs none', async () => {
    const file = await write('open', (config) => {
      const [destination] = config.destinations;
      destination!['authenticated'] = false;
      delete destination!['ims'];
    });
    const ended = await run(['check', '--config', file, '--connect', '--json']);
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout).connections).toMatchObject([
      { check: 'route' },
      { check: 'route' },
      { check: 'inlet', ok: true },
    ]);
  });
});
