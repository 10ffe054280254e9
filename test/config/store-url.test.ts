import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { summarize } from '../../src/config/config-summary.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createRunningConfig } from '../../src/config/running-config.ts';
import { isSameDatabase, parseStoreUrl, withoutCredentials } from '../../src/config/store-url.ts';
import { configOf, errorOf, smallestWith } from './config-text.ts';

const TEMPLATE = 'postgres://relay:${file:pg}@db1:5432,db2/loyalty?sslmode=verify-full';

function withStore(store: object): string {
  return smallestWith([['store'], { engine: 'postgres', ...store }]);
}

describe('the URL of a database', () => {
  it('has several hosts', () => {
    expect(parseStoreUrl('postgres://relay:p%40w@db1:5432,db2/loyalty?sslmode=require')).toEqual({
      scheme: 'postgres',
      user: 'relay',
      password: 'p%40w',
      hosts: 'db1:5432,db2',
      database: 'loyalty',
      query: 'sslmode=require',
    });
  });

  it.each(['https://db/relay', 'postgres:relay', 'postgres://db', 'db:5432/relay'])('is not %s', (text) => {
    expect(parseStoreUrl(text)).toBeUndefined();
  });

  it('is shown without its password, and in no message', () => {
    const url = 'postgres://relay:pass-1@db1,db2:5433/loyalty?sslmode=require&sslkey=pass-2';
    const json = JSON.stringify(summarize(configOf(withStore({ url }))));
    expect(json).toContain('postgres://relay@db1,db2:5433/loyalty?sslmode=require"');
    expect(json).not.toContain('pass-');
    expect(withoutCredentials('postgres://x:pass-1@')).toBe('…');
    const { message } = errorOf(withStore({ url: 'mysql://relay:a/pass-1@db/relay' }));
    expect(message).toContain('must be a URL such as postgres://');
    expect(message).not.toContain('pass-1');
  });

  it.each([
    [
      'relay:pass-1@db/relay?ssl_mode=require',
      'has the parameter ssl_mode, which is not supported; these are: host',
    ],
    ['relay:pass-1@db/relay?sslmode=on', 'has the unknown sslmode on; these are: disable'],
    [
      'relay:pass-1@db/relay?target_session_attrs=standby',
      'has target_session_attrs=standby, but the relay needs read-write',
    ],
    ['relay:pass-1@db:99999/relay', 'has the invalid port 99999'],
    ['relay:pass-1@db1,:5433/relay', 'names no host'],
    ['db/relay', 'names no user'],
  ])('cannot be %s', (rest, problem) => {
    const { message } = errorOf(withStore({ url: `postgres://${rest}` }));
    expect(message).toContain(`store.url\n  problem: ${problem}`);
    expect(message).not.toContain('pass-1');
  });

  it.each([
    ['?sslmode=verify-full', []],
    ['', ['no sslmode']],
    ['?sslmode=require', ['sslmode=require']],
  ])('on another machine is warned of without verified TLS: %s', (query, warnings) => {
    const folder = mkdtempSync(join(tmpdir(), 'relay-url-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'relay.yaml');
    writeFileSync(path, withStore({ url: `postgres://relay@db:5432/loyalty${query}` }));
    const found = loadConfig(path, {}, SOURCE_CHECKS).warnings.filter(({ path: at }) => at === 'store.url');
    expect(found.map(({ message }) => message)).toEqual(
      warnings.map((text) => expect.stringContaining(text)),
    );
  });

  it('names the same database with another user and password only', () => {
    const url = 'postgres://a:b@db/x?sslmode=require';
    expect(isSameDatabase(url, 'postgres://c@db/x?sslmode=require')).toBe(true);
    expect(isSameDatabase(url, 'postgres://a:b@other/x?sslmode=require')).toBe(false);
    expect(isSameDatabase(undefined, url)).toBe(false);
    expect(isSameDatabase(undefined, undefined)).toBe(true);
  });
});

function running() {
  const folder = mkdtempSync(join(tmpdir(), 'relay-url-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'relay.yaml');
  const writeUrl = (url: string) => writeFileSync(path, withStore({ url }));
  const writePassword = (password: string) => writeFileSync(join(folder, 'pg'), `${password}\n`);
  writeUrl(TEMPLATE);
  writePassword('first');
  const refusals: unknown[] = [];
  const hooks = { isFailing: false };
  const config = createRunningConfig({
    loaded: loadConfig(path, {}, SOURCE_CHECKS),
    env: {},
    async prepare() {
      if (hooks.isFailing) throw new Error('the store is not connected');
      return { commit: () => undefined, warnings: [] };
    },
    onReload: () => undefined,
    onRefused: (error) => refusals.push(error),
    onUnusableSecrets: () => undefined,
  });
  return { config, folder, writeUrl, writePassword, hooks };
}

describe('the password of the database', () => {
  it('is written into the file as it is', () => {
    const { config, writePassword } = running();
    writePassword('a/b@c:d?e#%41');
    const parts = parseStoreUrl(config.storeUrl());
    expect(decodeURIComponent(parts?.password ?? '')).toBe('a/b@c:d?e#%41');
    expect(parts?.hosts).toBe('db1:5432,db2');
  });

  it('is read again for each connection, also while nothing can be reloaded', async () => {
    const { config, folder, writePassword, hooks } = running();
    hooks.isFailing = true;
    writePassword('second');
    await config.refreshSecrets();
    expect(config.storeUrl()).toContain(':second@');
    rmSync(join(folder, 'pg'));
    expect(config.storeUrl()).toContain(':first@');
  });

  it('needs no restart, but another host does', async () => {
    const { config, writeUrl, writePassword } = running();
    writePassword('second');
    await expect(config.reload()).resolves.toMatchObject({
      changed: [{ path: 'store.url' }],
      needsRestart: [],
    });
    writeUrl(TEMPLATE.replace('db2', 'db3'));
    const result = await config.reload();
    expect(result.needsRestart).toEqual(['store.url']);
    expect(config.storeUrl()).toContain('db1:5432,db2/');
  });
});
