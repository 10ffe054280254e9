import { describe, expect, test } from 'vitest';
import type { VerifierConfig } from '../../src/config/source-config.ts';
import { checkVerifier } from '../../src/sources/check-verifier.ts';

type HmacConfig = Extract<VerifierConfig, { type: 'hmac' }>;

function hmac(changes: Partial<HmacConfig>): HmacConfig {
  return {
    type: 'hmac',
    header: 'X-Signature',
    secrets: ['s'],
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: '',
    payload: '{body}',
    ...changes,
  };
}

const timestamp = { header: 'X-Timestamp', unit: 's', tolerance: 300_000 } as const;

describe('the payload template of an hmac verifier', () => {
  test.each([
    { payload: '{body}' },
    { payload: '{"literal":"braces"}{body}' },
    { payload: '{timestamp}.{bodyHash}', timestamp },
    { payload: '{id}{body}', id: { header: 'X-Id' } },
    { payload: '{body}', timestamp, id: { header: 'X-Id' } },
  ])('%j is accepted', (changes) => {
    expect(checkVerifier(hmac(changes))).toBeUndefined();
  });

  test.each([
    [{ payload: '{timestamp}.{body}' }, /\{timestamp\} requires/],
    [{ payload: '{id}.{body}', timestamp }, /\{id\} requires/],
    [{ payload: '{nonce}.{body}' }, /\{nonce\} is not a placeholder/],
    [{ payload: '{ timestamp }.{body}' }, /\{ timestamp \} is not a placeholder/],
    [{ payload: '{bodyhash}{body}' }, /\{bodyhash\} is not a placeholder/],
  ])('%j is refused', (changes, problem) => {
    expect(checkVerifier(hmac(changes))).toMatch(problem);
  });
});

function check(secrets: string[]): string | undefined {
  return checkVerifier({ type: 'standard-webhooks', secrets, tolerance: 300_000 });
}

test('a whsec_ secret must be base64, and the message does not contain it', () => {
  expect(check(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'plain text!'])).toBeUndefined();
  expect(check(['whsec_hunter2!'])).toMatch(/base64/);
  expect(check(['whsec_hunter2!'])).not.toMatch(/hunter2/);
  expect(check(['whsec_'])).toMatch(/base64/);
});

test.each<VerifierConfig>([
  { type: 'header', name: 'X-Key', values: ['', ' '] },
  { type: 'basic', username: 'u', passwords: [''] },
  { type: 'bearer', tokens: [] },
])('requires a secret: %j', (config) => {
  expect(checkVerifier(config)).toMatch(/needs a non-empty secret/);
});

test('none requires nothing', () => {
  expect(checkVerifier({ type: 'none' })).toBeUndefined();
});
