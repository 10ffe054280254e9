import { expect, it } from 'vitest';
import { withoutSecrets } from '../../src/http/api-client.ts';
import type { OutboundResult } from '../../src/http/outbound.ts';

function answered(body: string): OutboundResult {
  return { kind: 'response', status: 400, headers: {}, body, truncated: false, durationMs: 1 };
}

it.each([
  ['as it was sent', 'token=s3cret"of/acme; s3cret"of/acme', 'token=[secret]; [secret]'],
  ['in a JSON text', '{"message":"no s3cret\\"of/acme"}', '{"message":"no [secret]"}'],
])('takes a secret out of an answer that echoes it %s', (_, body, expected) => {
  expect(withoutSecrets(answered(body), ['s3cret"of/acme', 'no'])).toMatchObject({ body: expected });
});
