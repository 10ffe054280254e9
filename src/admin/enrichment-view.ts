import type { Entities, FetchedCall } from '../capillary/entities.ts';
import {
  billContents,
  type Contents,
  customerContents,
  parseEntities,
} from '../capillary/stored-entities.ts';
import type { RecordedRefresh, StoredEnrichment } from '../journal/journal.ts';

interface Read {
  readonly at: number;
  readonly calls: readonly FetchedCall[];
}

function readView({ at, calls }: Read, contents: Contents) {
  return { readAt: new Date(at).toISOString(), calls, contents };
}

function entitiesView({ customer, bill }: Entities) {
  return {
    ...(customer && {
      customer: { answer: customer.kind, ...readView(customer, customerContents(customer)) },
    }),
    ...(bill && { bill: readView(bill, billContents(bill.bill)) }),
  };
}

function refreshView({ dueAt, ...refresh }: RecordedRefresh) {
  return { ...refresh, dueAt: new Date(dueAt).toISOString() };
}

/**
 * What was read from Capillary's API for an event, and what is still to be read: calls, times and
 * numbers of values, and none of the values, which are personal data.
 * @returns undefined if nothing was, and nothing is to be
 */
export function enrichmentView(stored: StoredEnrichment | undefined, refresh: RecordedRefresh | undefined) {
  const entities = parseEntities(stored?.entities);
  if (entities === undefined && refresh === undefined) return undefined;
  return { ...(entities && entitiesView(entities)), ...(refresh && { refresh: refreshView(refresh) }) };
}
