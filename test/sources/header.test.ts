import { expect, test } from 'vitest';
import { createHeaderVerifier } from '../../src/sources/header.ts';
import { outcome } from './received-request.ts';

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

test('is named after the header, without its secret', () => {
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

test('refuses a header that did not come', () => {
  expect(sent()).toBe('header:missing');
});

test('refuses a doubled header, even with two right values', () => {
  expect(sent('first secret', 'first secret')).toBe('header:doubled');
  expect(sent('wrong', 'first secret')).toBe('header:doubled');
});

test('does not take a header for its neighbour', () => {
  const headers = [['X-Other', 'X-Relay-Key'] as const, ['first secret', 'x'] as const];
  expect(outcome(verifier, { headers })).toBe('header:missing');
});

test('an empty or blank secret never matches', () => {
  const empty = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['', '  '] });
  for (const value of ['', ' ']) {
    expect(outcome(empty, { headers: [['X-Relay-Key', value]] })).toBe('header:mismatch');
  }
});

test('takes a secret beyond ASCII in UTF-8 and in Latin-1, both of which Node reads as Latin-1', () => {
  const secret = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['clé'] });
  for (const bytes of [Buffer.from('clé', 'utf8'), Buffer.from('clé', 'latin1')]) {
    expect(outcome(secret, { headers: [['X-Relay-Key', bytes.toString('latin1')]] })).toBe('passed');
  }
  expect(outcome(secret, { headers: [['X-Relay-Key', 'cle']] })).toBe('header:mismatch');
});

test('takes a secret that was read from a file with its newline', () => {
  const secret = createHeaderVerifier({ type: 'header', name: 'X-Relay-Key', values: ['from a file\n'] });
  expect(outcome(secret, { headers: [['X-Relay-Key', 'from a file']] })).toBe('passed');
});
