import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { sampleEvent } from '../contract/samples.ts';
import { type DoctorStage, type Found, destinationOf, doctor, openDoctorStage } from './doctor-stage.ts';

let stage: DoctorStage;

beforeAll(async () => {
  stage = await openDoctorStage();
});

afterAll(() => stage.close());

describe('doctor: secrets and disk', () => {
  const withSecret = async (mode: number, days = 0): Promise<Found> => {
    const secret = join(stage.folder, `secret-${mode}-${days}`);
    await writeFile(secret, 'secret\n');
    await chmod(secret, mode);
    const then = Date.now() / 1_000 - days * 86_400 - 60;
    await utimes(secret, then, then);
    const file = await stage.write((config) => {
      const ims = { url: stage.simulator.imsUrl, clientId: 'client', clientSecrets: [`\${file:${secret}}`] };
      Object.assign(destinationOf(config), { ims });
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
    const place = join(stage.folder, 'a-file');
    await writeFile(place, '');
    for (const path of [place, join(place, 'data')]) {
      const { code, found } = await doctor(
        await stage.write((config) => (config.store['path'] = path)),
        '--offline',
      );
      expect(code).toBe(1);
      expect(found['data folder']).toMatchObject({ level: 'fail', detail: `${place} is a file` });
      expect(found).not.toHaveProperty('fsync');
    }
  });

  it.skipIf(process.geteuid?.() === 0)('a data folder that cannot be written', async () => {
    const path = join(stage.folder, 'locked');
    await mkdir(path, { mode: 0o500 });
    const { code, found } = await doctor(
      await stage.write((config) => (config.store['path'] = path)),
      '--offline',
    );
    expect(code).toBe(1);
    expect(found['data folder']).toMatchObject({
      level: 'fail',
      detail: `${path} cannot be written (EACCES)`,
    });
  });

  it('a data folder that is not there yet is not made', async () => {
    const path = join(stage.folder, 'new', 'data');
    const { code, found } = await doctor(
      await stage.write((config) => (config.store['path'] = path)),
      '--offline',
    );
    expect(code).toBe(0);
    expect(found['data folder']).toMatchObject({
      level: 'ok',
      detail: `${path} is not there yet; it can be made in ${stage.folder}`,
    });
    expect(await readdir(stage.folder)).not.toContain('new');
  });

  it('a port that something else has, and an address that is not of this machine', async () => {
    const { port } = new URL(stage.simulator.url);
    const file = await stage.write((config) => {
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
    const path = join(stage.folder, 'in-use');
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    await journal.append(sampleEvent({}));
    const { port } = new URL(stage.simulator.url);
    const { code, found } = await doctor(
      await stage.write((config) => {
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
  });
});
