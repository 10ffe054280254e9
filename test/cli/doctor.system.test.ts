import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from './command-line.ts';
import { type DoctorRig, destinationOf, doctor, openDoctorRig } from './doctor-rig.ts';

let rig: DoctorRig;

beforeAll(async () => {
  rig = await openDoctorRig();
});

afterEach(() => {
  rig.simulator.setFaults([]);
  rig.simulator.reset();
});

afterAll(() => rig.close());

describe('doctor', () => {
  it('a good machine: every finding, exit code 0, nothing is sent or left behind', async () => {
    await mkdir(join(rig.folder, 'data'));
    const { code, ok, found, stdout } = await doctor(await rig.write());
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const { host } = new URL(rig.simulator.url);
    expect(Object.keys(found)).toEqual([
      'configuration',
      `route/${host}`,
      'route/platform.adobe.io',
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
    expect(rig.simulator.stats()).toMatchObject({ mints: 1, messages: 0 });
    expect(await readdir(join(rig.folder, 'data'))).toEqual([]);
  });

  it('without --json: one line per finding, fixes, and a summary', async () => {
    const file = await rig.write((config) => (config.store['minFree'] = '100000GiB'));
    const ended = await run(['doctor', '--config', file, '--offline']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^ok {4}configuration +.*relay-\d+\.yaml can be used\n/);
    expect(ended.stdout).toMatch(
      /\nfail {2}free space +.*: webhooks would be answered 503\n +fix: free up space on the volume/,
    );
    expect(ended.stdout).toMatch(/\n\n\d+ ok, \d+ warnings?, 1 failed\n$/);
  });

  it('--offline skips the network', async () => {
    const { code, found } = await doctor(await rig.write(), '--offline');
    expect(code).toBe(0);
    expect(Object.keys(found).filter((check) => /^(token|inlet|answer|clock)/.test(check))).toEqual([]);
    expect(rig.simulator.stats()).toMatchObject({ mints: 0 });
  });

  it('a configuration that cannot be used: each problem with its fix, exit code 2, and the machine is still checked', async () => {
    const file = await rig.write((config) => (config.server['port'] = '${file:/not/there}'));
    const { code, found } = await doctor(file);
    expect(code).toBe(2);
    expect(found['configuration']).toMatchObject({
      level: 'fail',
      detail: 'server.port: the file /not/there cannot be read (ENOENT)',
    });
    expect(found).toHaveProperty('node');
  });
});

describe('doctor: the connection to Adobe', () => {
  it('a wrong secret: fails with a fix and does not show the secret', async () => {
    const file = await rig.write((config) =>
      Object.assign(destinationOf(config), {
        ims: { url: rig.simulator.imsUrl, clientId: 'client', clientSecrets: ['wrong-one-of-the-tests'] },
      }),
    );
    const { code, found, stdout } = await doctor(file);
    expect(code).toBe(1);
    expect(found['token/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('invalid_client'),
      fix: expect.stringContaining('ims.clientSecrets'),
    });
    expect(found).not.toHaveProperty('answer/acme-aep');
    expect(stdout).not.toContain('wrong-one-of-the-tests');
  });

  it('an inlet that does not exist: 404', async () => {
    const file = await rig.write((config) => {
      destinationOf(config)['inletUrl'] = rig.simulator.inletUrl('deleted');
    });
    const { code, found } = await doctor(file);
    expect(code).toBe(1);
    expect(found['inlet/acme-aep']).toMatchObject({ level: 'ok' });
    expect(found['answer/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/^answered 404 to an empty batch: .*does not exist/),
      fix: expect.stringContaining('copy inletUrl again'),
    });
  });

  it('a connection that requires a token but is configured without one: 401', async () => {
    const file = await rig.write((config) => {
      destinationOf(config)['authenticated'] = false;
      delete destinationOf(config)['ims'];
    });
    const { code, found } = await doctor(file);
    expect(code).toBe(1);
    expect(found['answer/acme-aep']).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/^answered 401 to an empty batch: Authorization; .*token is empty/),
      fix: expect.stringContaining('authenticated'),
    });
  });

  it('no route: the inlet fails, and nothing is sent to it', async () => {
    const file = await rig.write((config) => {
      destinationOf(config)['inletUrl'] = 'http://127.0.0.1:2/collection/abc';
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
    const file = await rig.write((config) => {
      destinationOf(config)['inletUrl'] = `http://127.0.0.1:${port}/collection/abc`;
    });
    const { code, found } = await doctor(file);
    inlet.close();
    expect(code).toBe(level === 'fail' ? 1 : 0);
    expect(found[`clock/127.0.0.1:${port}`]).toMatchObject({ level, detail: expect.stringMatching(detail) });
    expect(found[`clock/${new URL(rig.simulator.url).host}`]).toMatchObject({ level: 'ok' });
  });

  it('the Date header of IMS counts too', async () => {
    rig.simulator.setFaults([
      { on: 'ims', then: { headers: { date: new Date(Date.now() + 3_600_000).toUTCString() } } },
    ]);
    // A server other than the inlet's, so that the answers can be distinguished.
    const file = await rig.write((config) => {
      destinationOf(config)['inletUrl'] = 'http://127.0.0.1:2/collection/abc';
    });
    const { found } = await doctor(file);
    expect(found[`clock/${new URL(rig.simulator.url).host}`]).toMatchObject({
      level: 'fail',
      detail: expect.stringMatching(/behind its Date header$/),
    });
  });
});
