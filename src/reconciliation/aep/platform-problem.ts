import { describePlatformError, type PlatformError } from '../../adobe/platform/platform-error.ts';
import type { CheckProblem } from '../reconciliation-report.ts';

/** Why a check ended, for a call of the platform API that failed. */
export function platformProblem(error: PlatformError): CheckProblem {
  const fix = error.gap?.fix;
  const missing = error.gap === undefined ? '' : `: ${error.gap.missing}`;
  return {
    code: error.kind,
    detail: `${describePlatformError(error)}${missing}`,
    ...(fix === undefined ? {} : { fix }),
  };
}
