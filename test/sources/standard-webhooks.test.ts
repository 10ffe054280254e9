import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createStandardWebhooksVerifier } from '../../src/sources/standard-webhooks.ts';
import {
  BODY,
  MINUTE,
  ODD_TIMESTAMPS,
  outcome,
  RECEIVED_AT,
  SENT_AT_SECONDS,
  TAMPERED,
} from './received-request.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
/**
 * `openssl dgst -sha256 -mac HMAC -macopt hexkey:<decoded secret>` over `msg_1.1790848800.` and
 * BODY, in base64.
 */
const SIGNATURE = 'v1,yRXzGu9meBA3g/D2jKz7empp96lVzhfp1Zu8KUQ7S9o=';
/** The same with the key `plain secret`. */
const PLAIN_SIGNATURE = 'v1,QXXDBNL1/mTpNlegrsg6NWgAEn3STY1nV6ibAslXMVE=';
const SIGNED = {
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(SENT_AT_SECONDS),
  'webhook-signature': SIGNATURE,
};

function verifierOf(...secrets: string[]) {
  return createStandardWebhooksVerifier({ type: 'standard-webhooks', secrets, tolerance: 5 * MINUTE });
}

function sent(changes: Record<string, string> = {}, receivedAt = RECEIVED_AT, body: Buffer = BODY): string {
  return outcome(verifierOf('plain secret', SECRET), {
    headers: Object.entries({ ...SIGNED, ...changes }),
    receivedAt,
    body,
  });
}

test('passes the example that the authors of the scheme publish', () => {
  const headers = Object.entries({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  const body = Buffer.from('{"test": 2432232314}');
  expect(outcome(verifierOf(SECRET), { headers, body, receivedAt: 1_614_265_330_000 })).toBe('passed');
});

test('passes with each secret, base64 after whsec_ and plain text', () => {
  expect(sent()).toBe('passed');
  expect(sent({ 'webhook-signature': PLAIN_SIGNATURE })).toBe('passed');
});

test.each([
  `v1,${'A'.repeat(43)}= ${SIGNATURE}`,
  `${SIGNATURE} v1,${'A'.repeat(43)}=`,
  `v1a,abc= v2,xyz ${SIGNATURE}`,
  `v1,broken ${SIGNATURE}`,
  ` ${SIGNATURE}  `,
])('finds the valid one among several signatures: %j', (signature) => {
  expect(sent({ 'webhook-signature': signature })).toBe('passed');
});

test.each([
  ['', 'bad-encoding'],
  ['v1,', 'bad-encoding'],
  [SIGNATURE.slice(3), 'bad-encoding'],
  [SIGNATURE.replace('v1', 'v2'), 'bad-encoding'],
  [SIGNATURE.replace('v1', 'V1'), 'bad-encoding'],
  [SIGNATURE.slice(0, -1), 'bad-encoding'],
  [SIGNATURE.replace(',', ', '), 'bad-encoding'],
  [`v1,${Buffer.from(SIGNATURE.slice(3), 'base64').toString('hex')}`, 'bad-encoding'],
  [`v1,${'A'.repeat(43)}=`, 'bad-signature'],
])('refuses the signature %j', (signature, code) => {
  expect(sent({ 'webhook-signature': signature })).toBe(`standard-webhooks:${code}`);
});

test.each(TAMPERED)('refuses a changed body (%#)', (body) => {
  expect(sent({}, RECEIVED_AT, body)).toBe('standard-webhooks:bad-signature');
});

test('refuses a different id or timestamp', () => {
  expect(sent({ 'webhook-id': 'msg_2' })).toBe('standard-webhooks:bad-signature');
  expect(sent({ 'webhook-id': '' })).toBe('standard-webhooks:id-missing');
  expect(sent({ 'webhook-timestamp': String(SENT_AT_SECONDS + 1) })).toBe('standard-webhooks:bad-signature');
});

test.each([
  ['webhook-id', 'id-'],
  ['webhook-timestamp', 'timestamp-'],
  ['webhook-signature', ''],
] as const)('refuses a missing and a duplicate %s', (name, code) => {
  const { [name]: value, ...others } = SIGNED;
  const verifier = verifierOf(SECRET);
  expect(outcome(verifier, { headers: Object.entries(others) })).toBe(`standard-webhooks:${code}missing`);
  const headers = [...Object.entries(SIGNED), [name.toUpperCase(), value] as const];
  expect(outcome(verifier, { headers })).toBe(`standard-webhooks:${code}doubled`);
});

test('limits the age in both directions', () => {
  expect(sent({}, RECEIVED_AT + 5 * MINUTE)).toBe('passed');
  expect(sent({}, RECEIVED_AT + 5 * MINUTE + 1)).toBe('standard-webhooks:timestamp-old');
  expect(sent({}, RECEIVED_AT - 5 * MINUTE - 1)).toBe('standard-webhooks:timestamp-new');
});

test.each(ODD_TIMESTAMPS)('refuses the timestamp %j even if it is signed', (timestamp) => {
  const key = Buffer.from(SECRET.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`msg_1.${timestamp}.`).update(BODY).digest('base64');
  const changes = { 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  expect(sent(changes)).toBe('standard-webhooks:timestamp-malformed');
});

test.each(['', 'whsec_', 'whsec_*** no base64'])('the unusable secret %j never matches', (secret) => {
  for (const key of ['', secret, secret.slice(6)]) {
    const signature = createHmac('sha256', key).update('msg_1.1790848800.').update(BODY).digest('base64');
    const headers = Object.entries({ ...SIGNED, 'webhook-signature': `v1,${signature}` });
    expect(outcome(verifierOf(secret), { headers })).toBe('standard-webhooks:bad-signature');
  }
});

test('accepts a secret whose base64 has no padding', () => {
  const key = Buffer.from('a key of 22 bytes here');
  const signature = createHmac('sha256', key).update('msg_1.1790848800.').update(BODY).digest('base64');
  const headers = Object.entries({ ...SIGNED, 'webhook-signature': `v1,${signature}` });
  const padded = `whsec_${key.toString('base64')}`;
  expect(padded.endsWith('=')).toBe(true);
  expect(outcome(verifierOf(padded), { headers })).toBe('passed');
  expect(outcome(verifierOf(padded.replaceAll('=', '')), { headers })).toBe('passed');
});
