import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { isSecretKey } from '../../src/config/field-types.ts';
import { summarize } from '../../src/config/config-summary.ts';
import { errorOf, configOf, fixture, smallestWith } from './config-text.ts';

/** All variables of all-keys.yaml, and its other secrets. */
function environment(secret: (name: string) => string) {
  return {
    RELAY_ADMIN_TOKEN: secret('admin'),
    KEY: secret('key'),
    OLD_KEY: secret('old-key'),
    PW: secret('password'),
    TOKEN: secret('token'),
    SECRET: secret('hmac'),
    S: secret('neo'),
    API_KEY: secret('neo-key'),
    IMS_CLIENT_ID: secret('client-id'),
    IMS_CLIENT_SECRET: secret('client-secret'),
  };
}

const full = fixture('all-keys.yaml')
  .replace('encryptionKeys: []', `encryptionKeys: ["${Buffer.alloc(32, 9).toString('base64')}"]`)
  .replace('apiKey: k', 'apiKey: "${API_KEY}"');

function keysOf(schema: JsonSchema): string[] {
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => [key, ...keysOf(field)]),
    ...(schema.items ? keysOf(schema.items) : []),
    ...(schema.oneOf ?? []).flatMap(keysOf),
  ];
}

function inlet(url: string) {
  const summary = summarize(configOf(smallestWith([['destinations', 0, 'inletUrl'], url])));
  return (summary as { destinations: { inletUrl: string }[] }).destinations[0]?.inletUrl;
}

describe('summarize', () => {
  it('contains no secret, whatever its value', () => {
    const secrets = fc.string({ minLength: 8, unit: 'grapheme-ascii' }).map((text) => `#${text}#`);
    fc.assert(
      fc.property(secrets, (base) => {
        const env = environment((name) => `${base}${name}`);
        const json = JSON.stringify(summarize(configOf(full, env)));
        for (const secret of Object.values(env)) {
          expect(json).not.toContain(secret);
          expect(json).not.toContain(JSON.stringify(secret).slice(1, -1));
        }
        expect(json).not.toContain('CQkJCQ');
        expect(json).not.toContain('dGhpcyBpcyBh');
      }),
      { numRuns: 30 },
    );
  });

  it('contains the number of secrets, and the effective value of everything else', () => {
    const env = environment((name) => `0123456789-${name}`);
    expect(summarize(configOf(full, env))).toMatchObject({
      server: { port: 8080, bodyLimit: '1MiB' },
      admin: { token: '1 secret' },
      store: { encryptionKeys: '1 secret', retention: { ids: '8d' } },
      sources: [
        {
          name: 'acme',
          orgIds: [100_737],
          verify: [
            { type: 'header', name: 'X-Relay-Key', values: '2 secrets' },
            { type: 'basic', username: 'capillary', passwords: '1 secret' },
            { tokens: '1 secret' },
            { secrets: '1 secret', prefix: 'sha256=' },
            { secrets: '1 secret' },
            { apiKey: '1 secret', secret: '1 secret' },
          ],
        },
      ],
      destinations: [{ ims: { clientId: '…t-id', clientSecrets: '1 secret' }, sandbox: 'prod' }],
    });
  });

  it('shows only the end of an inlet id, and no query', () => {
    expect(inlet('https://dcs.adobedc.net/collection/2f4e00112233aabb?x=1')).toBe(
      'https://dcs.adobedc.net/collection/…aabb',
    );
    expect(inlet('https://dcs.adobedc.net/collection/short')).toBe('https://dcs.adobedc.net/collection/…');
  });

  it('does not shorten the values of custom names', () => {
    const text = smallestWith([['sources', 0, 'fields', 'customFields'], { url: 'a.b', inletUrl: '_x.y' }]);
    expect(summarize(configOf(text))).toMatchObject({
      sources: [{ fields: { customFields: { url: { to: 'a.b' }, inletUrl: { to: '_x.y' } } } }],
    });
  });
});

describe('secrets', () => {
  it('are all keys of the schema whose names suggest it', () => {
    const suspects = keysOf(plainJsonSchema()).filter((key) =>
      /secret|password|token|key|credential|values/i.test(key),
    );
    expect(new Set(suspects)).toEqual(
      new Set([
        'token',
        'key',
        'encryptionKeys',
        'values',
        'passwords',
        'tokens',
        'secrets',
        'apiKey',
        'secret',
        'clientSecrets',
      ]),
    );
    expect(suspects.filter((key) => !isSecretKey(key))).toEqual([]);
  });

  it('appear in no message of a completely broken configuration', () => {
    const env = environment((name) => `p8e-${name}`);
    const broken = full
      .replaceAll(/^( *)(name|port|host|path|sandbox|type):/gm, '$1$2x:')
      .replaceAll(/\b(values|passwords|tokens|secrets|clientSecrets): \[(.*?)\]/g, '$1: $2')
      .replace('whsec_dGhp', 'p8e_dGhp');
    expect(errorOf(broken, env).problems.length).toBeGreaterThan(8);
    expect(errorOf(broken, env).message).not.toContain('p8e');
    expect(errorOf(broken, {}).message).not.toContain('p8e');
  });
});
