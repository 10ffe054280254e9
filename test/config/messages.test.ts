import { describe, expect, it } from 'vitest';
import { formatPath } from '../../src/config/config-error.ts';
import { exampleOf } from '../../src/config/fix-texts.ts';
import { type JsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { errorOf, fixture, problemsOf, smallestWith } from './config-text.ts';

const destination = ['destinations', 0] as const;
const source = ['sources', 0] as const;

function problemOf(path: readonly (string | number)[], value: unknown, env: Record<string, string> = {}) {
  const problems = problemsOf(smallestWith([path, value]), env);
  expect(problems).toHaveLength(1);
  return problems[0]!;
}

/** Every key of the schema, as often as it occurs. */
function keysOf(schema: JsonSchema): [string, JsonSchema][] {
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]): [string, JsonSchema][] => [
      [key, field],
      ...keysOf(field),
    ]),
    ...(schema.items ? keysOf(schema.items) : []),
    ...(schema.oneOf ?? []).flatMap(keysOf),
  ];
}

describe('messages', () => {
  it.each([
    [
      ['server', 'portt'],
      1,
      'write `port` instead. Allowed here: host, port, bodyLimit, trustProxy, rateLimit',
    ],
    [['server', 'rate_limit'], 1, 'write `rateLimit` instead'],
    [['server', 'RateLimit'], 1, 'write `rateLimit` instead'],
    [['server', 'RATE-LIMIT'], 1, 'write `rateLimit` instead'],
    [['logs'], [], 'write `log` instead'],
    [['server', 'colour'], 1, 'remove it. Allowed here: host'],
    [
      [...source, 'verify', 0, 'value'],
      'x',
      'remove it: `values` is given as well. Allowed here: type, name',
    ],
    [[...destination, 'ims', 'clientSecret'], 'p8e-x', 'remove it: `clientSecrets` is given as well'],
    [[...destination, 'inlet_url'], 'x', 'remove it: `inletUrl` is given as well'],
    [[...destination, 'sandBox'], 'x', 'remove it: `sandbox` is given as well'],
    [[...source, 'overrides'], { customerAdded: { events: 'x' } }, 'write `event` instead'],
  ] as const)('suggest a key instead of %j', (path, value, fix) => {
    const problem = problemOf(path, value);
    expect(problem.message).toBe('is not a known key');
    expect(problem.fix).toContain(fix);
  });

  it.each([
    'http://127.0.0.1:99999/collection/x',
    'http://[::1%25lo]:9/collection/x',
    'https://',
    'https://a b/collection/x',
  ])('refuse the address %s at its key', (url) => {
    for (const key of [['inletUrl'], ['ims', 'url']]) {
      const { message, path } = problemOf([...destination, ...key], url);
      expect(path).toBe(`destinations[0].${key.join('.')}`);
      expect(message).toContain('must be a valid URL');
    }
  });

  it.each([
    ['sandbox', 'prod\r\nx-evil: 1'],
    ['sandbox', 'prod\0'],
    ['sandbox', 'prod\n'],
    ['sandbox', 'Prüfung'],
    ['events.flowId', 'flow\n'],
    ['events.datasetId', 'data\u0085'],
    ['ims.clientId', 'client\r'],
  ])('refuse a value of %s that no header can contain: %j', (key, value) => {
    const { message } = problemOf([...destination, ...key.split('.')], value);
    expect(message).toContain('must have printable ASCII characters only');
  });

  it('refuse control characters in imsOrgId', () => {
    for (const value of ['1A2B\0@AdobeOrg', '1A\u00852B@AdobeOrg', '1A2B@AdobeOrg\n'])
      expect(problemOf([...destination, 'imsOrgId'], value).message).toContain('must look like');
  });

  it.each([
    [['server', 'port'], 99_999, 'must be an integer from 0 to 65535 (it is 99999)'],
    [['server', 'port'], 80.5, 'must be an integer from 0 to 65535 (it is 80.5)'],
    [['server', 'port'], '8080x', 'must be an integer from 0 to 65535 (it is "8080x")'],
    [
      ['server', 'bodyLimit'],
      '1Mb',
      'must be a number with a unit, such as 900KB, 1MiB or 10GiB (it is "1Mb")',
    ],
    [['server', 'bodyLimit'], 5, 'must be a number with a unit, such as 900KB, 1MiB or 10GiB (it is 5)'],
    [['server', 'rateLimit'], { window: '0s' }, 'must be at least 1ms (it is "0s")'],
    [[...destination, 'batch'], { maxBytes: '1MB' }, 'must be at most 990KB (it is "1MB")'],
    [['server', 'trustProxy'], ['10.0.0.0/33'], '(it is "10.0.0.0/33")'],
    [['server', 'trustProxy'], '10.0.0.0/8', 'must be a list'],
    [['server', 'host'], { a: 1 }, 'must be a string'],
    [['server'], [], 'must be an object'],
    [['server'], null, 'is empty'],
    [
      ['log', 'level'],
      'loud',
      'must be one of trace, debug, info, warn, error, fatal, silent (it is "loud")',
    ],
    [[...destination, 'authenticated'], 'yes', 'must be true or false (it is "yes")'],
    [[...destination, 'sandbox'], undefined, 'is missing'],
    [[...destination, 'sandbox'], '', 'must not be empty (it is "")'],
    [[...destination, 'events', 'flowId'], undefined, 'is missing'],
    [[...destination, 'inletUrl'], 'dcs.adobedc.net/collection/x', 'must be an http(s) URL such as https://'],
    [[...destination, 'inletUrl'], 'https://example.com/', 'must end with /collection/<inletId>'],
    [[...destination, 'imsOrgId'], '1A2B', 'must look like 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg (it is "1A2B")'],
    [[...destination, 'tenant'], 'acme', 'must be the tenant id with its underscore, such as _acme'],
    [[...destination, 'ims', 'scopes'], 5, 'must be a list of scopes, or one string with commas'],
    [[...source, 'name'], 'Acme Corp', 'lower-case'],
    [[...source, 'timezone'], 'Asia/Kolkatta', 'must be an IANA time zone such as Asia/Kolkata'],
    [[...source, 'country'], 'India', 'two-letter country code'],
    [[...source, 'verify', 0, 'type'], 'headers', 'must be one of header, basic, bearer, hmac'],
    [[...source, 'verify', 0], 'none', 'must be an object such as { type: none }'],
    [[...source, 'verify'], [], 'write [{ type: none }]'],
    [[...source, 'verify', 0, 'values'], ['', ''], 'is its environment variable set?'],
    [[...source, 'verify', 0, 'values'], [], 'is its environment variable set?'],
    [['sources'], [], 'needs at least one source'],
  ])('explain the problem of %j: %j', (path, value, message) => {
    const problem = problemOf(path, value);
    expect(problem.path).toContain(formatPath(path));
    expect(problem.message).toContain(message);
    expect(problem.fix).toMatch(/^(write|add) /);
  });

  it.each([
    [[...destination, 'ims', 'clientId'], 65_432_101, 'a number', 'put it in quotes: `clientId: "…"`'],
    [[...destination, 'sandbox'], true, 'true or false', 'put it in quotes: `sandbox: "…"`'],
    [[...source, 'verify', 0, 'values'], [852], 'a number', 'put it in quotes'],
  ] as const)('ask for quotes: %j: %j', (path, value, type, fix) => {
    expect(problemOf(path, value)).toMatchObject({
      message: `must be a string, but without quotes YAML reads it as ${type}`,
      fix,
    });
  });

  it('ask for quotes around digits with an e, without showing them', () => {
    const text = fixture('smallest.yaml').replace('0a1b2c3d4e5f6a7b', '65432101e12');
    expect(problemsOf(text)).toMatchObject([
      { path: 'destinations[0].ims.clientId', fix: 'put it in quotes: `clientId: "…"`' },
    ]);
  });

  it.each([
    ['server:\n  port:8080\n', 'server.port'],
    ['log: { level:info }\n', 'log.level'],
  ])('name the missing space in %j', (text, path) => {
    expect(problemsOf(text + fixture('smallest.yaml'))).toMatchObject([
      { path, message: expect.stringContaining('a space is missing after the colon') },
    ]);
  });

  it('do not show a secret whose key has no space after its colon', () => {
    const text = fixture('smallest.yaml').replace('clientId: 0a1b2c3d4e5f6a7b', 'clientId:p8e-852');
    expect(problemsOf(text)).toMatchObject([{ path: 'destinations[0].ims.clientId' }]);
    expect(errorOf(text).message).not.toContain('p8e');
  });

  it('describe a missing key in its fix', () => {
    expect(problemOf([...destination, 'sandbox'], undefined).fix).toBe(
      'add `sandbox: prod`. Name of the sandbox, such as prod.',
    );
  });

  it.each(['inletUrl', 'events'])('name the command that makes a missing %s at Adobe', (key) => {
    expect(problemOf([...destination, key], undefined).fix).toContain('capillary-relay provision apply');
  });

  it('say what to write for every key of the schema', () => {
    const without = keysOf(plainJsonSchema()).flatMap(([key, field]) =>
      field.const !== undefined || exampleOf(key, field) !== undefined ? [] : [key],
    );
    expect(without).toEqual([]);
  });

  it.each([
    [['log', 'level'], 'Warn ', 'write `level: warn`; the choices are trace, debug, info, warn'],
    [[...destination, 'authenticated'], 'yes', 'write `authenticated: true`; the choices are true, false'],
    [[...source, 'verify', 0, 'name'], 'X Key', 'write it in the form `name: X-Relay-Key`'],
    [[...source, 'name'], 'Acme Corp', 'write it in the form `name: acme`'],
    [['server', 'bodyLimit'], '1Mb', 'write it in the form `bodyLimit: 1MiB`'],
    [[...destination, 'events'], undefined, 'add `events: { schemaId: …, datasetId: …, flowId: … }`'],
    [['server'], null, 'write it in the form `server: { … }`, or remove the line'],
    [[...source, 'destination'], 'eap', 'write `destination: aep`; the destinations are aep'],
  ])('say what to write for %j: %j', (path, value, fix) => {
    expect(problemOf(path, value).fix.startsWith(fix)).toBe(true);
  });

  it('show the placeholder and not its value', () => {
    const problem = problemOf(['server', 'port'], '${PORT}', { PORT: 'p8e-secret' });
    expect(problem.message).toContain('(it comes from ${PORT})');
    expect(problem.message).not.toContain('p8e');
  });

  it.each([
    [['admin', 'token'], { p8e: 1 }],
    [['admin', 'token'], 852],
    [['store', 'encryptionKeys'], ['p8e-852']],
    [['store', 'encryptionKeys'], 'p8e-852'],
    [[...source, 'verify'], 'p8e-852'],
    [[...source, 'verify', 0], 'p8e-852'],
    [[...source, 'verify', 0, 'values'], 'p8e-852'],
    [[...source, 'verify', 0, 'values'], [852]],
    [[...source, 'verify', 0, 'name'], 'X-Relay-Key: p8e-852'],
    [[...source, 'verify', 0, 'type'], 'p8e-852'],
    [[...source, 'verify', 0], { type: 'standard-webhooks', secrets: ['whsec_p8e-852'] }],
    [
      [...source, 'webhook'],
      { name: 'relay', url: 'https://relay.example.com/x', header: { name: 'X-Key: p8e-852', value: 'x' } },
    ],
    [['egress', 'proxy'], 'relay:p8e-852@proxy.corp:3128'],
    [['egress', 'ca'], '-----BEGIN PRIVATE KEY-----\np8e-852'],
    [[...destination, 'ims'], 'p8e-852'],
    [[...destination, 'ims', 'url'], 'p8e-852'],
    [[...destination, 'ims', 'clientSecrets'], 'p8e-852'],
    [[...destination, 'inletUrl'], 'https://user:p8e-852@dcs.adobedc.net/collection/x'],
  ])('do not show what may be a secret: %j', (path, value) => {
    expect(errorOf(smallestWith([path, value])).message).not.toMatch(/p8e|852/);
  });

  it.each([
    [[...destination, 'events', 'schemaId'], '_acme.schemas.0f1e'],
    [['server'], null],
  ])('do not describe a key that is given: %j', (path, value) => {
    expect(problemOf(path, value).fix).toMatch(/^write it in the form `[^`]*`(, or remove the line)?$/);
  });

  it('print one paragraph per problem', () => {
    const text = 'server:\n  port: x\n' + smallestWith([['log'], { lvl: 'info' }]);
    expect(errorOf(text).message).toBe(
      [
        '2 problems in the configuration',
        '',
        '/etc/relay/relay.yaml:2:3  server.port',
        '  problem: must be an integer from 0 to 65535 (it is "x")',
        '  fix:     write it in the form `port: 8080`',
        '',
        '/etc/relay/relay.yaml:25:3  log.lvl',
        '  problem: is not a known key',
        '  fix:     write `level` instead. Allowed here: level',
      ].join('\n'),
    );
  });
});
