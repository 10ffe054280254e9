import { PASSED } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** Takes everybody: for a source that is protected by other means, said on purpose. */
export function createNoneVerifier(): Verifier {
  return { name: 'none', verify: () => PASSED };
}
