import type { ClaimedEvent, MessageKind } from './stored-event.ts';

/* Requests and answers for appending, claiming and settling events. */

/** A request that leaves the quarantine: its receipt there, and who released it when (epoch ms). */
export interface Release {
  readonly receipt: string;
  readonly by: string;
  readonly at: number;
}

export interface NewEvent {
  readonly source: string;
  readonly destination: string;
  /** 64 hex digits; see CapillaryEvent.identity. */
  readonly identity: string;
  readonly lane?: string;
  readonly customerId?: string;
  readonly orgId: number;
  readonly eventName: string;
  readonly eventId?: string;
  /** Epoch ms by Capillary's clock. */
  readonly createdAt?: number;
  /** Epoch ms by the relay's clock. */
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** The raw body as received. */
  readonly body: Uint8Array;
  /** W3C traceparent of the span that appended the event, if the process is traced. */
  readonly traceparent?: string;
  /** The event takes this receipt, unless an event has it, and its history names the release. */
  readonly released?: Release;
}

export interface Appended {
  readonly receipt: string;
  readonly duplicate: boolean;
  /**
   * Of a duplicate: whether the stored body of the first event has the same bytes. Absent if that
   * body is gone or cannot be read.
   */
  readonly sameBody?: boolean;
}

/**
 * A verified body that is not an event. Stored as a dead letter with reason `malformed` and counted
 * separately from accepted events.
 */
export interface NewMalformed {
  readonly source: string;
  readonly destination: string;
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** What is wrong, without any content of the body. */
  readonly detail: string;
  readonly body: Uint8Array;
  /** As of an event; a malformed body that has the receipt already is not stored again. */
  readonly released?: Release;
}

export interface ClaimRequest {
  readonly destination: string;
  /** Only events of these sources. Events of a source that is no longer configured stay pending. */
  readonly sources: readonly string[];
  readonly limit: number;
  /** Maximum number of replayed events; 0 for none. They only fill what other events leave free. */
  readonly replays: number;
  /**
   * Bytes. Events are added while their bodies fit within this; the first one is always returned.
   */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: number;
  /**
   * Longest wait, in ms, that the caller ever schedules. An event whose `dueAt` is further in the
   * future was scheduled before the clock was set back, so it counts as due now. Without it every
   * `dueAt` is honoured.
   */
  readonly maxWait?: number;
}

/** Events in order of `dueAt`; replayed events come after all others. */
export interface ClaimAnswer {
  readonly events: readonly ClaimedEvent[];
  /**
   * Epoch ms at which the next unclaimed event that is not a replay becomes due; at most `now` if
   * more could be claimed immediately. Events of a busy lane are not considered: listeners are
   * called when that claim ends.
   */
  readonly nextDueAt?: number;
  /** The same for replayed events, regardless of `replays`. */
  readonly nextReplayAt?: number;
}

/** One attempt to deliver one message to Adobe: a line in the event's timeline. */
export interface Attempt {
  readonly at: number;
  readonly kind: MessageKind;
  /** `delivered`, `rejected`, `retry`, `throttled`, `destination`. */
  readonly outcome: string;
  /** HTTP status of the item, or else of the response; absent when there was no response. */
  readonly status?: number;
  /** Adobe's error text or a network error code, truncated to 2 KB. */
  readonly detail?: string;
  readonly xactionId?: string;
  readonly durationMs: number;
  /** Number of messages in the request. */
  readonly batchSize: number;
}

/** A mapped message as it was sent, stored with a dead letter. */
export interface SentMessage {
  readonly kind: MessageKind;
  readonly json: string;
}

/**
 * Something that the mapping omitted or changed, stored with the settled event. A path can contain
 * key names chosen by the brand, but never a value.
 */
export interface RecordedNote {
  readonly path: string;
  readonly code: string;
}

/** The customer of lane `from` was merged into the customer of lane `to`. */
export interface LaneAlias {
  readonly from: string;
  readonly to: string;
  /** The profile of `from` that the settlement was based on; null if there was none. */
  readonly profile: string | null;
}

export type Settlement = {
  readonly receipt: string;
  readonly now: number;
  readonly attempts: readonly Attempt[];
  /** All messages delivered so far, including those of earlier attempts. */
  readonly delivered: readonly MessageKind[];
  /** Assembled profiles to write in the same step; null deletes one. */
  readonly profiles?: readonly { readonly lane: string; readonly state: string | null }[];
  /**
   * Lanes to erase in the same step because the customer was deleted. They are erased before
   * `profiles` are written. The settled event is erased too, unless it stays pending.
   */
  readonly erase?: readonly string[];
  /** Erases the content of the settled event itself, unless it stays pending. */
  readonly eraseOwn?: boolean;
  /** From now on lane `from` stands for lane `to` at the destination. Written last. */
  readonly alias?: LaneAlias;
} & (
  | { readonly state: 'delivered'; readonly notes?: readonly RecordedNote[] }
  | {
      readonly state: 'ignored';
      readonly reason: string;
      readonly detail?: string;
      readonly notes?: readonly RecordedNote[];
    }
  | {
      readonly state: 'dead';
      readonly reason: string;
      readonly detail: string;
      readonly sent: readonly SentMessage[];
      readonly notes?: readonly RecordedNote[];
    }
  /** The event waits for another attempt and stays at its place in the lane. */
  | {
      readonly state: 'pending';
      readonly dueAt: number;
      readonly failedAttempts: number;
      readonly ownFaultCount: number;
      readonly detail?: string;
    }
);
