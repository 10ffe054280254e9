import { createHash, createHmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source-config.ts';
import { matchesAny, usableSecrets } from './secret-matching.ts';
import { ageProblem, decodeSignature, DIGEST_BYTES, readTimestamp, finishHmac } from './signature.ts';
import { singleHeader } from './request-headers.ts';
import { PASSED, refuse, type Verifier } from './verifier.ts';

type NeoConfig = Extract<VerifierConfig, { type: 'neo' }>;

/**
 * The HMAC block of Capillary's Neo (docs/platforms/capillary.md#neo-signature): base64 of an HMAC
 * over `apiKey:timestamp:bodyHash`. Neo prescribes neither the header names nor the timestamp's
 * unit: the names are configured, and the unit follows from the magnitude.
 */
export function createNeoVerifier(config: NeoConfig): Verifier {
  const secrets = usableSecrets([config.secret]);
  return {
    name: `neo:${config.signatureHeader.toLowerCase()}`,
    coversBody: true,
    secrets: [],
    verify(request) {
      const header = singleHeader(request, config.signatureHeader);
      if (!header.ok) {
        return refuse('neo', header.problem);
      }
      const signature = decodeSignature(header.value, 'base64', DIGEST_BYTES[config.algorithm]);
      if (signature === undefined) {
        return refuse('neo', 'bad-encoding');
      }
      const timestamp = readTimestamp(request, config.timestampHeader, 'magnitude');
      if (!timestamp.ok) {
        return refuse('neo', timestamp.problem);
      }
      const expected = secrets.map((secret) => sign(config, secret, timestamp.text, request.body));
      if (!matchesAny(signature, expected)) {
        return refuse('neo', 'bad-signature');
      }
      const age = ageProblem(timestamp.sentAt, request.receivedAt, config.tolerance);
      return age === undefined ? PASSED : refuse('neo', age);
    },
  };
}

function sign(config: NeoConfig, secret: string, timestamp: string, body: Uint8Array): Buffer {
  const bodyHash = createHash(config.algorithm).update(body).digest('base64');
  return finishHmac(createHmac(config.algorithm, secret).update(`${config.apiKey}:${timestamp}:${bodyHash}`));
}
