import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig, unreadable } from '../../src/config/load-config.ts';
import { configOf, fixture, problemsOf, smallestWith } from './config-text.ts';

const env = {
  KEY: 'key-1',
  PW: 'pw-1',
  TOKEN: 'token-1',
  SECRET: 'secret-1',
  S: 'neo-secret',
  IMS_CLIENT_ID: '0a1b2c3d4e',
  IMS_CLIENT_SECRET: 'p8e-1',
};

function scopes(value: unknown) {
  return configOf(smallestWith([['destinations', 0, 'ims', 'scopes'], value])).destinations[0]?.ims?.scopes;
}

describe('loadConfig', () => {
  it.each([
    ['ENOENT', /^set the path with --config FILE or RELAY_CONFIG$/],
    ['EACCES', /^run the command as a user who may read the file/],
    ['EISDIR', /^this is a folder: add the name of the file/],
  ])('says what helps against %s', (code, fix) => {
    expect(unreadable('/etc/relay/relay.yaml', code).problems).toMatchObject([
      { message: `cannot be read (${code})`, fix: expect.stringMatching(fix) },
    ]);
  });

  it('says that a folder is not the file', () => {
    expect(() => loadConfig(tmpdir(), {}, [])).toThrow(/cannot be read \(EISDIR\)[^]*this is a folder/);
  });

  it('reads a configuration with all keys', () => {
    const config = configOf(fixture('all-keys.yaml'), env);
    const [source] = config.sources;
    const [destination] = config.destinations;
    expect(config.server).toEqual({
      host: '0.0.0.0',
      port: 8080,
      bodyLimit: 1_048_576,
      trustProxy: [],
      rateLimit: { max: 2_000, window: 1_000 },
    });
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 8081, token: undefined });
    expect(config.store.retention).toEqual({ delivered: 259_200_000, ids: 691_200_000, dead: 7_776_000_000 });
    expect(source?.verify.map(({ type }) => type)).toEqual([
      'header',
      'basic',
      'bearer',
      'hmac',
      'standard-webhooks',
      'neo',
    ]);
    expect(source?.verify[0]).toEqual({ type: 'header', name: 'X-Relay-Key', values: ['key-1'] });
    expect(source?.orgIds).toEqual([100_737]);
    expect(destination?.ims?.clientSecrets).toEqual(['p8e-1']);
    expect(destination?.batch).toEqual({ maxBytes: 900_000, maxMessages: 200, maxWait: 200 });
    expect(destination?.retry).toEqual({
      minDelay: 1_000,
      maxDelay: 300_000,
      maxAge: 604_800_000,
      poisonAttempts: 8,
    });
  });

  it('applies the documented defaults', () => {
    const full = configOf(fixture('all-keys.yaml'), env);
    const smallest = configOf(fixture('smallest.yaml'));
    expect({ ...smallest.admin, token: undefined }).toEqual(full.admin);
    for (const part of ['server', 'store', 'log'] as const) expect(smallest[part]).toEqual(full[part]);
    for (const key of [
      'authenticated',
      'format',
      'identity',
      'schemaFeatures',
      'batch',
      'limits',
      'retry',
    ] as const)
      expect(smallest.destinations[0]?.[key]).toEqual(full.destinations[0]?.[key]);
    for (const key of ['testEvents', 'unmapped', 'unverified', 'allowFrom'] as const)
      expect(smallest.sources[0]?.[key]).toEqual(full.sources[0]?.[key]);
    expect(smallest.destinations[0]?.ims?.url).toBe(full.destinations[0]?.ims?.url);
    expect(smallest.destinations[0]?.ims?.scopes).toEqual(full.destinations[0]?.ims?.scopes);
  });

  it('accepts numbers and booleans from variables', () => {
    const text = smallestWith(
      [['server', 'port'], '${PORT}'],
      [['destinations', 0, 'authenticated'], '${AUTH:-false}'],
    );
    const config = configOf(text, { PORT: '9000' });
    expect(config.server.port).toBe(9_000);
    expect(config.destinations[0]?.authenticated).toBe(false);
  });

  it('treats empty optional strings as absent', () => {
    const text = smallestWith(
      [['admin', 'token'], '${A:-}'],
      [['sources', 0, 'country'], '${B:-}'],
      [['destinations', 0, 'tenant'], '${C:-}'],
    );
    const config = configOf(text);
    expect(config.admin.token).toBeUndefined();
    expect(config.sources[0]?.country).toBeUndefined();
    expect(config.destinations[0]?.tenant).toBeUndefined();
  });

  it('reads scopes as a list or as one string with commas or spaces', () => {
    expect(scopes('openid,AdobeID, session')).toEqual(['openid', 'AdobeID', 'session']);
    expect(scopes(['openid AdobeID', 'session'])).toEqual(['openid', 'AdobeID', 'session']);
  });

  it('limits a batch to the messages of one second', () => {
    const text = smallestWith([['destinations', 0, 'limits'], { messagesPerSecond: 50 }]);
    expect(configOf(text).destinations[0]?.batch.maxMessages).toBe(50);
  });

  it('reports all problems at once, in the order of the file, with the line', () => {
    const text = [
      'server:',
      '  port: 99999',
      '  portt: 1',
      'sources:',
      '  - name: Acme',
      '    destination: aep',
      '    verify: []',
      'destinations:',
      '  - name: aep2',
      '    imsOrgId: 1A2B@AdobeOrg',
      '    sandbox: ${SANDBOX}',
      '    inletUrl: https://example.com',
      '    events: { schemaId: https://ns.adobe.com/acme/schemas/s, datasetId: d }',
      'log: { level: loud }',
    ].join('\n');
    expect(problemsOf(text).map(({ line, path }) => `${line} ${path}`)).toEqual([
      '2 server.port',
      '3 server.portt',
      '5 sources[0].name',
      '6 sources[0].destination',
      '7 sources[0].verify',
      '9 destinations[0].ims',
      '11 destinations[0].sandbox',
      '12 destinations[0].inletUrl',
      '13 destinations[0].events.flowId',
      '14 log.level',
    ]);
  });

  it('lists the files it read; relative paths start at the folder of the configuration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'relay-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'key'), 'from-file\n');
    const path = join(folder, 'relay.yaml');
    writeFileSync(path, smallestWith([['sources', 0, 'verify', 0, 'values'], ['${file:key}']]));
    const loaded = loadConfig(path, {}, []);
    expect(loaded.path).toBe(path);
    expect(loaded.files).toEqual([join(folder, 'key')]);
    expect(loaded.config.sources[0]?.verify[0]).toMatchObject({ values: ['from-file'] });
  });

  it.each([
    ['a missing file', '/nonexistent/relay.yaml', 'ENOENT'],
    ['a folder', tmpdir(), 'EISDIR'],
  ])('refuses %s', (_name, path, code) => {
    expect(() => loadConfig(path, {}, [])).toThrow(ConfigError);
    expect(() => loadConfig(path, {}, [])).toThrow(code);
    expect(() => loadConfig(path, {}, [])).toThrow('--config FILE or RELAY_CONFIG');
  });

  it.each(['', '# nothing\n', 'null'])('refuses a file without content: %j', (text) => {
    expect(problemsOf(text)).toMatchObject([{ path: '', message: 'is empty' }]);
  });

  it.each(['[]', 'relay', '5'])('refuses a file that is not an object: %s', (text) => {
    expect(problemsOf(text)).toMatchObject([{ path: '', message: 'must be an object' }]);
  });
});
