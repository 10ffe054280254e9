import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { sampleEvent } from '../contract/samples.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { type DoctorRig, type Found, destinationOf, doctor, openDoctorRig } from './doctor-rig.ts';

const isRoot = process.geteuid?.() === 0;
const isLinux = process.platform === 'linux';
if (isRoot) reportSkip('doctor on a folder without write permission', 'root can write anywhere');
if (!isLinux) reportSkip('doctor beside a running relay', 'this system has no /proc/locks');

let rig: DoctorRig;

beforeAll(async () => {
  rig = await openDoctorRig();
});

afterAll(() => rig.close());

describe('doctor: secrets and disk', () => {
  const withSecret = async (mode: number, days = 0): Promise<Found> => {
    const secret = join(rig.folder, `secret-${mode}-${days}`);
    await writeFile(secret, 'secret\n');
    await chmod(secret, mode);
    const then = Date.now() / 1_000 - days * 86_400 - 60;
    await utimes(secret, then, then);
    const file = await rig.write((config) => {
      const ims = { url: rig.simulator.imsUrl, clientId: 'client', clientSecrets: [`\${file:${secret}}`] };
      Object.assign(destinationOf(config), { ims });
    });
    const { found } = await doctor(file, '--offline');
    return found['secret file']!;
  };

  it('a secret that everyone can read or write, or that is old', async () => {
    const [good, readable, writable, old] = await Promise.all([
      withSecret(0o600, 90),
      withSecret(0o644),
      withSecret(0o646),
      withSecret(0o600, 91),
    ]);
    expect(good).toMatchObject({ level: 'ok', detail: expect.stringContaining('mode 600, 90 days old') });
    expect(readable).toMatchObject({ level: 'warn', fix: expect.stringContaining('chmod o-rwx') });
    expect(writable).toMatchObject({ level: 'fail', detail: expect.stringContaining('mode 646') });
    expect(old).toMatchObject({ level: 'warn', detail: expect.stringContaining('91 days old') });
  });

  it('a data folder that cannot exist: there is a file in its place', async () => {
    const filePath = join(rig.folder, 'a-file');
    await writeFile(filePath, '');
    for (const path of [filePath, join(filePath, 'data')]) {
      const { code, found } = await doctor(
        await rig.write((config) => (config.store['path'] = path)),
        '--offline',
      );
      expect(code).toBe(1);
      expect(found['data folder']).toMatchObject({ level: 'fail', detail: `${filePath} is not a folder` });
      expect(found).not.toHaveProperty('fsync');
    }
  });

  it.skipIf(isRoot)('a data folder that is not writable', async () => {
    const path = join(rig.folder, 'locked');
    await mkdir(path, { mode: 0o500 });
    const { code, found } = await doctor(
      await rig.write((config) => (config.store['path'] = path)),
      '--offline',
    );
    expect(code).toBe(1);
    expect(found['data folder']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining(`${path} is not writable for this user`),
    });
  });

  it('a data folder that does not exist yet is not created', async () => {
    const path = join(rig.folder, 'new', 'data');
    const { code, found } = await doctor(
      await rig.write((config) => (config.store['path'] = path)),
      '--offline',
    );
    expect(code).toBe(0);
    expect(found['data folder']).toMatchObject({
      level: 'ok',
      detail: `${path} does not exist yet; it can be created in ${rig.folder}`,
    });
    expect(await readdir(rig.folder)).not.toContain('new');
  });

  it.runIf(isLinux)('a data folder in a file system without folders', async () => {
    const file = await rig.write((config) => (config.store['path'] = '/proc/nope'));
    const { code, found } = await doctor(file, '--offline');
    expect(code).toBe(1);
    expect(found['data folder']).toMatchObject({
      level: 'fail',
      detail: 'no folder can be created in /proc (ENOENT)',
      fix: expect.stringContaining('set store.path to a folder on a disk'),
    });
    expect(found).not.toHaveProperty('fsync');
  });

  it('a port that is in use, and an address of another machine', async () => {
    const { port } = new URL(rig.simulator.url);
    const file = await rig.write((config) => {
      config.server['port'] = Number(port);
      config.admin['host'] = '192.0.2.1';
      config.admin['port'] = 18_081;
    });
    const { code, found } = await doctor(file, '--offline');
    expect(code).toBe(1);
    expect(found['port/server']).toMatchObject({
      level: 'fail',
      detail: `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
      fix: expect.stringContaining('set server.port to another one'),
    });
    expect(found['port/admin']).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('EADDRNOTAVAIL'),
    });
  });

  it.runIf(isLinux)('a store that a relay uses is not opened', async () => {
    const path = join(rig.folder, 'in-use');
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    await journal.append([sampleEvent()]);
    const { port } = new URL(rig.simulator.url);
    const { code, found } = await doctor(
      await rig.write((config) => {
        config.store['path'] = path;
        config.server['port'] = Number(port);
      }),
      '--offline',
    );
    expect(found['store']).toMatchObject({
      level: 'ok',
      detail: `process ${process.pid} is using it; it was not opened`,
    });
    expect(found['port/server']).toMatchObject({
      level: 'ok',
      detail: expect.stringContaining('a relay is running here'),
    });
    expect(code).toBe(0);
    await journal.append([sampleEvent()]);
    await journal.close();
  });
});
