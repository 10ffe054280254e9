import type { BudgetStatus } from './call-allowance.ts';
import type { PRIORITY } from './api-call-queue.ts';
import type { CircuitStatus } from './circuit-breaker.ts';
import type { ForbiddenEndpoint } from './forbidden-endpoints.ts';

/** How the events of a source are completed, for operators; without personal data and secrets. */
export interface EnrichmentStatus {
  readonly source: string;
  readonly circuit: CircuitStatus;
  /** Of this process. */
  readonly budget: BudgetStatus;
  /** Events that wait for an answer. */
  readonly waiting: number;
  /** Calls that are planned or wait for their turn. */
  readonly calls: Readonly<Record<keyof typeof PRIORITY, number>>;
  /**
   * Events of the last hour: `complete` (of which `cached` did not wait), or by the reason why
   * something is missing. Absent: none.
   */
  readonly lastHour: Readonly<Record<string, number>>;
  /** Calls that the access group of the API client does not allow. */
  readonly forbidden: readonly ForbiddenEndpoint[];
  /** Capillary masks names and contacts for this API client, as the last customer shows. */
  readonly isMasked: boolean;
}
