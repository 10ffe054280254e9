export type EventState = 'pending' | 'delivered' | 'ignored' | 'dead' | 'malformed';

/** What an event becomes at Adobe: an ExperienceEvent, a profile record, or both. */
export type MessageKind = 'event' | 'profile';

declare const stored: unique symbol;

/**
 * An event as the journal holds it. Only `journal/` makes one. A malformed body has one too, of state and reason `malformed`, with empty
 * `identity` and `eventName` and orgId 0.
 */
export interface StoredEvent {
  readonly [stored]: true;
  readonly receipt: string;
  /** Position in the order of arrival, rising; never used twice, kept by replay and promote. */
  readonly seq: number;
  readonly source: string;
  readonly destination: string;
  readonly identity: string;
  readonly lane?: string;
  /** The lane it was appended with, where an alias leads from that to `lane`: its own customer was merged into another one. */
  readonly ownLane?: string;
  readonly customerId?: string;
  readonly orgId: number;
  readonly eventName: string;
  readonly eventId?: string;
  readonly createdAt?: number;
  readonly receivedAt: number;
  readonly verifiedBy: string;
  readonly state: EventState;
  /** Stable code of why it is ignored, dead or malformed. */
  readonly reason?: string;
  /** Human sentence or Adobe's own words. */
  readonly detail?: string;
  readonly settledAt?: number;
  /** Epoch ms before which it is not claimed; of a new event its receivedAt, of a replayed one the time of the replay. */
  readonly dueAt: number;
  /** Requests it took part in that failed, whoever was at fault. */
  readonly failures: number;
  /** Failures charged to the event itself: those that bury it. */
  readonly charged: number;
  /** Messages Adobe has taken so far. */
  readonly delivered: readonly MessageKind[];
  /** Appended to `_id` after a replay as new; empty otherwise. */
  readonly idSuffix: string;
  readonly replays: number;
  /** It is pending because it was replayed, and waits among the replays. */
  readonly isReplay: boolean;
  /** Bytes of the body; the body itself may be gone by retention or erasure. */
  readonly bodyBytes: number;
  /** See NewEvent. */
  readonly traceparent?: string;
}

export interface ClaimedEvent extends StoredEvent {
  readonly body: Buffer;
  /** Assembled profile of (destination, lane), as last settled. */
  readonly profile?: string;
}
