import { verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { SigningKeys } from './signing-keys.ts';

/** `unavailable`: no key could be read, so that nobody knows. */
export type SignatureCheck = 'verified' | 'wrong' | 'unavailable';

/** Two signatures by two keys, so that Adobe can replace one of them. */
const PAIRS = [
  ['x-adobe-digital-signature-1', 'x-adobe-public-key1-path'],
  ['x-adobe-digital-signature-2', 'x-adobe-public-key2-path'],
] as const;

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Whether Adobe has signed these bytes: one of the two signatures is enough.
 * Source: docs/platforms/adobe.md#notifications
 */
export async function checkSignature(
  { body, headers }: { readonly body: Buffer; readonly headers: IncomingHttpHeaders },
  keys: Pick<SigningKeys, 'get'>,
): Promise<SignatureCheck> {
  let isUnavailable = false;
  for (const [signatureHeader, pathHeader] of PAIRS) {
    const signature = textOf(headers[signatureHeader]);
    const path = textOf(headers[pathHeader]);
    if (signature === undefined || path === undefined) continue;
    const key = await keys.get(path);
    if (key === 'unavailable') isUnavailable = true;
    else if (key !== 'unknown' && verify('RSA-SHA256', body, key, Buffer.from(signature, 'base64')))
      return 'verified';
  }
  return isUnavailable ? 'unavailable' : 'wrong';
}
