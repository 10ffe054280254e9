import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VerifierConfig } from '../../src/config/source-config.ts';
import { createSourceVerifier } from '../../src/sources/source-table.ts';
import { MINUTE, request } from './received-request.ts';

const HEADER: VerifierConfig = { type: 'header', name: 'X-Key', values: ['secret-a'] };
const ALL: readonly VerifierConfig[] = [
  HEADER,
  { type: 'basic', username: 'u', passwords: ['secret-b'] },
  { type: 'bearer', tokens: ['secret-c'] },
  {
    type: 'hmac',
    header: 'X-Signature',
    secrets: ['secret-d'],
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: '',
    payload: '{id}{timestamp}{body}{bodyHash}',
    timestamp: { header: 'X-Timestamp', unit: 's', tolerance: MINUTE },
    id: { header: 'X-Id' },
  },
  { type: 'standard-webhooks', secrets: ['secret-e'], tolerance: MINUTE },
  {
    type: 'neo',
    apiKey: 'k',
    secret: 'secret-f',
    signatureHeader: 'X-Neo',
    timestampHeader: 'X-Timestamp',
    algorithm: 'sha256',
    tolerance: MINUTE,
  },
];

function verifierOf(verify: readonly VerifierConfig[], allowFrom: string[] = []) {
  return createSourceVerifier({ verify: [...verify], allowFrom });
}

test('one verifier that passes is enough, and the request names it', () => {
  const given = request({ headers: [['Authorization', 'Bearer secret-c']] });
  const result = verifierOf(ALL).verify(given);
  expect(result).toMatchObject({ ok: true, request: { verifiedBy: 'bearer', ip: given.ip } });
  expect(result.ok && result.request.body).toBe(given.body);
});

test('reports why each verifier refused, without any secret', () => {
  const result = verifierOf(ALL).verify(request({ headers: [['X-Key', 'guess']] }));
  expect(result).toEqual({
    ok: false,
    reasons: [
      'header:mismatch',
      'basic:missing',
      'bearer:missing',
      'hmac:missing',
      'standard-webhooks:id-missing',
      'neo:missing',
    ],
  });
  expect(JSON.stringify(result)).not.toMatch(/guess|secret/);
});

test('none accepts every request', () => {
  expect(verifierOf([{ type: 'none' }]).verify(request())).toMatchObject({
    ok: true,
    request: { verifiedBy: 'none' },
  });
});

test('a source without verifiers accepts no request', () => {
  expect(verifierOf([]).verify(request())).toEqual({ ok: false, reasons: [] });
});

describe('allowFrom', () => {
  const headers = [['X-Key', 'secret-a']] as const;
  const verifier = verifierOf([HEADER], ['10.0.0.0/8']);

  test('is required in addition to the credential', () => {
    expect(verifier.verify(request({ headers, ip: '::ffff:10.0.0.1' })).ok).toBe(true);
    expect(verifier.verify(request({ headers, ip: '192.0.2.1' }))).toEqual({
      ok: false,
      reasons: ['ip-not-allowed'],
    });
    expect(verifier.verify(request({ ip: '10.0.0.1' }))).toEqual({ ok: false, reasons: ['header:missing'] });
  });

  test('applies to none too', () => {
    const none = verifierOf([{ type: 'none' }], ['10.0.0.0/8']);
    expect(none.verify(request({ ip: '192.0.2.1' })).ok).toBe(false);
    expect(none.verify(request({ ip: '10.9.9.9' })).ok).toBe(true);
  });
});

test('throws for a configuration that cannot verify anything', () => {
  expect(() => verifierOf([{ type: 'bearer', tokens: [''] }])).toThrow(
    /verify: bearer: needs a non-empty secret/,
  );
});

test('no request from an unauthenticated sender makes it throw or pass', () => {
  const verifier = verifierOf(ALL);
  const restricted = verifierOf([{ type: 'none' }], ['10.0.0.0/8']);
  const names = [
    'x-key',
    'authorization',
    'x-signature',
    'x-timestamp',
    'x-id',
    'x-neo',
    'webhook-signature',
  ];
  const name = fc.oneof(fc.constantFrom(...names, 'webhook-id', 'webhook-timestamp'), fc.string());
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'Basic ', 'Bearer ', 'Basic Og==', '1790848800', 'Infinity', 'v1,', 'a'.repeat(64)),
    fc.base64String().map((text) => `Basic ${text}`),
    fc.base64String({ minLength: 44, maxLength: 44 }).map((text) => `v1,${text}`),
  );
  const headers = fc.array(fc.tuple(name, value));
  fc.assert(
    fc.property(headers, fc.uint8Array(), fc.string(), fc.double(), (given, body, ip, receivedAt) => {
      const received = request({ headers: given, body: Buffer.from(body), ip, receivedAt });
      expect(verifier.verify(received).ok).toBe(false);
      expect(restricted.verify(received).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test('a raw header list of odd length does not make it throw', () => {
  const verifier = verifierOf([HEADER]);
  expect(verifier.verify({ ...request(), rawHeaders: ['X-Key'] }).ok).toBe(false);
  expect(verifier.verify({ ...request(), rawHeaders: [] }).ok).toBe(false);
});
