import { describe, expect, test } from 'vitest';
import {
  createBasicVerifier,
  createBearerVerifier,
  createHeaderVerifier,
} from '../../src/sources/shared-secret.ts';
import { outcome } from './received-request.ts';

describe('the header verifier', () => {
  const verifier = createHeaderVerifier({
    type: 'header',
    name: 'X-Relay-Key',
    values: ['first secret', 'second-secret', ''],
  });

  function sent(...values: string[]): string {
    return outcome(verifier, {
      headers: [['Host', 'relay'], ...values.map((value) => ['x-relay-KEY', value] as const)],
    });
  }

  test('is named after the header and does not contain the secret', () => {
    expect(verifier.name).toBe('header:x-relay-key');
  });

  test.each(['first secret', 'second-secret', '  first secret\t'])('passes %j', (value) => {
    expect(sent(value)).toBe('passed');
  });

  test.each(['first secre', 'first secrets', 'First secret', 'first  secret', '', ' ', '"first secret"'])(
    'refuses %j',
    (value) => {
      expect(sent(value)).toBe('header:mismatch');
    },
  );

  test('refuses a request without the header', () => {
    expect(sent()).toBe('header:missing');
  });

  test('refuses a duplicate header, even with two correct values', () => {
    expect(sent('first secret', 'first secret')).toBe('header:doubled');
    expect(sent('wrong', 'first secret')).toBe('header:doubled');
  });

  test('does not read the value of an adjacent header', () => {
    const headers = [['X-Other', 'X-Relay-Key'] as const, ['first secret', 'x'] as const];
    expect(outcome(verifier, { headers })).toBe('header:missing');
  });

  test('an empty or blank secret never matches', () => {
    const empty = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['', '  '] });
    for (const value of ['', ' ']) {
      expect(outcome(empty, { headers: [['X-Relay-Key', value]] })).toBe('header:mismatch');
    }
  });

  test('accepts a non-ASCII secret in UTF-8 and in Latin-1, both of which Node decodes as Latin-1', () => {
    const secret = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['clé'] });
    for (const bytes of [Buffer.from('clé', 'utf8'), Buffer.from('clé', 'latin1')]) {
      expect(outcome(secret, { headers: [['X-Relay-Key', bytes.toString('latin1')]] })).toBe('passed');
    }
    expect(outcome(secret, { headers: [['X-Relay-Key', 'cle']] })).toBe('header:mismatch');
  });

  test('accepts a secret that was read from a file with its trailing newline', () => {
    const secret = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['from a file\n'] });
    expect(outcome(secret, { headers: [['X-Relay-Key', 'from a file']] })).toBe('passed');
  });
});

describe('the basic verifier', () => {
  const verifier = createBasicVerifier({
    type: 'basic',
    username: 'capillary',
    passwords: ['one:with colon', 'zweites Päßwort!', ''],
  });

  function sent(...values: string[]): string {
    return outcome(verifier, { headers: values.map((value) => ['Authorization', value] as const) });
  }

  function encode(pair: string | Buffer): string {
    return Buffer.from(pair).toString('base64');
  }

  test.each([
    // printf 'capillary:one:with colon' | base64
    'Basic Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u',
    'basic Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u',
    'BASIC   Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u ',
    `Basic ${encode('capillary:zweites Päßwort!')}`,
  ])('passes %j', (value) => {
    expect(sent(value)).toBe('passed');
  });

  test.each([
    'capillary:one:with colo',
    'capillary:one:with colon ',
    'capillary:',
    'Capillary:one:with colon',
    ':one:with colon',
    ':',
    Buffer.from('capillary:\u00ff\u00fe', 'latin1'),
  ])('refuses %j', (pair) => {
    expect(sent(`Basic ${encode(pair)}`)).toBe('basic:mismatch');
  });

  test.each([
    'Basic Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u=',
    'Basic Y2FwaWxsYXJ5 Om9uZTp3aXRoIGNvbG9u',
    'Basic Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u!',
    'Basic capillary:one:with colon',
    'Basic ',
    `Basic ${encode('capillary')}`,
  ])('refuses the invalid encoding %j', (value) => {
    expect(sent(value)).toMatch(/^basic:(?:bad-encoding|wrong-scheme)$/);
  });

  test('requires base64 padding', () => {
    const padded = encode('capillary:zweites Päßwort!');
    expect(padded.endsWith('=')).toBe(true);
    expect(sent(`Basic ${padded.replaceAll('=', '')}`)).toBe('basic:bad-encoding');
  });

  test('refuses a missing header, a duplicate header and another scheme', () => {
    const right = 'Basic Y2FwaWxsYXJ5Om9uZTp3aXRoIGNvbG9u';
    expect(sent()).toBe('basic:missing');
    expect(sent(right, right)).toBe('basic:doubled');
    expect(sent(right.replace('Basic', 'Bearer'))).toBe('basic:wrong-scheme');
    expect(sent(right.replace('Basic ', ''))).toBe('basic:wrong-scheme');
  });

  test('an empty password never matches', () => {
    const empty = createBasicVerifier({ type: 'basic', username: 'capillary', passwords: [''] });
    const headers = [['Authorization', `Basic ${encode('capillary:')}`] as const];
    expect(outcome(empty, { headers })).toBe('basic:mismatch');
  });
});

describe('the bearer verifier', () => {
  const verifier = createBearerVerifier({ type: 'bearer', tokens: ['token-1', 'token-2', ''] });

  function sent(...values: string[]): string {
    return outcome(verifier, { headers: values.map((value) => ['authorization', value] as const) });
  }

  test.each(['Bearer token-1', 'bearer token-2', 'BEARER   token-1 '])('passes %j', (value) => {
    expect(sent(value)).toBe('passed');
  });

  test.each(['Bearer token-', 'Bearer token-11', 'Bearer TOKEN-1', 'Bearer token-1 token-2'])(
    'refuses %j',
    (value) => {
      expect(sent(value)).toBe('bearer:mismatch');
    },
  );

  test('refuses a missing, a duplicate and an empty header and another scheme', () => {
    expect(sent()).toBe('bearer:missing');
    expect(sent('Bearer token-1', 'Bearer token-1')).toBe('bearer:doubled');
    expect(sent('')).toBe('bearer:wrong-scheme');
    expect(sent('Bearer')).toBe('bearer:wrong-scheme');
    expect(sent('Bearer ')).toBe('bearer:wrong-scheme');
    expect(sent('Bearertoken-1')).toBe('bearer:wrong-scheme');
    expect(sent('token-1')).toBe('bearer:wrong-scheme');
    expect(sent('Basic token-1')).toBe('bearer:wrong-scheme');
  });
});
