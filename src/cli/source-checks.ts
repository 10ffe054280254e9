import type { SourceCheck } from '../config/draft.ts';
import { checkCountry } from '../mapping/check-country.ts';
import { checkOverrides } from '../mapping/overrides.ts';
import { checkVerifiers } from '../sources/check-verifier.ts';
import { checkWebhook } from '../sources/webhook-header.ts';

/** Checks of the configuration, contributed by the folders that use the checked values. */
export const SOURCE_CHECKS: readonly SourceCheck[] = [
  checkVerifiers,
  checkWebhook,
  checkOverrides,
  checkCountry,
];
