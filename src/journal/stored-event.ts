export type EventState = 'pending' | 'delivered' | 'ignored' | 'dead' | 'malformed';

/** What an event becomes at Adobe: an ExperienceEvent, a profile record, or both. */
export type MessageKind = 'event' | 'profile';

declare const stored: unique symbol;

/**
 * An event as the journal stores it. Only `journal/` can create one. A malformed body is also
 * represented as one, with state and reason `malformed`, empty `identity` and `eventName`, and
 * `orgId` 0.
 */
export interface StoredEvent {
  readonly [stored]: true;
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  readonly identity: string;
  readonly lane?: string;
  /** The event's original lane, if an alias now maps it to `lane` because customers were merged. */
  readonly ownLane?: string;
  readonly customerId?: string;
  readonly orgId: number;
  readonly eventName: string;
  readonly eventId?: string;
  readonly createdAt?: number;
  readonly receivedAt: number;
  readonly verifiedBy: string;
  readonly state: EventState;
  /** Stable code that says why the event is ignored, dead or malformed. */
  readonly reason?: string;
  /** A sentence for humans, or Adobe's own error text. */
  readonly detail?: string;
  readonly settledAt?: number;
  /**
   * Epoch ms before which the event is not claimed: its `receivedAt` when new, the time of the
   * replay when replayed.
   */
  readonly dueAt: number;
  /** Failed requests that the event was part of, whatever caused the failure. */
  readonly failedAttempts: number;
  /** Failures caused by the event itself; only these can make it a dead letter. */
  readonly ownFaultCount: number;
  /** Messages that Adobe has accepted so far. */
  readonly delivered: readonly MessageKind[];
  /** Appended to `_id` after a replay as new; otherwise empty. */
  readonly idSuffix: string;
  readonly replays: number;
  /** True while the event is pending because of a replay; it then waits in the replay queue. */
  readonly isReplay: boolean;
  /** Size of the body, even after retention or erasure has removed the body. */
  readonly bodyBytes: number;
  /** See NewEvent. */
  readonly traceparent?: string;
}

export interface ClaimedEvent extends StoredEvent {
  readonly body: Buffer;
  /** Assembled profile of (destination, lane) as of the last settlement. */
  readonly profile?: string;
}
