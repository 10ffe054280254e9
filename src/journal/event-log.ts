import type { Attempt, RecordedNote, SentMessage } from './event-queue.ts';
import type { EventState, StoredEvent } from './stored-event.ts';

/* What operators look up and change: events, counts, replays, pauses and the quarantine. */

export interface EventFilter {
  readonly receipts?: readonly string[];
  readonly states?: readonly EventState[];
  readonly source?: string;
  readonly destination?: string;
  readonly eventName?: string;
  readonly eventId?: string;
  readonly reason?: string;
  readonly customerId?: string;
  /** Epoch ms of receipt, inclusive. */
  readonly since?: number;
  /** Epoch ms of receipt, exclusive. */
  readonly until?: number;
  /** Whether the body is stored; without it an event cannot be replayed. */
  readonly hasBody?: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque. Pass it to get the next page; absent on the last page. */
  readonly cursor?: string;
}

/** Newest first. A limit outside 1–500 or an invalid cursor is rejected with a RefusedError. */
export interface PageRequest {
  readonly cursor?: string;
  readonly limit: number;
}

/** Everything known about one event. */
export interface EventRecord {
  readonly event: StoredEvent;
  readonly attempts: readonly Attempt[];
  /** Absent once retention or erasure has removed it. */
  readonly body?: Buffer;
  /** The messages that were sent, for a dead letter. */
  readonly sent: readonly SentMessage[];
  /** Notes of the mapping that led to the settlement, in order; empty while pending. */
  readonly notes: readonly RecordedNote[];
  /** Duplicates of it with other data; absent if there were none. */
  readonly differingCopies?: DifferingCopies;
  /** Replays, promotions and discards: when, by whom, what. */
  readonly actions: readonly { readonly at: number; readonly by: string; readonly action: string }[];
}

/** Duplicates of an event whose data differs from its own. */
export interface DifferingCopies {
  readonly count: number;
  /** Epoch ms of receipt of the newest. */
  readonly lastAt: number;
}

/** What events said about the loyalty programs of an organisation; the journal does not read it. */
export interface StoredPrograms {
  readonly orgId: number;
  readonly json: string;
}

export interface SourceCounts {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  /** Malformed bodies currently stored. */
  readonly malformed: number;
  /** Quarantined requests currently stored. */
  readonly quarantined: number;
}

/** Counts by source name. */
export type Ledger = Readonly<Record<string, SourceCounts>>;

export interface Backlog {
  readonly destination: string;
  readonly pending: number;
  /** Pending events that were replayed. */
  readonly replaying: number;
  /**
   * Epoch ms of receipt of the oldest pending event. Replayed events are excluded: they are old
   * without being late.
   */
  readonly oldestReceivedAt?: number;
}

export interface ReplayRequest {
  readonly filter: EventFilter;
  /** Adds a suffix to `_id`, so that Profile accepts the corrected event as a new one. */
  readonly asNew: boolean;
  readonly by: string;
  readonly now: number;
}

/** Filter fields that a replay's record does not show: they can identify a person or be long. */
export type HiddenFilterField = 'receipts' | 'eventId' | 'customerId';

/** A replay runs as a job that completes even if the process that started it does not survive. */
export interface ReplayJob {
  /** Increases with each job. */
  readonly id: number;
  readonly by: string;
  /** Epoch ms of the request. */
  readonly at: number;
  readonly asNew: boolean;
  readonly filter: Omit<EventFilter, HiddenFilterField>;
  /** Which hidden fields the filter also has. */
  readonly narrowedBy: readonly HiddenFilterField[];
  /** Settled events that have matched the filter so far. */
  readonly matched: number;
  /** Matched events that were made pending; the rest no longer had a body. */
  readonly replayed: number;
  readonly done: boolean;
  /** Epoch ms. */
  readonly finishedAt?: number;
}

export interface OperatorPause {
  readonly destination: string;
  readonly by: string;
  readonly at: number;
}

/**
 * A request that no verifier accepted. A bounded number is stored so that they can be verified
 * again after a secret has been corrected.
 */
export interface NewQuarantined {
  readonly source: string;
  readonly receivedAt: number;
  readonly ip: string;
  /** Codes of the verifiers that rejected it. */
  readonly reasons: readonly string[];
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Bounds of one source's quarantine; the oldest requests are evicted first. `maxAge` is in ms. */
export interface QuarantineBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAge: number;
}

export interface Quarantined extends NewQuarantined {
  readonly receipt: string;
  readonly body: Buffer;
}
