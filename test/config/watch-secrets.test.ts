import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getActiveResourcesInfo } from 'node:process';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/config-schema.ts';
import { createRunningConfig } from '../../src/config/running-config.ts';
import { watchSecrets } from '../../src/config/watch-secrets.ts';
import { smallestWith } from './config-text.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function valuesOf(config: Config): readonly string[] | undefined {
  const verifier = config.sources[0]?.verify[0];
  return verifier?.type === 'header' ? verifier.values : undefined;
}

function timers(): number {
  return getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-watch-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Watches a configuration with one secret, in the file `key` of the folder. */
function watching(at: string, onChange: (config: Config) => void = () => {}, intervalMs = 2) {
  const path = join(at, 'relay.yaml');
  const values = [`\${file:${join(at, 'key')}}`, '${PROBE:-}'];
  writeFileSync(path, smallestWith([['sources', 0, 'verify', 0, 'values'], values]));
  const events = new EventEmitter();
  const seen: string[] = [];
  const aborter = new AbortController();
  const env = {
    // Signals each time that the configuration is read again.
    get PROBE() {
      events.emit('read');
      return '';
    },
  };
  const running = createRunningConfig({
    loaded: loadConfig(path, {}, SOURCE_CHECKS),
    env,
    prepare: async (config) => {
      seen.push(`change ${valuesOf(config)?.join(',')}`);
      onChange(config);
      return { commit: () => void events.emit('change', config), warnings: [] };
    },
    onReload: () => undefined,
    onRefused: (error) => {
      seen.push('error');
      events.emit('problem', error);
    },
    onUnusableSecrets: () => undefined,
  });
  const ended = watchSecrets(running, aborter.signal, intervalMs);
  const stop = async () => {
    aborter.abort();
    await ended;
  };
  stops.push(stop);
  const next = async (event: 'change' | 'problem' | 'read') => (await once(events, event))[0] as unknown;
  return { path, seen, stop, next };
}

describe('watchSecrets', () => {
  it('reports a changed secret', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    const { next, seen } = watching(at);
    const change = next('change');
    writeFileSync(join(at, 'key'), 'second\n');
    await change;
    expect(seen).toContain('change second');
    const changeBack = next('change');
    writeFileSync(join(at, 'key'), 'first');
    await changeBack;
    expect(seen.at(-1)).toBe('change first');
  });

  it('notices that a mounted secret changes behind its symbolic links', async () => {
    const at = folder();
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(at, version));
      writeFileSync(join(at, version, 'key'), `of-${version}`);
      // The same size and time: only the inode differs.
      utimesSync(join(at, version, 'key'), 1_700_000_000, 1_700_000_000);
    }
    symlinkSync('v1', join(at, '..data'));
    symlinkSync(join('..data', 'key'), join(at, 'key'));
    const { next, seen } = watching(at);
    const change = next('change');
    symlinkSync('v2', join(at, '..data-new'));
    renameSync(join(at, '..data-new'), join(at, '..data'));
    await change;
    expect(seen).toEqual(['change of-v2']);
  });

  it('keeps the old secret while the new one is invalid, reports it once, and uses the new one once it is valid', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    const { next, seen } = watching(at);
    const missing = next('problem');
    rmSync(join(at, 'key'));
    const error = await missing;
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('ENOENT');
    await next('read');
    await next('read');
    await next('read');
    const empty = next('problem');
    writeFileSync(join(at, 'key'), '\n');
    expect(String(await empty)).toContain('is empty');
    const change = next('change');
    writeFileSync(join(at, 'key'), 'second');
    await change;
    expect(seen).toEqual(['error', 'error', 'change second']);
  });

  it('reports neither a touched file nor an edit of the YAML', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    const { next, path, seen } = watching(at);
    writeFileSync(path, 'broken: [');
    const readAgain = next('read');
    utimesSync(join(at, 'key'), 1, 1);
    await readAgain;
    const change = next('change');
    writeFileSync(`${join(at, 'key')}-new`, 'second');
    renameSync(`${join(at, 'key')}-new`, join(at, 'key'));
    await change;
    expect(seen).toEqual(['change second']);
  });

  it('reports the same error again if it was fixed in between', async () => {
    const at = folder();
    const put = (text: string) => {
      writeFileSync(join(at, 'new'), text);
      renameSync(join(at, 'new'), join(at, 'key'));
    };
    put('first');
    const { next, seen } = watching(at);
    for (const [text, event] of [
      ['', 'problem'],
      ['first', 'read'],
      ['', 'problem'],
    ] as const) {
      const observed = next(event);
      put(text);
      await observed;
    }
    expect(seen).toEqual(['error', 'error']);
  });

  it('notices a change between loading and watching', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    const path = join(at, 'relay.yaml');
    writeFileSync(path, smallestWith([['sources', 0, 'verify', 0, 'values'], ['${file:key}']]));
    const loaded = loadConfig(path, {}, SOURCE_CHECKS);
    writeFileSync(join(at, 'key'), 'between');
    const running = createRunningConfig({
      loaded,
      env: {},
      prepare: async () => ({ commit: () => undefined, warnings: [] }),
      onReload: () => undefined,
      onRefused: () => undefined,
      onUnusableSecrets: () => undefined,
    });
    await running.refreshSecrets();
    const config = running.current;
    expect(valuesOf(config)).toEqual(['between']);
  });

  it('retries a change that could not be applied', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    let failures = 1;
    const { next, seen } = watching(at, () => {
      if (failures-- > 0) throw new Error('not now');
    });
    const change = next('change');
    writeFileSync(`${join(at, 'key')}-new`, 'second');
    renameSync(`${join(at, 'key')}-new`, join(at, 'key'));
    await change;
    expect(seen).toEqual(['change second', 'error', 'change second']);
  });

  it('leaves no timer behind', async () => {
    const at = folder();
    writeFileSync(join(at, 'key'), 'first');
    const before = timers();
    const { stop } = watching(at, () => {}, 3_600_000);
    expect(timers()).toBe(before + 1);
    await stop();
    await stop();
    expect(timers()).toBe(before);
  });

  it('stops at once if already aborted', async () => {
    let checks = 0;
    const config = { refreshSecrets: async () => void (checks += 1) };
    await watchSecrets(config, AbortSignal.abort(), 3_600_000);
    expect(checks).toBe(0);
  });
});
