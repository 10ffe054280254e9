import type { VerifierConfig } from '../config/source.ts';
import { DIGEST_LENGTH } from './hash-algorithm.ts';
import { readTimestamp } from './signed-timestamp.ts';
import { singleHeader } from './single-header.ts';
import { decodeSignature } from './strict-encoding.ts';
import type { ReceivedRequest } from './verifier.ts';

/** What the headers of a signed request say, read but not yet proven; or what is wrong with them. */
export type HmacClaims =
  | {
      readonly ok: true;
      readonly signature: Buffer;
      /** As it was signed; empty when the configuration asks for none. */
      readonly timestamp: string;
      /** Epoch milliseconds of it. */
      readonly sentAt?: number;
      /** As it was signed; empty when the configuration asks for none. */
      readonly id: string;
    }
  | { readonly ok: false; readonly problem: string };

/** Reads the signature and, where they are configured, timestamp and id. */
export function readHmacClaims(
  request: ReceivedRequest,
  config: Extract<VerifierConfig, { type: 'hmac' }>,
): HmacClaims {
  const header = singleHeader(request, config.header);
  if (!header.ok) {
    return header;
  }
  if (!header.value.startsWith(config.prefix)) {
    return { ok: false, problem: 'bad-prefix' };
  }
  const text = header.value.slice(config.prefix.length);
  const signature = decodeSignature(text, config.encoding, DIGEST_LENGTH[config.algorithm]);
  if (signature === undefined) {
    return { ok: false, problem: 'bad-encoding' };
  }
  const timestamp =
    config.timestamp && readTimestamp(request, config.timestamp.header, config.timestamp.unit);
  if (timestamp?.ok === false) {
    return timestamp;
  }
  const id = config.id && singleHeader(request, config.id.header);
  if (id?.ok === false || id?.value === '') {
    return { ok: false, problem: `id-${id.ok ? 'missing' : id.problem}` };
  }
  return {
    ok: true,
    signature,
    timestamp: timestamp?.text ?? '',
    sentAt: timestamp?.at,
    id: id?.value ?? '',
  };
}
