import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { type RelayConfig, relayConfig } from '../helpers/relay-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const isLinux = process.platform === 'linux';
if (!isLinux) reportSkip('a store in /proc', 'this system has none');

const taken = createServer();
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relay-start-'));
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true });
});

function configFile(change: (config: RelayConfig) => void): string {
  const config = relayConfig({ imsUrl: 'http://127.0.0.1:1', inletUrl: 'http://127.0.0.1:1/collection/abc' });
  config.store['path'] = join(folder, 'data');
  change(config);
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify(config));
  return file;
}

/** Runs serve with a configuration that it cannot use. */
async function failedStart(change: (config: RelayConfig) => void) {
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    MAIN,
    'serve',
    '--config',
    configFile(change),
  ]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  const [line = '', ...more] = stderr.trim().split('\n');
  expect(more).toEqual([]);
  expect(stdout).not.toMatch(/"level":"(error|fatal)"/);
  const { stack, ...failure } = JSON.parse(line) as Record<string, string>;
  expect(stack).toBeUndefined();
  expect(failure).toMatchObject({ level: 'fatal', msg: expect.stringMatching(/^could not start: /) });
  return { code, ...failure };
}

describe('a relay that cannot start writes one line with the fix to standard error', () => {
  it.each(['server', 'admin'] as const)('the port of %s is in use', async (key) => {
    const { port } = taken.address() as AddressInfo;
    expect(await failedStart((config) => (config[key]['port'] = port))).toMatchObject({
      code: 1,
      msg: `could not start: cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
      fix: expect.stringContaining(`set ${key}.port to another one`),
    });
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('the address is not of this machine', async () => {
    expect(await failedStart((config) => (config.server['host'] = '192.0.2.1'))).toMatchObject({
      code: 1,
      msg: 'could not start: cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL)',
      fix: expect.stringContaining('set server.host to an address of this machine'),
    });
  });

  it.runIf(isLinux)('store.path is in a file system without folders', async () => {
    expect(await failedStart((config) => (config.store['path'] = '/proc/nope'))).toMatchObject({
      code: 1,
      msg: 'could not start: the store in /proc/nope cannot be opened: no folder can be created in /proc (ENOENT)',
      fix: expect.stringContaining('set store.path to a folder on a disk'),
    });
  });

  it('store.path is a file', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expect(await failedStart((config) => (config.store['path'] = file))).toMatchObject({
      code: 1,
      msg: expect.stringContaining(`${file} is not a folder`),
      fix: expect.stringContaining('set store.path to a folder'),
    });
  });

  it('another relay uses the store', async () => {
    const path = join(folder, 'in-use');
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    expect(await failedStart((config) => (config.store['path'] = path))).toMatchObject({
      code: 1,
      msg: `could not start: another relay is using ${path}`,
      fix: 'stop it, or give this one its own store.path',
    });
    await journal.close();
  });

  it('the configuration is invalid: every problem, with exit code 2', async () => {
    const failure = await failedStart((config) => {
      config.server['port'] = 'eighty';
      config.sources[0]!['destination'] = 'nowhere';
    });
    expect(failure).toMatchObject({
      code: 2,
      msg: expect.stringMatching(
        /2 problems in the configuration: .*relay\.yaml:\d+:\d+ {2}server\.port: must be/,
      ),
      problems: [{ path: 'server.port' }, { path: 'sources[0].destination' }],
    });
    expect(failure).toMatchObject({ fix: expect.any(String) });
  });
});

/** The log of a relay from its start until it is ready, in which it is stopped. */
async function logUntilReady(cwd: string, path: string): Promise<Record<string, string>[]> {
  const file = configFile((config) => (config.store['path'] = path));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'serve', '--config', file],
    { cwd },
  );
  const closed = once(child, 'close');
  const lines: Record<string, string>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as Record<string, string>;
    lines.push(entry);
    if (entry['msg'] === 'ready') child.kill();
  }
  await closed;
  return lines;
}

describe('a relay that creates a new store', () => {
  it('warns once, with the absolute path that a relative store.path means', async () => {
    const warning = {
      level: 'warn',
      path: join(folder, 'relative'),
      msg: expect.stringContaining('new store created'),
    };
    const first = await logUntilReady(folder, './relative');
    expect(first.filter(({ level }) => level === 'warn')).toMatchObject([warning]);
    const again = await logUntilReady(folder, './relative');
    expect(again.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(again.at(-1)).toMatchObject({ msg: 'stopped' });
  });
});
