import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { VerifierConfig } from '../../src/config/source-config.ts';
import { createNeoVerifier } from '../../src/sources/neo.ts';
import {
  BODY,
  MINUTE,
  ODD_TIMESTAMPS,
  outcome,
  RECEIVED_AT,
  SENT_AT_SECONDS,
  TAMPERED,
} from './received-request.ts';

type NeoConfig = Extract<VerifierConfig, { type: 'neo' }>;

function config(changes: Partial<NeoConfig> = {}): NeoConfig {
  return {
    type: 'neo',
    apiKey: 'neo-key',
    secret: 'neo-secret',
    signatureHeader: 'X-Neo-Signature',
    timestampHeader: 'X-Neo-Timestamp',
    algorithm: 'sha256',
    tolerance: 5 * MINUTE,
    ...changes,
  };
}

/**
 * `openssl dgst -sha256 -hmac neo-secret -binary | base64` over `neo-key:1790848800:<base64 of
 * SHA-256 of BODY>`.
 */
const SIGNATURE = 'IjrENhn7GVFG8eDVZfMneZ7lvkOPN1NwzhyGB/rYlj0=';
const SIGNED = { 'x-neo-signature': SIGNATURE, 'x-neo-timestamp': String(SENT_AT_SECONDS) };

function sent(changes: Record<string, string> = {}, receivedAt = RECEIVED_AT, body: Buffer = BODY): string {
  return outcome(createNeoVerifier(config()), {
    headers: Object.entries({ ...SIGNED, ...changes }),
    receivedAt,
    body,
  });
}

function sign(timestamp: string, secret = 'neo-secret'): string {
  const bodyHash = createHash('sha256').update(BODY).digest('base64');
  return createHmac('sha256', secret).update(`neo-key:${timestamp}:${bodyHash}`).digest('base64');
}

test('passes the documented recipe in seconds and in milliseconds', () => {
  expect(sent()).toBe('passed');
  // The same recipe over neo-key:1790848800123:…
  const milliseconds = {
    'x-neo-timestamp': '1790848800123',
    'x-neo-signature': 'UZLWAsT7HtktJPpexqc9t+WOIgzbJk8lmkO/pLzG9xE=',
  };
  expect(sent(milliseconds)).toBe('passed');
});

test('passes SHA-512', () => {
  const verifier = createNeoVerifier(config({ algorithm: 'sha512' }));
  const signature =
    'd2iSJO5OFJ+Ia0FgLZS/ZIxUTPweEN0svDP0edAJmpnjPK0TokjrkQ2ClX5KwKAGzaZf6Oh4VASDe2XwXPuzFg==';
  const headers = Object.entries({ ...SIGNED, 'x-neo-signature': signature });
  expect(verifier.name).toBe('neo:x-neo-signature');
  expect(outcome(verifier, { headers })).toBe('passed');
  expect(outcome(verifier, { headers: Object.entries(SIGNED) })).toBe('neo:bad-encoding');
});

test.each(TAMPERED)('refuses a changed body (%#)', (body) => {
  expect(sent({}, RECEIVED_AT, body)).toBe('neo:bad-signature');
});

test('refuses a different secret, API key or timestamp', () => {
  expect(sent({ 'x-neo-signature': sign(SIGNED['x-neo-timestamp'], 'other') })).toBe('neo:bad-signature');
  expect(sent({ 'x-neo-timestamp': String(SENT_AT_SECONDS + 1) })).toBe('neo:bad-signature');
  const otherKey = createNeoVerifier(config({ apiKey: 'neo-kez' }));
  expect(outcome(otherKey, { headers: Object.entries(SIGNED) })).toBe('neo:bad-signature');
});

test('an empty secret never matches', () => {
  const headers = Object.entries({ ...SIGNED, 'x-neo-signature': sign(SIGNED['x-neo-timestamp'], '') });
  expect(outcome(createNeoVerifier(config({ secret: '' })), { headers })).toBe('neo:bad-signature');
});

test.each(['', SIGNATURE.slice(0, -1), `${SIGNATURE}=`, Buffer.from(SIGNATURE, 'base64').toString('hex')])(
  'refuses the invalid encoding %j',
  (signature) => {
    expect(sent({ 'x-neo-signature': signature })).toBe('neo:bad-encoding');
  },
);

test.each([
  ['x-neo-signature', 'neo:'],
  ['x-neo-timestamp', 'neo:timestamp-'],
] as const)('refuses a missing and a duplicate %s', (name, code) => {
  const { [name]: value, ...others } = SIGNED;
  const verifier = createNeoVerifier(config());
  expect(outcome(verifier, { headers: Object.entries(others) })).toBe(`${code}missing`);
  const headers = [...Object.entries(SIGNED), [name.toUpperCase(), value] as const];
  expect(outcome(verifier, { headers })).toBe(`${code}doubled`);
});

test.each(ODD_TIMESTAMPS)('refuses the timestamp %j even if it is signed', (timestamp) => {
  const changes = { 'x-neo-timestamp': timestamp, 'x-neo-signature': sign(timestamp) };
  expect(sent(changes)).toBe('neo:timestamp-malformed');
});

test('limits the age in both directions', () => {
  expect(sent({}, RECEIVED_AT + 5 * MINUTE)).toBe('passed');
  expect(sent({}, RECEIVED_AT + 5 * MINUTE + 1)).toBe('neo:timestamp-old');
  expect(sent({}, RECEIVED_AT - 5 * MINUTE - 1)).toBe('neo:timestamp-new');
  for (const [timestamp, code] of [
    ['99999999999', 'neo:timestamp-new'],
    ['100000000000', 'neo:timestamp-old'],
  ] as const) {
    expect(sent({ 'x-neo-timestamp': timestamp, 'x-neo-signature': sign(timestamp) })).toBe(code);
  }
});
