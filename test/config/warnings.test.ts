import { describe, expect, it } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { errorOf, problemsOf, smallestWith } from './config-text.ts';

const destination = ['destinations', 0] as const;
const values = ['sources', 0, 'verify', 0, 'values'] as const;

function warningsOf(text: string) {
  return readConfig(text, '/etc/relay/relay.yaml', {}, SOURCE_CHECKS).warnings;
}

function inlet(url: string): string {
  return smallestWith([[...destination, 'inletUrl'], url]);
}

describe('a variable without braces', () => {
  it.each(['$IMS_CLIENT_SECRET', '$(IMS_CLIENT_SECRET)', '%IMS_CLIENT_SECRET%'])(
    'is refused as a secret: %s',
    (value) => {
      const error = errorOf(smallestWith([values, [value]]));
      expect(error.problems).toMatchObject([
        {
          path: 'sources[0].verify[0].values[0]',
          message: expect.stringContaining('is the name of a variable and not its value'),
          fix: expect.stringContaining('write ${IMS_CLIENT_SECRET}'),
        },
      ]);
    },
  );

  it('is not shown if it can be a secret', () => {
    const text = smallestWith([values, ['$P8E_X7Q4']]);
    expect(problemsOf(text)).toMatchObject([{ fix: expect.stringContaining('write ${NAME}') }]);
    expect(errorOf(text).message).not.toContain('P8E');
    expect(problemsOf(text, { P8E_X7Q4: 'x' })).toMatchObject([
      { fix: expect.stringContaining('write ${P8E_X7Q4}') },
    ]);
  });

  it('is refused as any other value, and the fix names it', () => {
    const [problem] = problemsOf(smallestWith([[...destination, 'sandbox'], '$SANDBOX']));
    expect(problem).toMatchObject({
      path: 'destinations[0].sandbox',
      fix: expect.stringMatching(/^write \$\{SANDBOX\};/),
    });
  });

  it('within a text is a warning, except in secrets and expressions', () => {
    const text = smallestWith(
      [[...destination, 'events', 'flowId'], 'flow-$STAGE'],
      [values, ['a$SECRET1-of-the-tests']],
      [['sources', 0, 'overrides'], { customerAdded: { event: '$UPPER' } }],
    );
    expect(warningsOf(text.replace('$UPPER', '$uppercase(event.$NAME)'))).toMatchObject([
      { path: 'destinations[0].events.flowId', line: expect.any(Number) },
    ]);
  });

  it('within a secret is a warning if it can be no part of one', () => {
    const path = 'destinations[0].ims.clientSecrets[0]';
    const secrets = [...destination, 'ims', 'clientSecrets'] as const;
    for (const value of ['prefix-of-$IMS_CLIENT_SECRET', 'prefix-of-$(IMS_CLIENT_SECRET)-x'])
      expect(warningsOf(smallestWith([secrets, [value]]))).toMatchObject([
        { path, message: expect.stringContaining('looks like a variable') },
      ]);
    const { warnings } = readConfig(
      smallestWith([secrets, ['prefix-of-$P8E_X7Q4']]),
      'x',
      { P8E_X7Q4: 'x' },
      [],
    );
    expect(warnings).toMatchObject([{ path }]);
    expect(JSON.stringify(warnings)).not.toContain('P8E');
  });

  it('that a placeholder yields is the secret itself', () => {
    const text = smallestWith([values, ['${KEY}']]);
    expect(readConfig(text, 'relay.yaml', { KEY: '$PASSWORD_OF_THE_TESTS' }, []).warnings).toEqual([]);
  });
});

describe('the addresses of a destination', () => {
  it.each([
    'https://dcs.adobedc.net/collection',
    'https://dcs.adobedc.net/collection/batch',
    'https://dcs.adobedc.net/collection/batch/',
    'https://dcs.adobedc.net/collection/<inletId>',
    'https://dcs.adobedc.net/collection/2f4e/more',
    'https://platform.adobe.io/data/foundation?x=/collection/2f4e',
  ])('refuse what is no inlet URL: %s', (url) => {
    expect(problemsOf(inlet(url))).toMatchObject([
      { message: expect.stringContaining('must end with /collection/<inletId>') },
    ]);
  });

  it('warn of the batch form', () => {
    expect(warningsOf(inlet('https://dcs.adobedc.net/collection/batch/2f4e'))).toMatchObject([
      { path: 'destinations[0].inletUrl', fix: expect.stringContaining('without `batch/`') },
    ]);
  });

  it('refuse http: to Adobe, for the inlet and for IMS', () => {
    const text = smallestWith(
      [[...destination, 'inletUrl'], 'http://dcs.adobedc.net/collection/2f4e'],
      [[...destination, 'ims', 'url'], 'http://ims-na1.adobelogin.com/ims/token/v3'],
    );
    expect(problemsOf(text).map(({ path, fix }) => `${path}: ${fix}`)).toEqual([
      'destinations[0].inletUrl: write https:// instead of http://',
      'destinations[0].ims.url: write https:// instead of http://',
    ]);
  });

  it.each([
    ['http://gateway.example.com', 1],
    ['http://203.0.113.7', 1],
    ['http://172.32.0.1', 1],
    ['http://10.evil.com', 1],
    ['http://127.evil.com', 1],
    ['http://192.168.1.1.evil.com', 1],
    ['http://169.254.evil.com.', 1],
    ['http://[2001:db8::1]', 1],
    ['http://[::ffff:203.0.113.7]', 1],
    ['http://localhost.evil.com', 1],
    ['http://evil-local', 0],
    ['http://relay.aep.svc.', 0],
    ['http://[::ffff:10.0.0.1]', 0],
    ['http://[fe80::1]', 0],
    ['http://127.0.0.1:9090', 0],
    ['http://localhost:9090', 0],
    ['http://simulator:9090', 0],
    ['http://gateway.aep.svc.cluster.local', 0],
    ['http://172.31.0.1', 0],
    ['http://[::1]:9090', 0],
    ['http://[fd00::1]', 0],
    ['https://gateway.example.com', 0],
  ])('%s: warnings: %i', (origin, count) => {
    expect(warningsOf(inlet(`${origin}/collection/2f4e`))).toHaveLength(count);
  });
});

const LONG = 'a-secret-of-24-characters';
const loopback = [['server', 'host'], '127.0.0.1'] as const;

function verifier(verify: Record<string, unknown>) {
  return [['sources', 0, 'verify'], [verify]] as const;
}

describe('a secret', () => {
  it.each([
    ['values', { type: 'header', name: 'X-Relay-Key', values: [LONG, '…'] }],
    ['values', { type: 'header', name: 'X-Relay-Key', values: [` ${LONG}`] }],
    ['values', { type: 'header', name: 'X-Relay-Key', values: [`${LONG}\t`] }],
    ['values', { type: 'header', name: 'X-Relay-Key', values: [`a\nb${LONG}`] }],
    ['tokens', { type: 'bearer', tokens: [`${LONG}\u0000`] }],
    ['apiKey', { type: 'neo', apiKey: '“k”', secret: LONG, signatureHeader: 'X-S', timestampHeader: 'X-T' }],
  ])('that cannot be the value of a header is refused: %s of %j', (key, verify) => {
    const error = errorOf(smallestWith(verifier(verify), loopback));
    expect(error.problems).toMatchObject([{ path: `sources[0].verify[0].${key}`, line: expect.any(Number) }]);
    expect(error.message).not.toContain(LONG);
  });

  it('that is admin.token is refused likewise', () => {
    expect(problemsOf(smallestWith([['admin', 'token'], `${LONG} `]))).toMatchObject([
      { path: 'admin.token', message: expect.stringContaining('begins or ends with a blank') },
    ]);
  });

  it('in Latin-1, with spaces inside, or not in a header is accepted', () => {
    for (const verify of [
      { type: 'header', name: 'X-Relay-Key', values: ['clé of the relay, with spaces', ' '] },
      { type: 'basic', username: 'capillary', passwords: [`ein Paßwort – ${LONG} `] },
      { type: 'hmac', header: 'X-Signature', secrets: [`${LONG}\u2013 `] },
    ])
      expect(warningsOf(smallestWith(verifier(verify)))).toEqual([]);
  });

  it.each([
    'x',
    'short-secret-15',
    'changeme',
    'change-me',
    '<your-relay-key-here>',
    'my-secret',
    '<your secret>',
    '{{IMS_CLIENT_SECRET}}',
    `${LONG}...`,
  ])('that can be guessed is a warning: %s', (secret) => {
    const admin = { host: '0.0.0.0', token: secret };
    const text = smallestWith(
      [values, [secret]],
      [['admin'], admin],
      [
        [...destination, 'ims', 'clientSecrets'],
        [LONG, secret],
      ],
    );
    expect(
      warningsOf(text)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['admin.token', 'destinations[0].ims.clientSecrets', 'sources[0].verify[0].values']);
  });

  it('may be short where only this machine can use it', () => {
    const text = smallestWith(
      loopback,
      [values, ['x']],
      [['admin', 'token'], 'x'],
      [[...destination, 'ims'], { url: 'http://127.0.0.1:9090/t', clientId: 'c', clientSecrets: ['x'] }],
    );
    expect(warningsOf(text)).toEqual([]);
  });
});

describe('the time zone of a source', () => {
  it.each(['IST', 'EST', 'cet', 'PST'])('%s is a warning', (zone) => {
    expect(warningsOf(smallestWith([['sources', 0, 'timezone'], zone]))).toMatchObject([
      { path: 'sources[0].timezone', fix: expect.stringContaining('Asia/Kolkata') },
    ]);
  });

  it.each(['UTC', 'GMT', 'Asia/Kolkata', 'Singapore', 'Etc/GMT+5', '+05:30'])('%s is none', (zone) => {
    expect(warningsOf(smallestWith([['sources', 0, 'timezone'], zone]))).toEqual([]);
  });
});

describe('the id of a schema', () => {
  it.each(['_acme.schemas.0f1e', 'https://ns.adobe.com/xdm/context/profile', '<tenant>/schemas/0f1e', ''])(
    'is refused: %s',
    (id) => {
      expect(problemsOf(smallestWith([[...destination, 'events', 'schemaId'], id]))).toMatchObject([
        { message: expect.stringContaining('must be the $id of the schema, such as https://ns.adobe.com/') },
      ]);
    },
  );
});
