import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { VerifierConfig } from '../../src/config/source-config.ts';
import { createHmacVerifier } from '../../src/sources/hmac.ts';
import {
  BODY,
  MINUTE,
  ODD_TIMESTAMPS,
  outcome,
  RECEIVED_AT,
  SENT_AT_SECONDS,
  TAMPERED,
} from './received-request.ts';

type HmacConfig = Extract<VerifierConfig, { type: 'hmac' }>;

function config(changes: Partial<HmacConfig> = {}): HmacConfig {
  return {
    type: 'hmac',
    header: 'X-Signature',
    secrets: ['relay-secret-1', 'relay-secret-2'],
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: '',
    payload: '{body}',
    ...changes,
  };
}

/** `openssl dgst -sha256 -hmac relay-secret-1` over the bytes of BODY. */
const HEX = '54cd0b743caf628541b262177dd07e43a84b6ffe8a142704308f46084428a1a1';
const bySecondSecret = createHmac('sha256', 'relay-secret-2').update(BODY).digest('hex');

function signed(verifierConfig: HmacConfig, signature: string, body: Buffer = BODY): string {
  return outcome(createHmacVerifier(verifierConfig), { body, headers: [['x-signature', signature]] });
}

describe('the signature', () => {
  test.each([
    ['SHA-256 in hex', {}, HEX],
    ['hex in capitals', {}, HEX.toUpperCase()],
    ['the second secret', {}, bySecondSecret],
    // openssl dgst -sha1 -hmac relay-secret-1
    ['SHA-1', { algorithm: 'sha1' }, 'fc1e1d1e3bbc1ffb215f3662f13b652c49b639ac'],
    [
      // openssl dgst -sha512 -hmac relay-secret-1 -binary | base64
      'SHA-512 in base64',
      { algorithm: 'sha512', encoding: 'base64' },
      'qvmDi/HCAiu6UxJKS7WbrNv6zKvP03oL8rfulumxIIVWK6IxApkM1PdGWtYmZQJRTggMEFFrM88AxdTtxkMyXQ==',
    ],
    ['a prefix', { prefix: 'sha256=' }, `sha256=${HEX}`],
  ] satisfies [string, Partial<HmacConfig>, string][])('passes: %s', (_, changes, signature) => {
    expect(signed(config(changes), signature)).toBe('passed');
  });

  test('passes the test vector of RFC 4231, section 4.3', () => {
    const signature = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const body = Buffer.from('what do ya want for nothing?');
    expect(signed(config({ secrets: ['Jefe'] }), signature, body)).toBe('passed');
  });

  test.each(TAMPERED)('refuses a changed body (%#)', (body) => {
    expect(signed(config(), HEX, body)).toBe('hmac:bad-signature');
  });

  test('refuses the signature of an unknown secret, and of an empty one', () => {
    const other = createHmac('sha256', 'relay-secret-3').update(BODY).digest('hex');
    const empty = createHmac('sha256', '').update(BODY).digest('hex');
    expect(signed(config(), other)).toBe('hmac:bad-signature');
    expect(signed(config({ secrets: ['', 'relay-secret-1'] }), empty)).toBe('hmac:bad-signature');
    expect(signed(config({ secrets: [''] }), empty)).toBe('hmac:bad-signature');
  });

  test.each(['', HEX.slice(1), HEX.slice(2), `${HEX}00`, `0x${HEX}`, `${HEX.slice(0, -1)}g`, `${HEX}\u0000`])(
    'refuses the invalid encoding %j',
    (signature) => {
      expect(signed(config(), signature)).toBe('hmac:bad-encoding');
    },
  );

  test('refuses base64 instead of hex, and hex instead of base64', () => {
    const base64 = Buffer.from(HEX, 'hex').toString('base64');
    expect(signed(config({ encoding: 'base64' }), base64)).toBe('passed');
    expect(signed(config(), base64)).toBe('hmac:bad-encoding');
    expect(signed(config({ encoding: 'base64' }), HEX)).toBe('hmac:bad-encoding');
  });

  test('refuses base64 without padding, with spaces, with stray bits, or in the URL alphabet', () => {
    const base64 = 'VM0LdDyvYoVBsmIXfdB+Q6hLb/6KFCcEMI9GCEQooaE=';
    expect(signed(config({ encoding: 'base64' }), base64)).toBe('passed');
    const spellings = [
      base64.slice(0, -1),
      base64.replace('V', 'V '),
      base64.replace('aE=', 'aF='),
      base64.replace('+', '-').replace('/', '_'),
      `${base64}=`,
    ];
    for (const spelling of spellings) {
      expect(signed(config({ encoding: 'base64' }), spelling)).toBe('hmac:bad-encoding');
    }
  });

  test('requires the prefix if and only if one is configured', () => {
    expect(signed(config({ prefix: 'sha256=' }), HEX)).toBe('hmac:bad-prefix');
    expect(signed(config({ prefix: 'sha256=' }), `SHA256=${HEX}`)).toBe('hmac:bad-prefix');
    expect(signed(config({ prefix: 'sha256=' }), 'sha256=')).toBe('hmac:bad-encoding');
    expect(signed(config(), `sha256=${HEX}`)).toBe('hmac:bad-encoding');
  });

  test('refuses a missing and a duplicate header', () => {
    const verifier = createHmacVerifier(config());
    expect(verifier.name).toBe('hmac:x-signature');
    expect(outcome(verifier, { headers: [] })).toBe('hmac:missing');
    const headers = [
      ['X-Signature', HEX],
      ['x-signature', HEX],
    ] as const;
    expect(outcome(verifier, { headers })).toBe('hmac:doubled');
  });
});

/** Signs the template of the tests below. */
function sign(timestamp: string, id: string | Buffer = 'msg_1'): string {
  return createHmac('sha256', 'relay-secret-1')
    .update(id)
    .update(`.${timestamp}.`)
    .update(BODY)
    .digest('hex');
}

describe('timestamp and id', () => {
  const stamped = config({
    payload: '{id}.{timestamp}.{body}',
    id: { header: 'X-Id' },
    timestamp: { header: 'X-Timestamp', unit: 's', tolerance: 5 * MINUTE },
  });
  /** `openssl dgst -sha256 -hmac relay-secret-1` over `msg_1.1790848800.` and the bytes of BODY. */
  const SIGNATURE = '214e0d854ad80b5088a7a8afebd5919c38e2ed8495c0170fa75495f144eba75c';
  const SIGNED = { 'x-signature': SIGNATURE, 'x-timestamp': String(SENT_AT_SECONDS), 'x-id': 'msg_1' };

  const sent = (headers: Record<string, string>, receivedAt = RECEIVED_AT): string =>
    outcome(createHmacVerifier(stamped), { headers: Object.entries(headers), receivedAt });

  test('passes if everything is signed', () => {
    expect(sent(SIGNED)).toBe('passed');
  });

  test('verifies the raw bytes of a non-ASCII id', () => {
    const id = Buffer.from('msg_é', 'utf8');
    const signature = sign(SIGNED['x-timestamp'], id);
    expect(sent({ ...SIGNED, 'x-id': id.toString('latin1'), 'x-signature': signature })).toBe('passed');
  });

  test.each([
    [{ 'x-id': 'msg_2' }, 'hmac:bad-signature'],
    [{ 'x-timestamp': String(SENT_AT_SECONDS + 1) }, 'hmac:bad-signature'],
    [{ 'x-timestamp': `0${SENT_AT_SECONDS}` }, 'hmac:bad-signature'],
    [{ 'x-id': '' }, 'hmac:id-missing'],
  ])('refuses %j', (changes, code) => {
    expect(sent({ ...SIGNED, ...changes })).toBe(code);
  });

  test.each(['x-timestamp', 'x-id'] as const)('refuses a missing and a duplicate %s', (name) => {
    const { [name]: value, ...others } = SIGNED;
    const code = name === 'x-id' ? 'id' : 'timestamp';
    expect(sent(others)).toBe(`hmac:${code}-missing`);
    const headers = [...Object.entries(SIGNED), [name.toUpperCase(), value] as const];
    expect(outcome(createHmacVerifier(stamped), { headers })).toBe(`hmac:${code}-doubled`);
  });

  test.each(ODD_TIMESTAMPS)('refuses the timestamp %j even if it is signed', (timestamp) => {
    const signature = sign(timestamp);
    expect(sent({ ...SIGNED, 'x-timestamp': timestamp, 'x-signature': signature })).toBe(
      'hmac:timestamp-malformed',
    );
  });

  test('limits the age in both directions', () => {
    expect(sent(SIGNED, RECEIVED_AT + 5 * MINUTE)).toBe('passed');
    expect(sent(SIGNED, RECEIVED_AT + 5 * MINUTE + 1)).toBe('hmac:timestamp-old');
    expect(sent(SIGNED, RECEIVED_AT - 5 * MINUTE)).toBe('passed');
    expect(sent(SIGNED, RECEIVED_AT - 5 * MINUTE - 1)).toBe('hmac:timestamp-new');
    expect(sent(SIGNED, Number.NaN)).toBe('hmac:timestamp-old');
  });

  test('reads milliseconds only if configured to', () => {
    const inMilliseconds = config({
      ...stamped,
      timestamp: { header: 'X-Timestamp', unit: 'ms', tolerance: MINUTE },
    });
    const timestamp = String(RECEIVED_AT);
    const headers = Object.entries({ ...SIGNED, 'x-timestamp': timestamp, 'x-signature': sign(timestamp) });
    expect(outcome(createHmacVerifier(inMilliseconds), { headers })).toBe('passed');
    expect(outcome(createHmacVerifier(stamped), { headers })).toBe('hmac:timestamp-new');
    const inSeconds = Object.entries(SIGNED);
    expect(outcome(createHmacVerifier(inMilliseconds), { headers: inSeconds })).toBe('hmac:timestamp-old');
  });
});

test('hashes the body in the encoding of the signature', () => {
  const verifier = createHmacVerifier(
    config({
      encoding: 'base64',
      payload: 'POST\n{timestamp}\n{bodyHash}',
      timestamp: { header: 'X-Timestamp', unit: 's', tolerance: MINUTE },
    }),
  );
  const headers = [
    ['X-Timestamp', String(SENT_AT_SECONDS)],
    // printf 'POST\n1790848800\n<base64 of SHA-256 of BODY>' | openssl dgst -sha256 -hmac
    // relay-secret-1 -binary | base64
    ['X-Signature', 'KJgvsC/2d8A8t7SndJu4Ol0WTA3qb+VCR2YkXAWx/Bk='],
  ] as const;
  expect(outcome(verifier, { headers })).toBe('passed');
  for (const body of TAMPERED) {
    expect(outcome(verifier, { headers, body })).toBe('hmac:bad-signature');
  }
});
