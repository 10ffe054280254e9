import type { VerifierConfig } from '../config/source.ts';
import { createMatcher } from './constant-time.ts';
import { headerForms } from './secret-texts.ts';
import { singleHeader } from './single-header.ts';
import { PASSED, refused } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/**
 * A fixed header with a secret value: all that Capillary itself offers (reference: capillary.md §1.2). Several values, because it
 * has no window for rotation.
 */
export function createHeaderVerifier(config: Extract<VerifierConfig, { type: 'header' }>): Verifier {
  const matches = createMatcher(headerForms(config.values));
  return {
    name: `header:${config.name.toLowerCase()}`,
    verify(request) {
      const header = singleHeader(request, config.name);
      if (!header.ok) {
        return refused('header', header.problem);
      }
      return matches(header.value) ? PASSED : refused('header', 'mismatch');
    },
  };
}
