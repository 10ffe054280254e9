import { expect, test } from 'vitest';
import { createBearerVerifier } from '../../src/sources/bearer.ts';
import { outcome } from './received-request.ts';

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

test('refuses a missing, a doubled, an empty header and another scheme', () => {
  expect(sent()).toBe('bearer:missing');
  expect(sent('Bearer token-1', 'Bearer token-1')).toBe('bearer:doubled');
  expect(sent('')).toBe('bearer:wrong-scheme');
  expect(sent('Bearer')).toBe('bearer:wrong-scheme');
  expect(sent('Bearer ')).toBe('bearer:wrong-scheme');
  expect(sent('Bearertoken-1')).toBe('bearer:wrong-scheme');
  expect(sent('token-1')).toBe('bearer:wrong-scheme');
  expect(sent('Basic token-1')).toBe('bearer:wrong-scheme');
});
