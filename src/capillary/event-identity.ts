import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { CapillaryEvent } from './event.ts';

export { laneOf } from './identifiers.ts';

/** What makes an event the same event again. */
export type IdentityFields = Pick<
  CapillaryEvent,
  'orgId' | 'eventName' | 'eventId' | 'refId' | 'apiRequestId' | 'createdAt' | 'data' | 'isSample'
>;

/**
 * The identity of an event: 64 hex, the same for each resend and in each envelope. Organisation and name are part of it because
 * ids of different events do coincide (reference: capillary.md §2.4).
 */
export function identityOf(event: IdentityFields): string {
  return sha256(JSON.stringify([event.orgId, event.eventName, keyOf(event)]));
}

/** Samples all carry one constant eventId (reference: capillary.md §2.4): their content tells them apart. */
function keyOf(event: IdentityFields): string {
  return event.eventId === undefined || event.isSample ? `sha256:${contentHash(event)}` : event.eventId;
}

function contentHash(event: IdentityFields): string {
  const { orgId, eventName, refId = null, apiRequestId = null, createdAt = null, data } = event;
  return sha256(canonicalJson({ orgId, eventName, refId, apiRequestId, createdAt, data }));
}

function sha256(text: string): string {
  return hash('sha256', text);
}
