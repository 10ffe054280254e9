import { createHash, createHmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source.ts';
import { matchesAny } from './constant-time.ts';
import { DIGEST_LENGTH, signatureOf } from './hash-algorithm.ts';
import { usableSecrets } from './secret-texts.ts';
import { ageProblem, readTimestamp } from './signed-timestamp.ts';
import { singleHeader } from './single-header.ts';
import { decodeSignature } from './strict-encoding.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

type NeoConfig = Extract<VerifierConfig, { type: 'neo' }>;

/**
 * The HMAC block of Capillary's Neo (reference: capillary.md §1.4): base64 of an HMAC over `apiKey:timestamp:bodyHash`. Neither the
 * header names nor the timestamp's unit are prescribed there: names come from the configuration, the unit from the size.
 */
export function createNeoVerifier(config: NeoConfig): Verifier {
  const secrets = usableSecrets([config.secret]);
  return {
    name: `neo:${config.signatureHeader.toLowerCase()}`,
    verify(request) {
      const header = singleHeader(request, config.signatureHeader);
      if (!header.ok) {
        return refused('neo', header.problem);
      }
      const signature = decodeSignature(header.value, 'base64', DIGEST_LENGTH[config.algorithm]);
      if (signature === undefined) {
        return refused('neo', 'bad-encoding');
      }
      const timestamp = readTimestamp(request, config.timestampHeader, 'magnitude');
      if (!timestamp.ok) {
        return refused('neo', timestamp.problem);
      }
      const expected = secrets.map((secret) => sign(config, secret, timestamp.text, request.body));
      if (!matchesAny(signature, expected)) {
        return refused('neo', 'bad-signature');
      }
      const age = ageProblem(timestamp.at, request.receivedAt, config.tolerance);
      return age === undefined ? PASSED : refused('neo', age);
    },
  };
}

function sign(config: NeoConfig, secret: string, timestamp: string, body: Uint8Array): Buffer {
  const bodyHash = createHash(config.algorithm).update(body).digest('base64');
  return signatureOf(
    createHmac(config.algorithm, secret).update(`${config.apiKey}:${timestamp}:${bodyHash}`),
  );
}
