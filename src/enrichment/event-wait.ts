import type { Enrichment, EnrichRequest, MissingReason } from '../capillary/enricher.ts';
import type { Entities, FetchedBill, FetchedCustomer } from '../capillary/entities.ts';

/** What is collected for one event. */
export interface Collected {
  customer?: FetchedCustomer;
  bill?: FetchedBill;
  missing: { customer?: MissingReason; bill?: MissingReason };
  /** `X-CAP-REQUEST-ID` of the calls on whose answers something is missing. */
  requestIds: { customer?: string; bill?: string };
}

export type Part = 'customer' | 'bill';

/** ms until a refresh can help. */
const RETRY_IN_MS: Readonly<Record<MissingReason, number>> = {
  budget: 60_000,
  timeout: 60_000,
  // No refresh starts while the API is away.
  unavailable: 5_000,
  unknown: 600_000,
  forbidden: 600_000,
};
/** What Capillary still does not know when it is asked again is asked for seldom. */
const UNKNOWN_AGAIN_MS = 3_600_000;

function retryIn(reason: MissingReason, purpose: EnrichRequest['purpose']): number {
  return reason === 'unknown' && purpose === 'refresh' ? UNKNOWN_AGAIN_MS : RETRY_IN_MS[reason];
}

/** Nothing of an erased customer may be stored or sent, the bill neither. */
export function enrichmentOf(
  { customer, bill, missing, requestIds }: Collected,
  { stored, purpose }: Pick<EnrichRequest, 'stored' | 'purpose'>,
): Enrichment {
  if (customer?.kind === 'erased') return { entities: { customer } };
  const entities: Entities = {
    ...stored,
    ...(customer === undefined ? {} : { customer }),
    ...(bill === undefined ? {} : { bill }),
  };
  const reasons = Object.values(missing);
  if (reasons.length === 0) return { entities };
  const delays = reasons.map((reason) => retryIn(reason, purpose));
  const ids = Object.keys(requestIds).length === 0 ? {} : { requestIds };
  return { entities, missing: { ...missing, ...ids, retryIn: Math.max(...delays) } };
}
