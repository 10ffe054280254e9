import type { SourceConfig, VerifierConfig } from '../config/source.ts';
import { createAllowFrom } from './allow-from.ts';
import { createBasicVerifier } from './basic.ts';
import { createBearerVerifier } from './bearer.ts';
import { checkVerifier } from './check-verifier.ts';
import { createHeaderVerifier } from './header.ts';
import { createHmacVerifier } from './hmac.ts';
import { createNeoVerifier } from './neo.ts';
import { createNoneVerifier } from './none.ts';
import { createStandardWebhooksVerifier } from './standard-webhooks.ts';
import { markVerified, type SourceVerifier, type Verifier } from './verifier.ts';

type Creators = {
  readonly [T in VerifierConfig['type']]: (config: Extract<VerifierConfig, { type: T }>) => Verifier;
};

const CREATORS: Creators = {
  header: createHeaderVerifier,
  basic: createBasicVerifier,
  bearer: createBearerVerifier,
  hmac: createHmacVerifier,
  'standard-webhooks': createStandardWebhooksVerifier,
  neo: createNeoVerifier,
  none: createNoneVerifier,
};

/**
 * All the ways one source proves its sender: the address must be allowed, and one of the verifiers must pass. A source without
 * verifiers takes nothing. Throws for a configuration that `checkVerifier` objects to.
 */
export function createSourceVerifier(source: Pick<SourceConfig, 'verify' | 'allowFrom'>): SourceVerifier {
  const isAllowed = createAllowFrom(source.allowFrom);
  const verifiers = source.verify.map(createVerifier);
  return {
    verify(request) {
      if (!isAllowed(request.ip)) {
        return { ok: false, reasons: ['ip-not-allowed'] };
      }
      const reasons: string[] = [];
      for (const verifier of verifiers) {
        const verdict = verifier.verify(request);
        if (verdict.ok) {
          return { ok: true, request: markVerified(request, verifier.name) };
        }
        reasons.push(verdict.code);
      }
      return { ok: false, reasons };
    },
  };
}

function createVerifier<T extends VerifierConfig['type']>(
  config: Extract<VerifierConfig, { type: T }>,
): Verifier {
  const problem = checkVerifier(config);
  if (problem !== undefined) {
    throw new Error(`verify: ${config.type}: ${problem}`);
  }
  return CREATORS[config.type](config);
}
