import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { DEFAULT_INLET_ID, type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { sampleEvent } from '../contract/samples.ts';
import { type RelayConfig, relayConfig } from '../helpers/relay-process.ts';
import { run } from './command-line.ts';

interface Found {
  readonly check: string;
  readonly level: string;
  readonly detail: string;
  readonly cure?: string;
}

let folder = '';
let simulator: Simulator;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-doctor-test-'));
  simulator = await startSimulator({
    credentials: [{ clientId: 'client', secrets: ['secret'] }],
    inlets: [{ id: DEFAULT_INLET_ID }],
  });
});

afterEach(() => {
  simulator.setFaults([]);
  simulator.reset();
});

afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true });
});

const write = async (change: (config: RelayConfig) => void = () => undefined): Promise<string> => {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.store['path'] = join(folder, 'data');
  config.store['maxBytes'] = '64MiB';
  change(config);
  files += 1;
  const file = join(folder, `relay-${files}.yaml`);
  await writeFile(file, stringify(config));
  return file;
};

/** Exit code and the findings by check; of several of one name the last. */
const doctor = async (file: string, ...words: string[]) => {
  const ended = await run(['doctor', '--config', file, '--json', ...words]);
  expect(ended.stderr).toBe('');
  const { ok, findings } = JSON.parse(ended.stdout) as { ok: boolean; findings: Found[] };
  const found = Object.fromEntries(findings.map((finding) => [finding.check, finding]));
  for (const { level, cure } of findings) expect(cure === undefined).toBe(level === 'ok');
  return { code: ended.code, ok, found, stdout: ended.stdout };
};

const destination = (config: RelayConfig) => config.destinations[0]!;

describe('doctor', () => {
  it('a good machine: every line, exit code 0, and nothing is sent or left behind', async () => {
    await mkdir(join(folder, 'data'));
    const { code, ok, found, stdout } = await doctor(await write());
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const { host } = new URL(simulator.url);
    expect(Object.keys(found)).toEqual([
      'configuration',
      'token/acme-aep',
      'inlet/acme-aep',
      'answer/acme-aep',
      `clock/${host}`,
      'data folder',
      'file system',
      'fsync',
      'free space',
      'port/server',
      'port/admin',
      'node',
      'open files',
      'time zones',
      'memory',
    ]);
    expect(found['answer/acme-aep']).toMatchObject({
      level: 'ok',
      detail: expect.stringMatching(/^answered 400 to an empty batch/),
    });
    expect(found[`clock/${host}`]).toMatchObject({
      level: 'ok',
      detail: 'within a second of its Date header',
    });
    expect(found['fsync']!.detail).toMatch(/^\d+\.\d ms, the median of 20 in /);
    expect(found['time zones']!.detail).toContain('knows Europe/London');
    expect(stdout).not.toContain('"secret"');
    expect(simulator.stats()).toMatchObject({ mints: 1, messages: 0 });
    expect(await readdir(join(folder, 'data'))).toEqual([]);
  });

  it('for a person: a line each, cures, and a sum', async () => {
    const file = await write((config) => (config.store['minFree'] = '100000GiB'));
    const ended = await run(['doctor', '--config', file, '--offline']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^ok {4}configuration +.*relay-\d+\.yaml can be used\n/);
    expect(ended.stdout).toMatch(
      /\nfail {2}free space +.*: webhooks would be answered 503\n +cure: give the volume room/,
    );
    expect(ended.stdout).toMatch(/\n\n\d+ ok, \d+ to look at, 1 failed\n$/);
  });

  it('--offline leaves the network out', async () => {
    const { code, found } = await doctor(await write(), '--offline');
    expect(code).toBe(0);
    expect(Object.keys(found).filter((check) => /^(token|inlet|answer|clock)/.test(check))).toEqual([]);
    expect(simulator.stats()).toMatchObject({ mints: 0 });
  });

  it('a configuration that cannot be used: each problem with its cure, exit code 2, and the machine all the same', async () => {
    const file = await write((config) => (config.server['port'] = '${file:/not/there}'));
    const { code, found } = await doctor(file);
    expect(code).toBe(2);
    expect(found['configuration']).toMatchObject({
      level: 'fail',
      detail: 'server.port: the file /not/there cannot be read (ENOENT)',
    });
    expect(found).toHaveProperty('node');
  });
});

describe('doctor: the way to Adobe', () => {
  it('a wrong secret: fails with the cure and does not show it', async () => {
    const file = await write((config) =>
      Object.assign(destination(config), {
        ims: { url: simulator.imsUrl, clientId: 'client', clientSecrets: ['wrong-one-of-the-tests'] },
      }),
    );
    const { code, found, stdout } = await doctor(file);
    expect(code).toBe(1);
    expect(found['token/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('invalid_client'),
      cure: expect.stringContaining('ims.clientSecrets'),
    });
    expect(found).not.toHaveProperty('answer/acme-aep');
    expect(stdout).not.toContain('wrong-one-of-the-tests');
  });

  it('an inlet that does not exist: 404', async () => {
    const file = await write((config) => {
      destination(config)['inletUrl'] = simulator.inletUrl('deleted');
    });
    const { code, found } = await doctor(file);
    expect(code).toBe(1);
    expect(found['inlet/acme-aep']).toMatchObject({ level: 'ok' });
    expect(found['answer/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/^answered 404 to an empty batch: .*does not exist/),
      cure: expect.stringContaining('copy inletUrl again'),
    });
  });

  it('a connection that wants a token and is configured without: 401', async () => {
    const file = await write((config) => {
      destination(config)['authenticated'] = false;
      delete destination(config)['ims'];
    });
    const { code, found } = await doctor(file);
    expect(code).toBe(1);
    expect(found['answer/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/^answered 401 to an empty batch: Authorization; .*token is empty/),
      cure: expect.stringContaining('authenticated'),
    });
  });

  it('no route: the inlet fails, and nothing is asked of it', async () => {
    const file = await write((config) => {
      destination(config)['inletUrl'] = 'http://127.0.0.1:2/collection/abc';
    });
    const { code, found } = await doctor(file);
    expect(code).toBe(1);
    expect(found['inlet/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('refused'),
    });
    expect(found).not.toHaveProperty('answer/acme-aep');
  });

  it.each([
    [20_000, 'warn', /^(19|20) s ahead of its Date header/],
    [-20_000, 'warn', /^(19|20|21) s behind its Date header/],
    [600_000, 'fail', /^(9|10) min ahead of its Date header/],
    [2_000, 'ok', /^(1|2) s ahead of its Date header/],
  ])('a clock that is %d ms off by the Date header of the inlet: %s', async (ahead, level, detail) => {
    const inlet = createServer((_request, response) => {
      response.setHeader('date', new Date(Date.now() - ahead).toUTCString());
      response.writeHead(400).end('{}');
    }).listen(0, '127.0.0.1');
    await once(inlet, 'listening');
    const { port } = inlet.address() as AddressInfo;
    const file = await write((config) => {
      destination(config)['inletUrl'] = `http://127.0.0.1:${port}/collection/abc`;
    });
    const { code, found } = await doctor(file);
    inlet.close();
    expect(code).toBe(level === 'fail' ? 1 : 0);
    expect(found[`clock/127.0.0.1:${port}`]).toMatchObject({ level, detail: expect.stringMatching(detail) });
    expect(found[`clock/${new URL(simulator.url).host}`]).toMatchObject({ level: 'ok' });
  });

  it('the Date header of IMS counts too', async () => {
    simulator.setFaults([
      { on: 'ims', then: { headers: { date: new Date(Date.now() + 3_600_000).toUTCString() } } },
    ]);
    // Another server than the inlet's, so that the answers are told apart.
    const file = await write((config) => {
      destination(config)['inletUrl'] = 'http://127.0.0.1:2/collection/abc';
    });
    const { found } = await doctor(file);
    expect(found[`clock/${new URL(simulator.url).host}`]).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/behind its Date header$/),
    });
  });
});

describe('doctor: secrets and disk', () => {
  const withSecret = async (mode: number, days = 0): Promise<Found> => {
    const secret = join(folder, `secret-${mode}-${days}`);
    await writeFile(secret, 'secret\n');
    await chmod(secret, mode);
    const then = Date.now() / 1_000 - days * 86_400 - 60;
    await utimes(secret, then, then);
    const file = await write((config) => {
      const ims = { url: simulator.imsUrl, clientId: 'client', clientSecrets: [`\${file:${secret}}`] };
      Object.assign(destination(config), { ims });
    });
    const { found } = await doctor(file, '--offline');
    return found['secret file']!;
  };

  it('a secret that everybody can read, or write, or that is old', async () => {
    const [good, readable, writable, old] = await Promise.all([
      withSecret(0o600, 90),
      withSecret(0o644),
      withSecret(0o646),
      withSecret(0o600, 91),
    ]);
    expect(good).toMatchObject({ level: 'ok', detail: expect.stringContaining('mode 600, 90 days old') });
    expect(readable).toMatchObject({ level: 'warn', cure: expect.stringContaining('chmod o-rwx') });
    expect(writable).toMatchObject({ level: 'fail', detail: expect.stringContaining('mode 646') });
    expect(old).toMatchObject({ level: 'warn', detail: expect.stringContaining('91 days old') });
  });

  it('a data folder that cannot be: there is a file in its place', async () => {
    const place = join(folder, 'a-file');
    await writeFile(place, '');
    for (const path of [place, join(place, 'data')]) {
      const { code, found } = await doctor(
        await write((config) => (config.store['path'] = path)),
        '--offline',
      );
      expect(code).toBe(1);
      expect(found['data folder']).toMatchObject({ level: 'fail', detail: `${place} is a file` });
      expect(found).not.toHaveProperty('fsync');
    }
  });

  it.skipIf(process.geteuid?.() === 0)('a data folder that cannot be written', async () => {
    const path = join(folder, 'locked');
    await mkdir(path, { mode: 0o500 });
    const { code, found } = await doctor(await write((config) => (config.store['path'] = path)), '--offline');
    expect(code).toBe(1);
    expect(found['data folder']).toMatchObject({
      level: 'fail',
      detail: `${path} cannot be written (EACCES)`,
    });
  });

  it('a data folder that is not there yet is not made', async () => {
    const path = join(folder, 'new', 'data');
    const { code, found } = await doctor(await write((config) => (config.store['path'] = path)), '--offline');
    expect(code).toBe(0);
    expect(found['data folder']).toMatchObject({
      level: 'ok',
      detail: `${path} is not there yet; it can be made in ${folder}`,
    });
    expect(await readdir(folder)).not.toContain('new');
  });

  it('a port that something else has, and an address that is not of this machine', async () => {
    const { port } = new URL(simulator.url);
    const file = await write((config) => {
      config.server['port'] = Number(port);
      config.admin['host'] = '192.0.2.1';
      config.admin['port'] = 18_081;
    });
    const { code, found } = await doctor(file, '--offline');
    expect(code).toBe(1);
    expect(found['port/server']).toMatchObject({
      level: 'fail',
      detail: `127.0.0.1:${port} cannot be listened on (EADDRINUSE)`,
    });
    expect(found['port/admin']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('EADDRNOTAVAIL'),
    });
  });

  it.runIf(process.platform === 'linux')('a relay that runs on the store is left alone', async () => {
    const path = join(folder, 'in-use');
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    await journal.append(sampleEvent({}));
    const before = await readdir(path);
    const { port } = new URL(simulator.url);
    const { code, found } = await doctor(
      await write((config) => {
        config.store['path'] = path;
        config.server['port'] = Number(port);
      }),
      '--offline',
    );
    expect(found['store']).toMatchObject({
      level: 'ok',
      detail: `process ${process.pid} runs on it; it was left alone`,
    });
    expect(found['port/server']).toMatchObject({
      level: 'ok',
      detail: expect.stringContaining('a relay is running here'),
    });
    expect(code).toBe(0);
    await journal.append(sampleEvent({}));
    await journal.close();
    expect(before.length).toBeGreaterThan(0);
  });
});
