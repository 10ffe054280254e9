import type { Enrichment } from '../capillary/enricher.ts';
import type { Entities } from '../capillary/entities.ts';
import type { ClaimedEvent, SettledEnrichment, Settlement, StoredEnrichment } from '../journal/journal.ts';
import { refreshDelay } from './refresh-delay.ts';

/** A claimed event's entities, where they come from, and what of them is missing. */
export interface Enriched {
  readonly entities: Entities;
  readonly missing?: Enrichment['missing'];
  /** What was stored with the event before. */
  readonly stored: Entities;
  /** Of an event that is pending because of a refresh: what is to be fetched. */
  readonly refresh?: StoredEnrichment['refresh'];
  /** ms that the event waited for it. */
  readonly waitedMs: number;
}

/** Whether the event was sent without the lines of its bill, which are known now. */
export function isCorrection({ entities, refresh }: Enriched): boolean {
  return refresh?.bill === true && entities.bill !== undefined;
}

/** Fetched for this claim, or for an earlier one of the same delivery of the event. */
function isNew(
  { entities, stored, refresh }: Enriched,
  part: 'customer' | 'bill',
  isReplay: boolean,
): boolean {
  if (entities[part] === undefined) return false;
  // What a replay finds in the journal can be older than what others are to be refreshed with.
  return !isReplay || refresh?.[part] === true || stored[part] === undefined;
}

function entitiesToStore({ entities, stored }: Enriched): { readonly entities?: string } {
  const isStored = (part: 'customer' | 'bill'): boolean =>
    entities[part] === undefined || entities[part].at === stored[part]?.at;
  return isStored('customer') && isStored('bill') ? {} : { entities: JSON.stringify(entities) };
}

/** When what is missing is asked for again, or that it is not any more. */
function missingOf({ missing, refresh }: Enriched): Pick<SettledEnrichment, 'missing' | 'abandoned'> {
  if (missing === undefined) return {};
  const parts = { customer: missing.customer !== undefined, bill: missing.bill !== undefined };
  const dueIn = refreshDelay(missing.retryIn, refresh === undefined ? 0 : refresh.attempts + 1);
  return dueIn === undefined ? { abandoned: parts } : { missing: { ...parts, dueIn } };
}

/**
 * Adds to a settlement what was fetched for its event, and, once the event is delivered, what is
 * still to be fetched. Nothing of an erased customer is stored.
 */
export function withEnrichment(
  settlement: Settlement,
  enriched: Enriched,
  { isReplay }: Pick<ClaimedEvent, 'isReplay'>,
): Settlement {
  if (settlement.erase !== undefined || settlement.eraseOwn === true) return settlement;
  const entities = entitiesToStore(enriched);
  if (settlement.state !== 'delivered')
    return entities.entities === undefined ? settlement : { ...settlement, enrichment: entities };
  const refreshed = {
    customer: isNew(enriched, 'customer', isReplay),
    bill: isNew(enriched, 'bill', isReplay),
  };
  const enrichment = {
    ...entities,
    ...missingOf(enriched),
    ...(refreshed.customer || refreshed.bill ? { refreshed } : {}),
  };
  return Object.keys(enrichment).length === 0 ? settlement : { ...settlement, enrichment };
}
