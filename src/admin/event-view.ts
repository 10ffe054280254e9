import type { StoredEvent } from '../journal/journal.ts';
import { isoTime } from './iso-time.ts';

/** An event as the lists show it: all that is known but its content. A malformed body has no event's fields. */
export function eventView(event: StoredEvent) {
  return {
    receipt: event.receipt,
    source: event.source,
    destination: event.destination,
    state: event.state,
    reason: event.reason,
    detail: event.detail,
    ...(event.state === 'malformed' ? {} : identityView(event)),
    receivedAt: isoTime(event.receivedAt),
    verifiedBy: event.verifiedBy,
    settledAt: isoTime(event.settledAt),
    dueAt: event.state === 'pending' ? isoTime(event.dueAt) : undefined,
    failures: event.failures,
    charged: event.charged,
    delivered: event.delivered,
    replays: event.replays,
    isReplay: event.isReplay ? true : undefined,
    bodyBytes: event.bodyBytes,
  };
}

function identityView(event: StoredEvent) {
  return {
    eventName: event.eventName,
    eventId: event.eventId,
    orgId: event.orgId,
    customerId: event.customerId,
    identity: event.identity,
    lane: event.lane,
    createdAt: isoTime(event.createdAt),
  };
}
