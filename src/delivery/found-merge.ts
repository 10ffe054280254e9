import type { CapillaryEvent } from '../capillary/event.ts';
import type { FetchedCustomer } from '../capillary/entities.ts';
import { identityOf, laneOf } from '../capillary/event-identity.ts';
import type { ClaimedEvent, NewEvent } from '../journal/journal.ts';
import { MERGE_EVENT } from '../mapping/identities.ts';
import type { Enriched } from './enriched-event.ts';

/*
 * A merge that Capillary's API reported before any webhook did. The relay appends the merge event
 * that it has not received, and the rest is as for any other merge: the survivor gets what is
 * stored of the victim, both share a lane, and Adobe links both ids
 * (docs/platforms/capillary.md#merges).
 */

/** Who verified an event that the relay appended itself. */
const BY_ENRICHMENT = 'enrichment';

/** How often it is looked whether the lane of the victim has moved. */
export const MERGE_CHECK_MS = 1_000;

/** Whether an event waits until the lane of its customer is that of the survivor. */
export type FoundMerge =
  /** The merge event has to be appended first, if there is one. */
  | { readonly kind: 'expected'; readonly append?: NewEvent }
  /**
   * Its customer was not merged, its lane has moved, or it waits no longer: the survivor is not
   * known, or the merge took too long. Then nothing about the victim's profile is sent.
   */
  | { readonly kind: 'none' };

type Merged = FetchedCustomer & { readonly kind: 'merged' };

const NONE: FoundMerge = { kind: 'none' };

export function foundMerge(
  event: ClaimedEvent,
  capillary: CapillaryEvent,
  { entities: { customer }, stored }: Enriched,
  { now, maxDelay }: { readonly now: number; readonly maxDelay: number },
): FoundMerge {
  const victimId = capillary.customerId;
  if (customer?.kind !== 'merged' || event.lane === undefined || victimId === undefined) return NONE;
  if (event.ownLane !== undefined && event.ownLane !== event.lane) return NONE;
  const { into } = customer;
  if (into === undefined || into === victimId) return NONE;
  if (now - Math.max(customer.at, event.receivedAt) > maxDelay) return NONE;
  // What is stored was found by an earlier claim, which has appended the event.
  if (stored.customer !== undefined) return { kind: 'expected' };
  return { kind: 'expected', append: mergeEvent(event, { victimId, into }, customer, now) };
}

/** The merge as Capillary's webhook would have it, with an identity that is always the same. */
function mergeEvent(
  { source, destination, orgId, traceparent }: ClaimedEvent,
  { victimId, into }: { readonly victimId: string; readonly into: string },
  { at }: Merged,
  receivedAt: number,
): NewEvent {
  const eventId = `${BY_ENRICHMENT}-${laneOf(orgId, `${victimId} ${into}`).slice(0, 32)}`;
  const data = {
    survivorCustomerIdentifiers: { customerId: into },
    victimCustomerIdentifiers: { customerId: victimId },
    triggeringActivity: { name: 'customerMerge', identifiers: [], additionalAttributes: [] },
  };
  const merge = { eventName: MERGE_EVENT, eventId, orgId, createdAt: at, data };
  return {
    source,
    destination,
    orgId,
    eventName: MERGE_EVENT,
    eventId,
    createdAt: at,
    receivedAt,
    customerId: into,
    lane: laneOf(orgId, into),
    identity: identityOf({ ...merge, isSample: false }),
    verifiedBy: BY_ENRICHMENT,
    body: Buffer.from(JSON.stringify(merge)),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
