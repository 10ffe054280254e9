import { createHash, createHmac } from 'node:crypto';
import type { VerifierConfig } from '../config/source.ts';
import { matchesAny } from './constant-time.ts';
import { signatureOf } from './hash-algorithm.ts';
import { type HmacClaims, readHmacClaims } from './hmac-claims.ts';
import { usableSecrets } from './secret-texts.ts';
import { hasPlaceholder, parseTemplate, updateWith } from './signed-payload.ts';
import { ageProblem } from './signed-timestamp.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

type HmacConfig = Extract<VerifierConfig, { type: 'hmac' }>;
type Claims = Extract<HmacClaims, { ok: true }>;

/**
 * An HMAC over the raw body and, when the template says so, a timestamp and an id. Capillary documents none (reference:
 * capillary.md §1.1); this is for gateways in between that sign.
 */
export function createHmacVerifier(config: HmacConfig): Verifier {
  const sign = createSigner(config);
  return {
    name: `hmac:${config.header.toLowerCase()}`,
    verify(request) {
      const claims = readHmacClaims(request, config);
      if (!claims.ok) {
        return refused('hmac', claims.problem);
      }
      if (!matchesAny(claims.signature, sign(request.body, claims))) {
        return refused('hmac', 'bad-signature');
      }
      // After the signature, so that `timestamp-old` in a log means a genuine message that came late or again.
      const tolerance = config.timestamp?.tolerance ?? 0;
      const age =
        claims.sentAt === undefined ? undefined : ageProblem(claims.sentAt, request.receivedAt, tolerance);
      return age === undefined ? PASSED : refused('hmac', age);
    },
  };
}

/** Gives the right signature for each secret. */
function createSigner(config: HmacConfig): (body: Uint8Array, claims: Claims) => readonly Buffer[] {
  const parts = parseTemplate(config.payload);
  const secrets = usableSecrets(config.secrets);
  const hashOf = (body: Uint8Array): string =>
    createHash(config.algorithm).update(body).digest(config.encoding);
  const bodyHash = hasPlaceholder(parts, 'bodyHash') ? hashOf : () => '';
  return (body, claims) => {
    const values = {
      body,
      bodyHash: bodyHash(body),
      timestamp: claims.timestamp,
      // Node reads header bytes as Latin-1; this gives back the bytes that were signed.
      id: Buffer.from(claims.id, 'latin1'),
    };
    return secrets.map((secret) =>
      signatureOf(updateWith(createHmac(config.algorithm, secret), parts, values)),
    );
  };
}
