import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64 } from './signature.ts';

const derive: (secret: string, salt: string, bytes: number) => Promise<Buffer> = promisify(scrypt);

/** 48 bits tell the few secrets of a source apart, and say little about a secret. */
const FINGERPRINT_BYTES = 6;

/**
 * What may be shown of a secret: two processes can compare secrets by it, and a slow hash (16 MiB,
 * some 40 ms) makes it expensive to try guesses against it.
 * @param scope source and verifier: the same secret elsewhere has another fingerprint
 * @returns 12 hex digits
 */
export async function secretFingerprint(
  scope: { readonly source: string; readonly verifier: string },
  secret: string,
): Promise<string> {
  const salt = `capillary-aep-relay ${scope.source} ${scope.verifier}`;
  return (await derive(secret, salt, FINGERPRINT_BYTES)).toString('hex');
}

/** What a header that Capillary sends means to one kind of verifier. */
export interface SentSecret {
  /** Name of the verifier that would read it. */
  readonly verifier: string;
  readonly secret: string;
}

/** The secrets that a static header can be for the verifiers of a source. */
export function sentSecrets(header: {
  readonly name: string;
  readonly value: string;
}): readonly SentSecret[] {
  const name = header.name.toLowerCase();
  const value = header.value.trim();
  const own = { verifier: `header:${name}`, secret: value };
  if (name !== 'authorization') return [own];
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S.*)$/.exec(value) ?? [];
  if (scheme.toLowerCase() === 'bearer') return [own, { verifier: 'bearer', secret: credentials }];
  const pair = scheme.toLowerCase() === 'basic' ? decodeBase64(credentials) : undefined;
  return pair === undefined ? [own] : [own, { verifier: 'basic', secret: pair.toString('utf8') }];
}
