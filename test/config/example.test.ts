import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { type JsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { configOf } from './config-text.ts';
import { parse } from 'yaml';

const example = readFileSync(new URL('../../examples/relay.yaml', import.meta.url), 'utf8');

/** With its alternatives, which are the lines whose # has no space after it. */
const uncommented = example
  .replaceAll(/^( *)#(?=\S)/gm, '$1')
  .replace('/etc/ssl/corp-ca.pem', fileURLToPath(new URL('../fixtures/tls/corp-ca.pem', import.meta.url)));

const required = {
  RELAY_KEY: 'key-1',
  IMS_ORG_ID: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
  AEP_INLET_URL: 'https://dcs.adobedc.net/collection/2f4e00112233aabb',
  IMS_CLIENT_ID: '0a1b2c3d4e',
  IMS_CLIENT_SECRET: 'p8e-1',
  AEP_EVENT_SCHEMA: 'https://ns.adobe.com/acme/schemas/e',
  AEP_EVENT_DATASET: 'e-dataset',
  AEP_EVENT_FLOW: 'e-flow',
  AEP_PROFILE_SCHEMA: 'https://ns.adobe.com/acme/schemas/p',
  AEP_PROFILE_DATASET: 'p-dataset',
  AEP_PROFILE_FLOW: 'p-flow',
};

const optional = {
  RELAY_PORT: '80',
  RELAY_ADMIN_HOST: '0.0.0.0',
  RELAY_ADMIN_PORT: '81',
  RELAY_ADMIN_TOKEN: 'admin-1',
  RELAY_DATA: '/var/lib/relay',
  RELAY_STORE_KEY: Buffer.alloc(32, 1).toString('base64'),
  RELAY_STORE_OLD_KEY: Buffer.alloc(32, 2).toString('hex'),
  RELAY_OLD_KEY: 'key-0',
  AEP_SANDBOX: 'dev',
  IMS_CLIENT_SECRET_NEXT: 'p8e-2',
  AEP_TENANT: '_acme',
  RELAY_LOG_LEVEL: 'debug',
};

const forAlternatives = {
  RELAY_PASSWORD: 'pw-1',
  RELAY_TOKEN: 'token-1',
  RELAY_SIGNING_SECRET: 'hmac-1',
  RELAY_WEBHOOK_SECRET: 'whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0IQ==',
  CAPILLARY_API_KEY: 'api-key',
  CAPILLARY_API_SECRET: 'api-secret-1',
  NEO_API_KEY: 'neo-key',
  NEO_SECRET: 'neo-1',
};

/** The paths of all keys of the schema; verifiers by type. */
function schemaPaths(schema: JsonSchema, path: string): string[] {
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => [
      `${path}.${key}`,
      ...schemaPaths(field, `${path}.${key}`),
    ]),
    ...(schema.items ? schemaPaths(schema.items, `${path}[]`) : []),
    ...(typeof schema.additionalProperties === 'object'
      ? schemaPaths(schema.additionalProperties, `${path}.*`)
      : []),
    ...(schema.oneOf ?? []).flatMap((option) =>
      schemaPaths(option, `${path}(${option.properties?.['type']?.const})`),
    ),
  ];
}

/** The paths of all keys of a value. */
function valuePaths(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuePaths(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  const at = 'type' in value ? `${path}(${String(value.type)})` : path;
  return Object.entries(value).flatMap(([key, item]) => {
    const step = path.endsWith('overrides') || path.endsWith('Fields') ? '*' : key;
    return [`${at}.${step}`, ...valuePaths(item, `${at}.${step}`)];
  });
}

/** The values in the example that have a default. */
function defaultsOf(text: string) {
  const { sources, admin, ...rest } = configOf(text, required);
  const { verify: _verify, timezone: _timezone, country: _country, ...source } = sources[0]!;
  return { ...rest, source, admin: { ...admin, token: undefined } };
}

describe('examples/relay.yaml', () => {
  it('requires few variables, and reports the missing ones', () => {
    expect(() => configOf(example, {})).toThrow('IMS_CLIENT_ID is not set');
    const config = configOf(example, required);
    expect(config.store.encryptionKeys).toEqual([]);
    expect(config.sources[0]?.verify).toEqual([{ type: 'header', name: 'X-Relay-Key', values: ['key-1'] }]);
    expect(config.destinations[0]?.tenant).toBeUndefined();
  });

  it('shows the defaults', () => {
    const { sources, destinations } = parse(example) as Record<string, Record<string, unknown>[]>;
    const [source, destination] = [sources?.[0], destinations?.[0]];
    const short = {
      sources: [{ name: source?.['name'], destination: source?.['destination'], verify: source?.['verify'] }],
      destinations: [
        Object.fromEntries(
          ['name', 'imsOrgId', 'sandbox', 'inletUrl', 'ims', 'events', 'profile', 'tenant'].map((key) => [
            key,
            destination?.[key],
          ]),
        ),
      ],
    };
    expect(defaultsOf(example)).toEqual(defaultsOf(JSON.stringify(short)));
  });

  it('uses the values of the variables', () => {
    const config = configOf(example, { ...required, ...optional });
    expect(config).toMatchObject({
      server: { port: 80 },
      admin: { host: '0.0.0.0', port: 81, token: 'admin-1' },
      store: { path: '/var/lib/relay', encryptionKeys: [expect.any(String), expect.any(String)] },
      sources: [{ name: 'acme', verify: [{ values: ['key-1', 'key-0'] }], timezone: 'Asia/Kolkata' }],
      destinations: [
        {
          sandbox: 'dev',
          inletUrl: 'https://dcs.adobedc.net/collection/2f4e00112233aabb',
          ims: { clientId: '0a1b2c3d4e', clientSecrets: ['p8e-1', 'p8e-2'] },
          events: { datasetId: 'e-dataset' },
          profile: { datasetId: 'p-dataset', write: 'assemble' },
          tenant: '_acme',
        },
      ],
      log: { level: 'debug' },
    });
  });

  it('is valid with all its alternatives', () => {
    const config = configOf(uncommented, { ...required, ...optional, ...forAlternatives });
    expect(config.sources[0]?.verify).toHaveLength(7);
    expect(config.sources[0]?.orgIds).toEqual([100_737]);
    expect(config.destinations[0]?.identity.namespaces.cardNumber).toBe('loyaltyCard');
  });

  it('has every key of the schema, together with the one for PostgreSQL', () => {
    const texts = [
      uncommented,
      readFileSync(new URL('../../examples/relay.postgres.yaml', import.meta.url), 'utf8'),
    ];
    const shown = new Set(texts.flatMap((text) => valuePaths(parse(text), '')));
    expect(schemaPaths(plainJsonSchema(), '').filter((path) => !shown.has(path))).toEqual([]);
  });

  it('uses exactly the variables of this test', () => {
    const names = [...uncommented.replace(/^# Values.*$/m, '').matchAll(/\$\{([A-Z_]+)/g)].map(
      ([, name]) => name,
    );
    expect(new Set(names)).toEqual(new Set(Object.keys({ ...required, ...optional, ...forAlternatives })));
  });
});

describe('the other examples', () => {
  it('for PostgreSQL names every variable, and warns of nothing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'relay-example-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const password = join(folder, 'pg');
    writeFileSync(password, 'a/b@c');
    const file = 'examples/relay.postgres.yaml';
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const env = { ...required, RELAY_KEY: 'f3a1c2d4e5b6978877665544' };
    const { config, warnings } = readConfig(
      text.replace('/run/secrets/pg-password', password),
      file,
      { ...env, IMS_CLIENT_SECRET: 'p8e-0123456789abcdef' },
      SOURCE_CHECKS,
    );
    expect(warnings).toEqual([]);
    expect(config.store).toMatchObject({
      engine: 'postgres',
      url: 'postgres://relay:a%2Fb%40c@db:5432/relay?sslmode=verify-full',
      schema: 'relay',
      connections: 8,
    });
  });

  it.each(['examples/local.yaml', 'deploy/compose/relay.yaml'])('%s raises no warning', (file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(readConfig(text, file, {}, SOURCE_CHECKS).warnings).toEqual([]);
  });
});
