import { expect, test } from 'vitest';
import { createBasicVerifier } from '../../src/sources/basic.ts';
import { outcome } from './received-request.ts';

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
])('refuses the wrong encoding %j', (value) => {
  expect(sent(value)).toMatch(/^basic:(?:bad-encoding|wrong-scheme)$/);
});

test('wants the padding of base64', () => {
  const padded = encode('capillary:zweites Päßwort!');
  expect(padded.endsWith('=')).toBe(true);
  expect(sent(`Basic ${padded.replaceAll('=', '')}`)).toBe('basic:bad-encoding');
});

test('refuses a missing, a doubled header and another scheme', () => {
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
