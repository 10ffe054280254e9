import { describe, expect, it } from 'vitest';
import { type VerifierConfig, verifierSchema } from '../../../src/config/verifier-config.ts';
import { signRequest } from '../../../src/simulator/capillary/request-signature.ts';
import { createSourceVerifier } from '../../../src/sources/source-table.ts';

const BODY = '{"eventName":"pointsIssued","note":"café"}';
const NOW = 1_767_225_600_123;
const ID = 'msg-7';

const hmac = { type: 'hmac', header: 'X-Signature', secrets: ['kettle-secret'] };

/** The expected values were computed with a library of another language. */
const VECTORS: [string, unknown, Record<string, string>][] = [
  ['header', { type: 'header', name: 'X-Kettle', values: ['whistle', 'older'] }, { 'X-Kettle': 'whistle' }],
  [
    'basic',
    { type: 'basic', username: 'capillary', passwords: ['pä:ss'] },
    { authorization: 'Basic Y2FwaWxsYXJ5OnDDpDpzcw==' },
  ],
  ['bearer', { type: 'bearer', tokens: ['steam'] }, { authorization: 'Bearer steam' }],
  [
    'hmac over the body, with a prefix',
    { ...hmac, prefix: 'sha256=' },
    { 'X-Signature': 'sha256=812991537d806165a6a2b3d5576cd1f4f269e328285943542c6785aba97389c7' },
  ],
  [
    'hmac over timestamp in seconds, id and body',
    {
      ...hmac,
      algorithm: 'sha512',
      encoding: 'base64',
      payload: '{timestamp}.{id}.{body}',
      timestamp: { header: 'X-At' },
      id: { header: 'X-Id' },
    },
    {
      'X-Signature':
        'duwQrh0DLK433EfzPgs3Ovk/Ao/WVWCmtd/X7a9Qhv8nNKo2djM3qoTLwqz/njoFgfTERCxqWWL9E+z921/zYg==',
      'X-At': '1767225600',
      'X-Id': ID,
    },
  ],
  [
    'hmac over timestamp in milliseconds and the hash of the body',
    {
      ...hmac,
      algorithm: 'sha1',
      encoding: 'base64',
      payload: 'v0:{timestamp}:{bodyHash}',
      timestamp: { header: 'X-At', unit: 'ms' },
    },
    { 'X-Signature': 'eaImUTC5lk2EzonO1QbIXFtOkUc=', 'X-At': '1767225600123' },
  ],
  [
    'standard-webhooks',
    { type: 'standard-webhooks', secrets: ['whsec_YSBzaWduaW5nIGtleSBvZiBzb21lIGxlbmd0aC4uLi4='] },
    {
      'webhook-id': ID,
      'webhook-timestamp': '1767225600',
      'webhook-signature': 'v1,p2vqIqGlqXxaabRntsCB/jdKWQTMfPKmXXdUbsqBa3Q=',
    },
  ],
  [
    'neo',
    {
      type: 'neo',
      apiKey: 'neo-key',
      secret: 'neo-secret',
      signatureHeader: 'X-Neo',
      timestampHeader: 'X-Neo-At',
    },
    { 'X-Neo': 'eEkM905Y5G8P0H5XCvLsD1kiq3mum3awmyTFuduUwoY=', 'X-Neo-At': '1767225600123' },
  ],
  ['none', { type: 'none' }, {}],
];

function parse(config: unknown): VerifierConfig {
  return verifierSchema.parse(config);
}

describe('signRequest', () => {
  it.each(VECTORS)('%s', (_, config, expected) => {
    expect(signRequest(parse(config), BODY, NOW, ID)).toEqual(expected);
  });

  it.each(VECTORS)('%s is accepted by the verifier', (_, config) => {
    const verifier = createSourceVerifier({ verify: [parse(config)], allowFrom: [] });
    const signed = signRequest(parse(config), BODY, NOW);
    const pairs = Object.entries(signed).map(([name, value]): [string, string] => [
      name,
      Buffer.from(value).toString('latin1'),
    ]);
    const headers = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
    const request = {
      body: Buffer.from(BODY),
      headers,
      rawHeaders: pairs.flat(),
      ip: '127.0.0.1',
    };
    expect(verifier.verify({ ...request, receivedAt: NOW })).toMatchObject({ ok: true });
  });

  it('creates a unique id for each message', () => {
    const config = parse({ type: 'standard-webhooks', secrets: ['whsec_a2V0dGxl'] });
    const ids = [1, 2].map(() => signRequest(config, BODY, NOW)['webhook-id']);
    expect(new Set(ids).size).toBe(2);
  });
});
