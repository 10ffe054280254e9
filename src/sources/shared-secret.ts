import type { VerifierConfig } from '../config/source-config.ts';
import { readAuthorization, singleHeader } from './request-headers.ts';
import { createHeaderMatcher, createIndexMatcher, createMatcher, usableSecrets } from './secret-matching.ts';
import { decodeBase64 } from './signature.ts';
import { PASSED, passedWith, refuse, type Verifier } from './verifier.ts';

const COLON = 0x3a;

/** As they are compared, each once. */
function headerSecrets(secrets: readonly string[]): readonly string[] {
  return [...new Set(usableSecrets(secrets).map((secret) => secret.trim()))];
}

/**
 * A fixed header with a secret value, the only authentication that Capillary itself offers
 * (docs/platforms/capillary.md#static-header). Several values, so that a secret can be rotated
 * without a gap.
 */
export function createHeaderVerifier(config: Extract<VerifierConfig, { type: 'header' }>): Verifier {
  const matched = createHeaderMatcher(config.values);
  return {
    name: `header:${config.name.toLowerCase()}`,
    coversBody: false,
    secrets: headerSecrets(config.values),
    verify(request) {
      const header = singleHeader(request, config.name);
      if (!header.ok) {
        return refuse('header', header.problem);
      }
      const secret = matched(header.value);
      return secret === undefined ? refuse('header', 'mismatch') : passedWith(secret);
    },
  };
}

/**
 * `Authorization: Basic …` (RFC 7617) with one username and one of several passwords, compared as
 * UTF-8 bytes.
 */
export function createBasicVerifier(config: Extract<VerifierConfig, { type: 'basic' }>): Verifier {
  const matchesUser = createMatcher([config.username]);
  const passwords = usableSecrets(config.passwords);
  const passwordIndex = createIndexMatcher(passwords);
  const pairs = passwords.map((password) => `${config.username}:${password}`);
  return {
    name: 'basic',
    coversBody: false,
    secrets: [...new Set(pairs)],
    verify(request) {
      const authorization = readAuthorization(request, 'basic');
      if (!authorization.ok) {
        return refuse('basic', authorization.problem);
      }
      const pair = decodeBase64(authorization.credentials);
      const colon = pair?.indexOf(COLON) ?? -1;
      if (pair === undefined || colon < 0) {
        return refuse('basic', 'bad-encoding');
      }
      // Always compare both, so that the time does not show whether the username was correct.
      const isUser = matchesUser(pair.subarray(0, colon));
      const secret = pairs[passwordIndex(pair.subarray(colon + 1))];
      return isUser && secret !== undefined ? passedWith(secret) : refuse('basic', 'mismatch');
    },
  };
}

/** `Authorization: Bearer <token>` with one of several tokens. */
export function createBearerVerifier(config: Extract<VerifierConfig, { type: 'bearer' }>): Verifier {
  const matched = createHeaderMatcher(config.tokens);
  return {
    name: 'bearer',
    coversBody: false,
    secrets: headerSecrets(config.tokens),
    verify(request) {
      const authorization = readAuthorization(request, 'bearer');
      if (!authorization.ok) {
        return refuse('bearer', authorization.problem);
      }
      const secret = matched(authorization.credentials);
      return secret === undefined ? refuse('bearer', 'mismatch') : passedWith(secret);
    },
  };
}

/** Accepts every sender, for a source that is protected by other means. Never a default. */
export function createNoneVerifier(): Verifier {
  return { name: 'none', coversBody: false, secrets: [], verify: () => PASSED };
}
