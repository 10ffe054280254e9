import type { Verdict } from './verifier.ts';

/** The verdict for a proof that holds. */
export const PASSED: Verdict = { ok: true };

/** The verdict for one that does not: codes such as `hmac:bad-signature`. */
export function refused(type: string, problem: string): Verdict {
  return {
    ok: false,
    code: `${type}:${problem}`,
  };
}
