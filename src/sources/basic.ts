import type { VerifierConfig } from '../config/source.ts';
import { readAuthorization } from './authorization.ts';
import { createMatcher } from './constant-time.ts';
import { usableSecrets } from './secret-texts.ts';
import { decodeBase64 } from './strict-encoding.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

const COLON = 0x3a;

/** `Authorization: Basic …` (RFC 7617) with one username and one of several passwords, compared as UTF-8 bytes. */
export function createBasicVerifier(config: Extract<VerifierConfig, { type: 'basic' }>): Verifier {
  const matchesUser = createMatcher([config.username]);
  const matchesPassword = createMatcher(usableSecrets(config.passwords));
  return {
    name: 'basic',
    verify(request) {
      const authorization = readAuthorization(request, 'basic');
      if (!authorization.ok) {
        return refused('basic', authorization.problem);
      }
      const pair = decodeBase64(authorization.credentials);
      const colon = pair?.indexOf(COLON) ?? -1;
      if (pair === undefined || colon < 0) {
        return refused('basic', 'bad-encoding');
      }
      // Both always, so that the time does not tell whether the username was right.
      const isUser = matchesUser(pair.subarray(0, colon));
      const isPassword = matchesPassword(pair.subarray(colon + 1));
      return isUser && isPassword ? PASSED : refused('basic', 'mismatch');
    },
  };
}
