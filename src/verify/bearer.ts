import type { VerifierConfig } from '../config/source.ts';
import { readAuthorization } from './authorization.ts';
import { matchesAny } from './constant-time.ts';
import { headerForms } from './secret-texts.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** `Authorization: Bearer <token>` with one of several tokens. */
export function createBearerVerifier(config: Extract<VerifierConfig, { type: 'bearer' }>): Verifier {
  const expected = headerForms(config.tokens);
  return {
    name: 'bearer',
    verify(request) {
      const authorization = readAuthorization(request, 'bearer');
      if (!authorization.ok) {
        return refused('bearer', authorization.problem);
      }
      return matchesAny(authorization.credentials, expected) ? PASSED : refused('bearer', 'mismatch');
    },
  };
}
