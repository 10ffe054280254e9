import { shortId } from '../capillary/event-id.ts';
import type { EventFilter } from './event-log.ts';
import { kindsOf } from './message-kinds.ts';
import type { EventState, StoredEvent } from './stored-event.ts';

/** An event without the type brand that only this file adds. */
type UnbrandedEvent = { readonly [Key in Extract<keyof StoredEvent, string>]: StoredEvent[Key] };

/** The columns of an event that every engine stores in the same form. */
export interface EventColumns {
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  /** Null once it is forgotten. */
  readonly identity: Uint8Array | null;
  readonly lane: string | null;
  /** The original lane, if an alias maps it to `lane`. */
  readonly own_lane: string | null;
  readonly customer_id: string | null;
  readonly org_id: number;
  readonly event_name: string;
  readonly event_id: string | null;
  readonly created_at: number | null;
  readonly received_at: number;
  readonly verified_by: string;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly settled_at: number | null;
  readonly due_at: number;
  readonly failures: number;
  readonly charged: number;
  /** See `bitsOf`. */
  readonly delivered: number;
  readonly id_suffix: string;
  readonly replays: number;
  readonly body_bytes: number;
  readonly traceparent: string | null;
}

/** The columns that a field of a filter equals. */
export const EQUAL_COLUMNS = [
  ['source', 'source'],
  ['destination', 'destination'],
  ['eventName', 'event_name'],
  ['reason', 'reason'],
  ['customerId', 'customer_id'],
] as const satisfies readonly (readonly [keyof EventFilter, keyof EventColumns])[];

/** The only place where a StoredEvent is created. */
export function storedEventOf(row: EventColumns, state: EventState, isReplay: boolean): StoredEvent {
  return {
    receipt: row.receipt,
    source: row.source,
    destination: row.destination,
    identity: row.identity === null ? '' : Buffer.from(row.identity).toString('hex'),
    lane: row.lane ?? undefined,
    ownLane: row.own_lane ?? undefined,
    customerId: row.customer_id ?? undefined,
    orgId: row.org_id,
    eventName: row.event_name,
    // An earlier version stored ids of any length.
    eventId: row.event_id === null ? undefined : shortId(row.event_id),
    createdAt: row.created_at ?? undefined,
    receivedAt: row.received_at,
    verifiedBy: row.verified_by,
    state,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    settledAt: row.settled_at ?? undefined,
    dueAt: row.due_at,
    failedAttempts: row.failures,
    ownFaultCount: row.charged,
    delivered: kindsOf(row.delivered),
    idSuffix: row.id_suffix,
    replays: row.replays,
    isReplay,
    bodyBytes: row.body_bytes,
    traceparent: row.traceparent ?? undefined,
  } satisfies UnbrandedEvent as unknown as StoredEvent;
}
