import type { VerifierConfig } from '../config/source.ts';
import { readAuthorization } from './authorization.ts';
import { createMatcher } from './constant-time.ts';
import { headerForms } from './secret-texts.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** `Authorization: Bearer <token>` with one of several tokens. */
export function createBearerVerifier(config: Extract<VerifierConfig, { type: 'bearer' }>): Verifier {
  const matches = createMatcher(headerForms(config.tokens));
  return {
    name: 'bearer',
    verify(request) {
      const authorization = readAuthorization(request, 'bearer');
      if (!authorization.ok) {
        return refused('bearer', authorization.problem);
      }
      return matches(authorization.credentials) ? PASSED : refused('bearer', 'mismatch');
    },
  };
}
