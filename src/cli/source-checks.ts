import type { SourceCheck } from '../config/draft.ts';
import { checkOverrides } from '../mapping/overrides.ts';
import { checkVerifiers } from '../sources/check-verifier.ts';

/** The checks of a configuration that the folders which use it contribute. */
export const SOURCE_CHECKS: readonly SourceCheck[] = [checkVerifiers, checkOverrides];
