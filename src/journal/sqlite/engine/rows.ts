import { shortId } from '../../../capillary/event-id.ts';
import type { MessageKind, StoredEvent } from '../../journal.ts';
import type { Engine } from './engine.ts';
import type { EventRow, QueueRow } from './event-row.ts';

export type { EventRow, QueueRow } from './event-row.ts';

/** An event without the type brand that only this file adds. */
type UnbrandedEvent = { readonly [Key in Extract<keyof StoredEvent, string>]: StoredEvent[Key] };

const KIND_BITS: Readonly<Record<MessageKind, number>> = { event: 1, profile: 2 };
const KINDS: readonly MessageKind[] = ['event', 'profile'];

/** The stored form of a set of message kinds. */
export function bitsOf(kinds: readonly MessageKind[]): number {
  return kinds.reduce((bits, kind) => bits | KIND_BITS[kind], 0);
}

function kindsOf(bits: number): MessageKind[] {
  return KINDS.filter((kind) => (bits & KIND_BITS[kind]) !== 0);
}

export function rowOfReceipt({ db }: Engine, receipt: string): EventRow | undefined {
  return db.one('SELECT * FROM events WHERE receipt = ?', receipt) as EventRow | undefined;
}

export function queueRowOfReceipt({ db }: Engine, receipt: string): QueueRow | undefined {
  return db.one(
    `SELECT seq, source, destination, lane, state, head, replay, due_at FROM events
     WHERE receipt = ?`,
    receipt,
  ) as QueueRow | undefined;
}

export function rowOfSeq({ db }: Engine, seq: number): EventRow | undefined {
  return db.oneWide('SELECT * FROM events WHERE seq = ?', seq) as EventRow | undefined;
}

/** The only place where a StoredEvent is created. */
export function toStoredEvent(row: EventRow): StoredEvent {
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
    state: row.state,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    settledAt: row.settled_at ?? undefined,
    dueAt: row.due_at,
    failedAttempts: row.failures,
    ownFaultCount: row.charged,
    delivered: kindsOf(row.delivered),
    idSuffix: row.id_suffix,
    replays: row.replays,
    isReplay: row.replay === 1,
    bodyBytes: row.body_bytes,
    traceparent: row.traceparent ?? undefined,
  } satisfies UnbrandedEvent as unknown as StoredEvent;
}
