import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadForProvision } from '../../src/cli/command-config.ts';
import { until } from '../helpers/until.ts';
import { run } from './command-line.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const FLAGS = [
  ['--org', '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg'],
  ['--client-id', '0a1b2c3d4e'],
  ['--url', 'https://relay.example.com/'],
  ['--cluster', 'apac2'],
].flat();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-init-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('init', () => {
  it('writes a configuration without secrets that provision can load', async () => {
    const cwd = folder();
    const ended = await run(['init', ...FLAGS, '--capillary-org', '100737', '--country', 'IN'], { cwd });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('capillary-relay provision apply --config relay.yaml --write');
    const env = {
      IMS_CLIENT_SECRET: 'p8e-client-secret-1',
      CAPILLARY_API_KEY: 'client-key-77',
      CAPILLARY_API_SECRET: 'api-secret-1234567',
      RELAY_KEY: 'relay-key-0123456789',
    };
    const { loaded, missing } = await loadForProvision(join(cwd, 'relay.yaml'), { env });
    expect(loaded.warnings).toEqual([]);
    expect(loaded.config).toMatchObject({
      sources: [
        {
          name: 'acme',
          orgIds: [100_737],
          country: 'IN',
          api: { url: 'https://apac2.api.capillarytech.com', key: 'client-key-77' },
          webhook: { name: 'acme-aep-relay', url: 'https://relay.example.com/webhooks/acme' },
        },
      ],
      destinations: [{ name: 'acme-aep', sandbox: 'prod', ims: { clientId: '0a1b2c3d4e' } }],
    });
    expect(missing.get(0)!.size).toBe(8);
  });

  it('keeps secrets in files that only the user can read, and creates those that it can', async () => {
    const cwd = folder();
    const env = {
      IMS_CLIENT_SECRET: 'p8e-client-secret-1',
      CAPILLARY_API_KEY: 'client-key-77',
      CAPILLARY_API_SECRET: 'api-secret-1234567',
    };
    const ended = await run(['init', ...FLAGS, '--secrets', 'secrets'], { cwd, env });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(cwd, 'secrets')).toSorted()).toEqual([
      'admin-token',
      'capillary-api-key',
      'capillary-api-secret',
      'ims-client-secret',
      'relay-key',
      'relay-old-key',
    ]);
    const modes = ['secrets', 'secrets/relay-key'].map((name) => statSync(join(cwd, name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    const { loaded } = await loadForProvision(join(cwd, 'relay.yaml'), { env: {} });
    const key = readFileSync(join(cwd, 'secrets/relay-key'), 'utf8').trim();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(loaded.config.sources[0]!.webhook!.header.value).toBe(key);
    const text = readFileSync(join(cwd, 'relay.yaml'), 'utf8');
    for (const secret of [key, ...Object.values(env)]) expect(text + ended.stdout).not.toContain(secret);
  });

  it('names the secrets that are missing', async () => {
    const cwd = folder();
    const ended = await run(['init', ...FLAGS, '--secrets', 'secrets'], { cwd });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain(join(cwd, 'secrets/ims-client-secret'));
  });

  it('creates every secret of a trial with a simulator, which takes any', async () => {
    const cwd = folder();
    const simulator = ['--simulator', 'http://127.0.0.1:9090', '--url', 'http://127.0.0.1:8080'];
    const ended = await run(['init', ...simulator, '--secrets', 'secrets'], { cwd });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).not.toContain('Write each secret');
    const { loaded } = await loadForProvision(join(cwd, 'relay.yaml'), { env: {} });
    expect(loaded.config.destinations[0]!.ims?.clientSecrets?.[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it('says that nothing was written when it is stopped with Ctrl-C', async () => {
    const cwd = folder();
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, 'init'].join(' ');
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd });
    onTestFinished(() => void terminal.kill());
    let shown = '';
    terminal.stdout.on('data', (chunk) => (shown += String(chunk)));
    await until(() => shown.includes('Name of the brand'));
    terminal.stdin.write('\u0003');
    const [code] = await once(terminal, 'exit');
    expect(code).toBe(1);
    expect(shown).toContain('stopped: no file was written');
    expect(shown).not.toContain('AbortError');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('names every missing answer by its flag, and refuses a wrong one', async () => {
    const cwd = folder();
    const missing = await run(['init'], { cwd });
    expect(missing.code).toBe(2);
    for (const flag of ['--org', '--client-id', '--url']) expect(missing.stderr).toContain(flag);
    const wrong = await run(['init', ...FLAGS, '--cluster', 'mars'], { cwd });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/--cluster "mars": .*apac2/) });
    const both = await run(['init', '--name', 'Acme', '--url', 'http://relay.example.org'], { cwd });
    expect(both).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--name "Acme": .*\n--url "http:.*begin with https/),
    });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('asks in a terminal, again after a wrong answer, and offers defaults', async () => {
    const cwd = folder();
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, 'init'].join(' ');
    // A terminal of its own.
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd });
    onTestFinished(() => void terminal.kill());
    let shown = '';
    const answer = async (question: RegExp, text: string): Promise<void> => {
      await until(() => question.test(shown));
      shown = '';
      terminal.stdin.write(`${text}\r`);
    };
    terminal.stdout.on('data', (chunk) => (shown += String(chunk)));
    await answer(/Name of the brand.*\[acme\]: /, 'Shop One');
    await answer(/must look like acme[\s\S]*Name of the brand/, 'shop');
    await answer(/Adobe organisation/, '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg');
    await answer(/Sandbox of AEP \[prod\]/, '');
    await answer(/Client id/, '0a1b2c3d4e');
    await answer(/cluster/, 'eu');
    await answer(/organisation at Capillary/, '');
    await answer(/Public URL/, 'https://relay.example.com');
    await answer(/Time zone/, 'Asia/Kolkata');
    await answer(/Country/, '');
    const [code] = await once(terminal, 'exit');
    expect(code).toBe(0);
    const text = readFileSync(join(cwd, 'relay.yaml'), 'utf8');
    for (const line of ['name: shop-aep-relay', 'sandbox: prod', 'timezone: Asia/Kolkata'])
      expect(text).toContain(line);
  });

  it('replaces a file with --force only', async () => {
    const cwd = folder();
    await run(['init', ...FLAGS], { cwd });
    expect(await run(['init', ...FLAGS], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--force'),
    });
    expect(await run(['init', ...FLAGS, '--force', '--name', 'other'], { cwd })).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, 'relay.yaml'), 'utf8')).toContain('name: other-aep-relay');
  });
});
