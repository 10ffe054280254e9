import { type ApiError, describeApiError } from '../../capillary/api/api-errors.ts';
import type { CheckProblem } from '../reconciliation-report.ts';

/** Why a run ended before it was complete; the next one goes on there. */
export class RunEnded extends Error {
  override name = 'RunEnded';
  readonly problem: CheckProblem;

  constructor(problem: CheckProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const FIXES: Partial<Readonly<Record<ApiError['kind'], string>>> = {
  forbidden:
    'in Capillary, give the access group of the API client Read on Webhooks (InTouch: Organization Settings > Tools > Authentication)',
  unauthorized: 'compare api.key, api.secret and the cluster in api.url with the API client in Capillary',
  network: 'compare api.url with your cluster, and check the proxy between this machine and Capillary',
  foreign: 'compare api.url with your cluster, and check the proxy between this machine and Capillary',
  throttled: 'lower api.callsPerMinute if this lasts; the next run goes on where this one ended',
};

/** The code is the kind of the error. */
export function problemOf(error: ApiError): CheckProblem {
  const fix = FIXES[error.kind];
  return { code: error.kind, detail: describeApiError(error), ...(fix === undefined ? {} : { fix }) };
}
