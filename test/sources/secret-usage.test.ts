import { describe, expect, it } from 'vitest';
import { sourceSchema } from '../../src/config/source-config.ts';
import { secretFingerprint, sentSecrets } from '../../src/sources/secret-fingerprint.ts';
import { createSourceTable } from '../../src/sources/source-table.ts';
import { isHeaderAccepted, isOwnPath } from '../../src/sources/webhook-header.ts';
import { request } from './received-request.ts';

function source(values: readonly string[]) {
  return sourceSchema.parse({
    name: 'acme',
    destination: 'aep',
    verify: [{ type: 'header', name: 'X-Relay-Key', values }],
  });
}

describe('the use of secrets', () => {
  it('is remembered for those that stay when the configuration is reloaded', () => {
    const table = createSourceTable([source(['old', 'next'])]);
    const verify = (value: string, receivedAt: number) =>
      table.get('acme')?.verifier.verify(request({ headers: [['X-Relay-Key', value]], receivedAt }));
    verify('old', 100);
    verify('next', 300);
    verify('next', 200);
    const entry = { source: 'acme', verifier: 'header:x-relay-key' };
    expect(table.secrets()).toEqual([
      { ...entry, secret: 'old', lastVerifiedAt: 100 },
      { ...entry, secret: 'next', lastVerifiedAt: 300 },
    ]);
    table.set([source(['next', 'newer', 'next'])]);
    expect(table.secrets()).toEqual([
      { ...entry, secret: 'next', lastVerifiedAt: 300 },
      { ...entry, secret: 'newer' },
    ]);
  });
});

describe('a fingerprint', () => {
  it('is the same in every process, and differs by source, verifier and secret', async () => {
    const scope = { source: 'acme', verifier: 'bearer' };
    expect(await secretFingerprint(scope, 'secret')).toMatch(/^[0-9a-f]{12}$/);
    const prints = await Promise.all([
      secretFingerprint(scope, 'secret'),
      secretFingerprint(scope, 'secret'),
      secretFingerprint({ ...scope, source: 'beta' }, 'secret'),
      secretFingerprint({ ...scope, verifier: 'basic' }, 'secret'),
      secretFingerprint(scope, 'other'),
    ]);
    expect(prints[0]).toBe(prints[1]);
    expect(new Set(prints).size).toBe(4);
  });

  it.each([
    ['X-Relay-Key', ' value ', [{ verifier: 'header:x-relay-key', secret: 'value' }]],
    [
      'Authorization',
      'bearer t',
      [
        { verifier: 'header:authorization', secret: 'bearer t' },
        { verifier: 'bearer', secret: 't' },
      ],
    ],
    [
      'authorization',
      'Basic dTpw',
      [
        { verifier: 'header:authorization', secret: 'Basic dTpw' },
        { verifier: 'basic', secret: 'u:p' },
      ],
    ],
    ['authorization', 'Basic ?', [{ verifier: 'header:authorization', secret: 'Basic ?' }]],
    ['authorization', '0123456789abcdef', [{ verifier: 'header:authorization', secret: '0123456789abcdef' }]],
  ])('of %s: %s', (name, value, expected) => {
    expect(sentSecrets({ name, value })).toEqual(expected);
  });
});

describe('the header of the webhook', () => {
  const basic = { type: 'basic' as const, username: 'u', passwords: ['p'] };
  it.each([
    ['x-relay-key', 'next', true],
    ['X-Relay-Key', 'wrong', false],
    ['X-Other', 'next', false],
    ['Authorization', 'Basic dTpw', true],
    ['Authorization', 'Basic dTpx', false],
  ])('%s: %s', (name, value, expected) => {
    const { verify } = source(['old', 'next']);
    expect(isHeaderAccepted([...verify, basic], { name, value })).toBe(expected);
  });

  it('is accepted by no signature', () => {
    const { verify } = sourceSchema.parse({
      name: 'acme',
      destination: 'aep',
      verify: [{ type: 'hmac', header: 'X-Signature', secrets: ['s'] }],
    });
    expect(isHeaderAccepted(verify, { name: 'X-Signature', value: 's' })).toBe(false);
    expect(isHeaderAccepted([...verify, { type: 'none' }], { name: 'X-Signature', value: 's' })).toBe(true);
  });

  it.each([
    ['https://relay.example.com/webhooks/acme', true],
    ['https://relay.example.com/prefix/webhooks/acme/', true],
    ['https://relay.example.com/webhooks/other', false],
    ['https://relay.example.com/', false],
  ])('%s is the path of the source: %s', (url, expected) => {
    expect(isOwnPath(url, 'acme')).toBe(expected);
  });
});
