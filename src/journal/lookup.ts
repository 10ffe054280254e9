import type { NewQuarantined } from './arrivals.ts';
import type { Attempt, KeptNote, SentMessage } from './settlement.ts';
import type { EventState, StoredEvent } from './stored-event.ts';

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
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass it back for the next page; absent on the last. Opaque. */
  readonly cursor?: string;
}

/** Newest first; limit 1–500, else a RefusedError, as for a cursor that is none. */
export interface PageRequest {
  readonly cursor?: string;
  readonly limit: number;
}

/** Everything known of one event. */
export interface EventRecord {
  readonly event: StoredEvent;
  readonly attempts: readonly Attempt[];
  /** Absent once retention or erasure has removed it. */
  readonly body?: Buffer;
  /** For a dead letter: what was sent. */
  readonly sent: readonly SentMessage[];
  /** Of the mapping that led to how it was settled, in its order; empty while it is pending. */
  readonly notes: readonly KeptNote[];
  /** Replays and discards: when, by whom, what. */
  readonly actions: readonly { readonly at: number; readonly by: string; readonly action: string }[];
}

export interface Quarantined extends NewQuarantined {
  readonly receipt: string;
  readonly body: Buffer;
}

export interface SourceCounts {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  /** Kept malformed bodies. */
  readonly malformed: number;
  /** Kept quarantined requests. */
  readonly quarantined: number;
}

/** Counts by source name. */
export type Ledger = Readonly<Record<string, SourceCounts>>;

export interface Backlog {
  readonly destination: string;
  readonly pending: number;
  /** Of the pending ones, those that were replayed. */
  readonly replaying: number;
  /** Epoch ms of receipt of the oldest pending event that is no replay: a replayed one is old without being late. */
  readonly oldestReceivedAt?: number;
}

export interface StoreHealth {
  /** Bytes in use by records; space freed inside the file does not count. */
  readonly usedBytes: number;
  /** Bytes free on the volume. */
  readonly freeBytes: number;
}
