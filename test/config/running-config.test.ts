import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { ConfigError, type Path } from '../../src/config/config-error.ts';
import type { Config } from '../../src/config/config-schema.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createRunningConfig, liveSection } from '../../src/config/running-config.ts';
import { smallestWith } from './config-text.ts';

type Changes = readonly (readonly [path: Path, value: unknown])[];

const VALUES: Path = ['sources', 0, 'verify', 0, 'values'];

/** A running configuration with one secret in the file `key`. */
function started(...first: Changes) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-running-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'relay.yaml');
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const edit = (...changes: Changes) =>
    put('relay.yaml', smallestWith([VALUES, ['${file:key}']], ...changes));
  put('key', 'first-secret-in-tests');
  edit(...first);
  const seen: string[] = [];
  const applied: Config[] = [];
  const unusable: number[] = [];
  const hooks = { prepare: async (): Promise<void> => undefined };
  const running = createRunningConfig({
    loaded: loadConfig(path, {}, SOURCE_CHECKS),
    env: {},
    async prepare(next) {
      await hooks.prepare();
      return { commit: () => void applied.push(next), warnings: [] };
    },
    onReload: (result, cause) => seen.push(`${cause} ${result.outcome}`),
    onRefused: (_error, cause) => seen.push(`${cause} refused`),
    onUnusableSecrets: (files) => unusable.push(files),
  });
  return { running, put, edit, seen, applied, unusable, hooks, folder };
}

const UNCHANGED = {
  outcome: 'unchanged',
  file: expect.stringMatching(/\.yaml$/),
  changed: [],
  needsRestart: [],
  warnings: [],
};

describe('a reload', () => {
  it('refuses what is not a file, which could block the relay, and a file that is too large', async () => {
    const { running, put, seen, folder } = started();
    put('relay.yaml', `#${'x'.repeat(4_194_304)}`);
    await expect(running.reload()).rejects.toThrow('is larger than 4 MiB');
    const path = join(folder, 'relay.yaml');
    rmSync(path);
    // A socket stands for everything that is not a file, such as a named pipe.
    const server = createServer().listen(path);
    await once(server, 'listening');
    await expect(running.reload()).rejects.toThrow('is not a file, so it cannot be read again');
    server.close();
    expect(seen).toEqual(['reload refused', 'reload refused']);
  });

  it('applies what has changed and tells it without secrets', async () => {
    const { running, edit, applied, seen } = started();
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata'], [VALUES, ['a-new-secret-in-tests']]);
    const result = await running.reload();
    expect(result).toMatchObject({ outcome: 'applied', needsRestart: [], warnings: [] });
    expect(result.changed).toHaveLength(2);
    expect(JSON.stringify(result)).not.toContain('a-new-secret-in-tests');
    expect(applied).toEqual([running.current]);
    expect(running.current.sources[0]?.timezone).toBe('Asia/Kolkata');
    expect(seen).toEqual(['reload applied']);
  });

  it('says so if nothing has changed', async () => {
    const { running } = started();
    expect(await running.reload()).toEqual(UNCHANGED);
  });

  it('changes nothing if the file is invalid, cannot be read, or cannot be put into use', async () => {
    const { running, edit, put, applied, seen, hooks, folder } = started();
    const before = running.current;
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata'], [['sources', 0, 'destination'], 'nosuch']);
    const error = await running.reload().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toMatchObject([{ path: 'sources[0].destination' }]);
    put('relay.yaml', 'broken: [');
    await expect(running.reload()).rejects.toThrow(ConfigError);
    rmSync(join(folder, 'relay.yaml'));
    await expect(running.reload()).rejects.toThrow('cannot be read');
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata']);
    hooks.prepare = async () => {
      throw new Error('the store is failing');
    };
    await expect(running.reload()).rejects.toThrow('the store is failing');
    expect(running.current).toBe(before);
    expect(applied).toEqual([]);
    expect(seen).toEqual(Array.from({ length: 4 }, () => 'reload refused'));
  });

  it('names the keys that need a restart, again at each reload, and keeps their running values', async () => {
    const { running, edit } = started();
    edit([['server'], { port: 18_080, bodyLimit: '2MB' }]);
    expect(await running.reload()).toEqual({
      outcome: 'applied',
      file: expect.stringMatching(/\.yaml$/),
      changed: [{ path: 'server.bodyLimit', from: expect.any(String), to: expect.any(String) }],
      needsRestart: ['server.port'],
      warnings: [],
    });
    expect(running.current.server).toMatchObject({ port: 8_080, bodyLimit: 2_000_000 });
    expect(await running.reload()).toEqual({
      outcome: 'unchanged',
      file: expect.stringMatching(/\.yaml$/),
      changed: [],
      needsRestart: ['server.port'],
      warnings: [],
    });
    edit([['server'], { bodyLimit: '2MB' }]);
    expect(await running.reload()).toEqual(UNCHANGED);
  });

  it('keeps the token while the running relay can be reached by others', async () => {
    const { running, edit } = started([['admin'], { host: '0.0.0.0', token: 'a-token' }]);
    edit([['admin'], { host: '127.0.0.1' }]);
    await expect(running.reload()).rejects.toThrow('admin.token');
    expect(running.current.admin.token).toBe('a-token');
  });

  it('applies nothing after the relay has begun to stop', async () => {
    const { running, edit, applied, hooks } = started();
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata']);
    hooks.prepare = async () => running.close();
    await expect(running.reload()).rejects.toThrow('shutting down');
    await expect(running.reload()).rejects.toThrow('shutting down');
    expect(applied).toEqual([]);
  });

  it('shows live sections the current values', async () => {
    const { running, edit } = started();
    const server = liveSection(running, 'server');
    expect(server.bodyLimit).toBe(1_048_576);
    edit([['server'], { bodyLimit: '2MB' }]);
    await running.reload();
    expect(server.bodyLimit).toBe(2_000_000);
  });
});

describe('a changed secret', () => {
  it('takes effect with the file as it was last read, not as it was edited since', async () => {
    const { running, edit, put, applied } = started();
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata']);
    await running.reload();
    edit([['sources', 0, 'timezone'], 'Europe/London']);
    put('key', 'second-key');
    await running.refreshSecrets();
    expect(applied).toHaveLength(2);
    expect(applied[1]?.sources[0]).toMatchObject({
      timezone: 'Asia/Kolkata',
      verify: [{ values: ['second-key'] }],
    });
  });

  it('is watched if a reload has brought its file', async () => {
    const { running, edit, put, applied } = started();
    put('other', 'other-first');
    edit([VALUES, ['${file:other}']]);
    await running.reload();
    put('other', 'other-second');
    await running.refreshSecrets();
    expect(applied.at(-1)?.sources[0]?.verify).toMatchObject([{ values: ['other-second'] }]);
  });

  it('never interleaves with a reload', async () => {
    const { running, edit, put, hooks } = started();
    const steps: string[] = [];
    hooks.prepare = async () => {
      steps.push('begin');
      await new Promise((resolve) => setImmediate(resolve));
      steps.push('end');
    };
    edit([['sources', 0, 'timezone'], 'Asia/Kolkata']);
    const reloaded = running.reload();
    put('key', 'second-key');
    const refreshed = running.refreshSecrets();
    edit([['sources', 0, 'timezone'], 'Europe/London']);
    await Promise.all([reloaded, refreshed, running.reload()]);
    expect(steps.join(' ')).toMatch(/^(begin end ?)+$/);
    expect(running.current.sources[0]).toMatchObject({
      timezone: 'Europe/London',
      verify: [{ values: ['second-key'] }],
    });
  });
});

describe('unusable secret files', () => {
  it('are counted: missing, empty, or making the configuration invalid', async () => {
    const { running, put, unusable, seen, folder } = started();
    put('a', 'first');
    put('b', '0'.repeat(64));
    writeFileSync(
      join(folder, 'relay.yaml'),
      smallestWith([VALUES, ['${file:key}', '${file:a}']], [['store'], { encryptionKeys: ['${file:b}'] }]),
    );
    await running.reload();
    const counted = async (): Promise<number | undefined> => {
      await running.refreshSecrets();
      return unusable.at(-1);
    };
    expect(await counted()).toBe(0);
    rmSync(join(folder, 'key'));
    expect(await counted()).toBe(1);
    put('a', '');
    expect(await counted()).toBe(2);
    expect(await counted()).toBe(2);
    put('key', 'second');
    put('a', 'second');
    expect(await counted()).toBe(0);
    put('b', 'no key');
    expect(await counted()).toBe(1);
    put('b', '1'.repeat(64));
    expect(await counted()).toBe(0);
    // Each fault once, and each return.
    expect(seen.filter((one) => one === 'secrets refused')).toHaveLength(3);
  });
});
