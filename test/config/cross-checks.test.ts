import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Path } from '../../src/config/config-error.ts';
import { parseEncryptionKey } from '../../src/config/cross-checks.ts';
import { configOf, problemsOf, smallestWith } from './config-text.ts';

const destination = ['destinations', 0] as const;
const source = ['sources', 0] as const;
const key32 = Buffer.alloc(32, 7);
const secondSource = { name: 'acme', destination: 'aep', verify: [{ type: 'none' }] };
const profile = { schemaId: 'https://ns.adobe.com/acme/schemas/p', datasetId: 'p', flowId: 'p' };

const openDestination = {
  name: 'aep',
  imsOrgId: '1A2B@AdobeOrg',
  sandbox: 'prod',
  inletUrl: 'https://dcs.adobedc.net/collection/2f4e',
  authenticated: 'false',
  events: profile,
};

type Case = readonly [
  path: string,
  value: unknown,
  changes: readonly (readonly [Path, unknown])[],
  fix: string,
];

const refused: readonly Case[] = [
  ['store.engine', 'jetstream', [[['store', 'engine'], 'jetstream']], 'sqlite, postgres'],
  ['store.url', 'none', [[['store', 'engine'], 'postgres']], 'url: postgres://'],
  ['store.url', 'no database', [[['store'], { engine: 'postgres', url: 'https://db/relay' }]], 'url'],
  ['store.url', 'of another engine', [[['store', 'url'], 'postgres://relay@db/relay']], 'engine: postgres'],
  [
    'store.path',
    'of another engine',
    [[['store'], { engine: 'postgres', url: 'postgres://relay@localhost/relay', path: './data' }]],
    'remove it',
  ],
  ['store.retention.ids', '6d', [[['store', 'retention', 'ids'], '6d']], '7d or more'],
  ['store.retention.ids', '9d', [[['store', 'retention', 'delivered'], '9d']], 'store.retention.delivered'],
  ['store.encryptionKeys', 'short', [[['store', 'encryptionKeys'], ['c2hvcnQ=']]], 'openssl rand'],
  ['admin.token', 'none', [[['admin', 'host'], '0.0.0.0']], 'admin.host to 127.0.0.1'],
  ['admin.token', 'empty', [[['admin'], { host: '10.1.2.3', token: '' }]], 'admin.host to 127.0.0.1'],
  ['admin.port', 8080, [[['admin', 'port'], 8080]], 'a different port'],
  ['destinations[0].ims', 'none', [[[...destination, 'ims'], undefined]], 'authenticated: false'],
  [
    'destinations[0].profile.datasetId',
    'same',
    [[[...destination, 'profile'], { ...profile, datasetId: 'e-dataset' }]],
    'a dataset each',
  ],
  [
    'destinations[0].profile.schemaId',
    'same',
    [[[...destination, 'profile'], { ...profile, schemaId: 'https://ns.adobe.com/acme/schemas/e' }]],
    'a schema',
  ],
  ...['p', 'e-dataset'].map(
    (id): Case => [
      'destinations[0].profile.identityDatasetId',
      id,
      [[[...destination, 'profile'], { ...profile, identityDatasetId: id }]],
      'a separate dataset',
    ],
  ),
  [
    'destinations[0].identity.primary',
    'email',
    [[[...destination, 'identity'], { primary: 'email', namespaces: { customerId: 'capillaryId' } }]],
    'choose one that is defined: customerId',
  ],
  [
    'destinations[0].retry.minDelay',
    '10m',
    [[[...destination, 'retry'], { minDelay: '10m' }]],
    'the smaller of the two',
  ],
  ['sources[0].country', 'UK', [[[...source, 'country'], 'UK']], 'write `country: GB`'],
  ['sources[0].country', 'EN', [[[...source, 'country'], 'EN']], 'write `country: GB`'],
  ['sources[0].country', 'XX', [[[...source, 'country'], 'XX']], 'such as IN or GB'],
  [
    'sources[0].contacts.ignore[0]',
    '**',
    [[[...source, 'contacts'], { ignore: ['**'] }]],
    'write it in the form `ignore: [',
  ],
  ['sources[0].identity.prefix', 'a b', [[[...source, 'identity'], { prefix: 'a b' }]], '<orgId>'],
  ['sources[0].destination', 'aeq', [[[...source, 'destination'], 'aeq']], 'write `destination: aep`'],
  ['sources[1].name', 'acme', [[['sources', 1], secondSource]], 'choose a unique name'],
  [
    'sources[0].verify[0].payload',
    '{timestamp} without the setting',
    [
      [
        [...source, 'verify', 0],
        { type: 'hmac', header: 'X-S', secrets: ['s'], payload: '{body}{timestamp}' },
      ],
    ],
    'verifier',
  ],
  [
    'sources[0].verify[0].secrets',
    'not base64',
    [[[...source, 'verify', 0], { type: 'standard-webhooks', secrets: ['whsec_?'] }]],
    'whsec_',
  ],
  [
    'sources[0].overrides.customerAdded.event',
    'invalid JSONata',
    [[[...source, 'overrides'], { customerAdded: { event: '{"a": ', profile: '{"a": 1}' } }]],
    'capillary-relay map',
  ],
];

describe('checks between keys', () => {
  it.each(refused)('refuse %s: %s', (path, _value, changes, fix) => {
    const problems = problemsOf(smallestWith(...changes));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.fix).toContain(fix);
  });

  it.each([
    ['equal ids and payloads', [['store', 'retention'], { ids: '7d', delivered: '7d' }]],
    ['a key as base64', [['store', 'encryptionKeys'], [key32.toString('base64')]]],
    [
      'a key as hex',
      [
        ['store', 'encryptionKeys'],
        [key32.toString('hex'), ''],
      ],
    ],
    ['an admin port for other machines with a token', [['admin'], { host: '0.0.0.0', token: 't0ken' }]],
    ['an admin port on ::1', [['admin', 'host'], '::1']],
    [
      'a profile with write: off',
      [[...destination, 'profile'], { ...profile, datasetId: 'e-dataset', write: 'off' }],
    ],
    ['an open connection', [destination, openDestination]],
    ['equal delays', [[...destination, 'retry'], { minDelay: '5m', maxDelay: '5m' }]],
    ['all requests on purpose', [[...source, 'verify'], [{ type: 'none' }]]],
  ] as const)('accept %s', (_name, change) => {
    expect(configOf(smallestWith(change as readonly [Path, unknown])).sources).toHaveLength(1);
  });

  it('find every expression that does not compile', () => {
    const overrides = { a: { event: '(' }, b: { event: '1', profile: ')' }, 'c d': { profile: '"' } };
    expect(problemsOf(smallestWith([[...source, 'overrides'], overrides]))).toMatchObject([
      {
        path: 'sources[0].overrides.a.event',
        message: expect.stringMatching(/^is not a valid JSONata expression: /),
      },
      { path: 'sources[0].overrides.b.profile' },
      { path: 'sources[0].overrides["c d"].profile' },
    ]);
  });

  it('accept two ports chosen by the system', () => {
    const text = smallestWith([['server', 'port'], 0], [['admin', 'port'], 0]);
    expect(configOf(text).admin.port).toBe(0);
  });

  it('report together with invalid keys of the same object', () => {
    const text = smallestWith(
      [['store'], { engine: 'jetstream', path: 5, retention: { ids: '1d' }, what: 1 }],
      [[...destination, 'imsOrgId'], 'none'],
      [[...destination, 'ims'], undefined],
    );
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'destinations[0].ims',
      'destinations[0].imsOrgId',
      'store.engine',
      'store.path',
      'store.retention.ids',
      'store.what',
    ]);
  });

  it('do not report a missing destination if a destination has an unresolved name', () => {
    const text = smallestWith([[...destination, 'name'], '${NAME}']);
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['destinations[0].name']);
  });

  it('report nothing else for a key with an unresolved placeholder', () => {
    const text = smallestWith([
      ['store', 'encryptionKeys'],
      ['${NEW:-}', '${OLD}'],
    ]);
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['store.encryptionKeys[1]']);
  });
});

it('parses a key of 32 bytes as base64, base64url or hex', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const key = Buffer.from(bytes);
      for (const encoding of ['base64', 'base64url', 'hex'] as const)
        expect(parseEncryptionKey(key.toString(encoding))).toEqual(key);
      expect(parseEncryptionKey(key.toString('hex').toUpperCase())).toEqual(key);
    }),
  );
});

it('refuses a key of any other length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      fc.pre(bytes.length !== 32);
      const key = Buffer.from(bytes);
      expect(parseEncryptionKey(key.toString('base64'))).toBeUndefined();
      // No other length has 43 base64 characters or 64 hexadecimal digits.
      expect(parseEncryptionKey(key.toString('hex'))).toBeUndefined();
    }),
  );
});

it.each(['', 'secret', '!'.repeat(43), `${'A'.repeat(43)}==`, ` ${'A'.repeat(43)}`, 'z'.repeat(64)])(
  'refuses the key %j',
  (text) => {
    expect(parseEncryptionKey(text)).toBeUndefined();
  },
);
