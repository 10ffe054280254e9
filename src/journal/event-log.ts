import type { EnrichmentParts } from './enrichments.ts';
import type { SharedContactFilter, SharedContacts } from './contact-counts.ts';
import type { Appended, NewEvent } from './event-queue.ts';
import type { RecordedNote, SentMessage } from './settlement.ts';
import type { EventState, MessageKind, StoredEvent } from './stored-event.ts';

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
  /** Epoch ms of the settlement, inclusive; an event that is pending has none. */
  readonly settledSince?: number;
  /** Epoch ms of the settlement, exclusive. */
  readonly settledUntil?: number;
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

/** One attempt to deliver one message to Adobe: a line in the event's timeline. */
export interface RecordedAttempt {
  /** Epoch ms. */
  readonly at: number;
  readonly kind: MessageKind;
  /** See Attempt. */
  readonly outcome: string;
  /** HTTP status of the item, or else of the response; absent when there was no response. */
  readonly status?: number;
  readonly detail?: string;
  readonly xactionId?: string;
  readonly durationMs: number;
  /** Number of messages in the request. */
  readonly batchSize: number;
}

/** Everything known about one event. */
export interface EventRecord {
  readonly event: StoredEvent;
  readonly attempts: readonly RecordedAttempt[];
  /** Absent once retention or erasure has removed it. */
  readonly body?: Buffer;
  /** The messages that were sent, for a dead letter. */
  readonly sent: readonly SentMessage[];
  /** Notes of the mapping that led to the settlement, in order; empty while pending. */
  readonly notes: readonly RecordedNote[];
  /** Duplicates of it with other data; absent if there were none. */
  readonly differingCopies?: DifferingCopies;
  /** While the event waits for a refresh, or is pending because of one. */
  readonly refresh?: RecordedRefresh;
  /** Replays, promotions and discards: when, by whom, what. */
  readonly actions: readonly { readonly at: number; readonly by: string; readonly action: string }[];
}

/** What is still to be fetched for an event; see Enrichments. */
export interface RecordedRefresh extends EnrichmentParts {
  /** Epoch ms from which on it can begin. */
  readonly dueAt: number;
  /** How many refreshes of the event ended with something missing. */
  readonly attempts: number;
  /** The event is pending because of it. */
  readonly isRunning: boolean;
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

/** What is to be stored, computed from what was stored before: undefined if that was nothing. */
export interface ProgramsChange extends StoredPrograms {
  readonly replaces: string | undefined;
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
  /**
   * By source: the destination to which its events are replayed. Events of other sources are
   * replayed to the destination that they had.
   */
  readonly routes?: Readonly<Record<string, string>>;
  /** What was fetched for the events is stale: it is fetched again (`staleBefore`). */
  readonly refetch?: boolean;
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

/** A job that was recorded. */
export interface StartedReplay {
  /** Of the job in `replays`. */
  readonly id: number;
  /**
   * Resolves, and never rejects, when the job has finished or this process no longer works on it;
   * `replays` shows which.
   */
  readonly stopped: Promise<void>;
}

export interface OperatorPause {
  readonly destination: string;
  readonly by: string;
  readonly at: number;
}

/**
 * What operators look up and change.
 *
 * Filters. A call over a filter (replay, discard) is committed in steps so that it does not block
 * other calls. If it rejects, its earlier steps remain: repeating a discard completes it, a replay
 * continues by itself.
 *
 * Replay jobs. A replay is recorded with who requested it, when, and for which filter. A job
 * carries it out over the events that existed when it began, oldest first. Each step advances the
 * job in the same transaction as the events, so a job processes each event once. A job that was
 * interrupted, even by a crash, is continued by maintenance.
 *
 * Ledger. For each source, `accepted = pending + delivered + ignored + dead` holds after every
 * step and over the whole life of the journal: retention deletes records, never counts.
 *
 * Notes. The mapping notes of a final settlement are stored with the record, at most 100 notes with
 * paths of at most 300 characters, until the record is deleted, the customer is erased, or the
 * event is replayed.
 */
export interface EventLog {
  ledger(): Promise<Ledger>;
  backlog(): Promise<readonly Backlog[]>;
  /**
   * The record of a receipt, or of the newest event with this event id. Here and in filters, an id
   * of more than 200 characters matches its short form (`shortId`), which is what events have. The
   * short form does not find an event that an earlier version stored with the whole id.
   */
  find(receiptOrEventId: string): Promise<EventRecord | undefined>;
  /** A page may hold fewer than `limit` items if they are large; only the cursor is reliable. */
  list(filter: EventFilter, page: PageRequest): Promise<Page<StoredEvent>>;
  count(filter: EventFilter): Promise<number>;
  /**
   * Makes settled events (dead, ignored, delivered) pending again with all counters reset.
   * Delivered messages of dead events stay marked as delivered, so only the missing ones are sent;
   * delivered events are sent again completely. Events whose body is gone are left unchanged and
   * not counted. Malformed bodies are not included: use `promote`. Resolves when the job has
   * finished.
   */
  replay(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /** Like `replay`, but resolves when the job is recorded, which then runs in the background. */
  startReplay(request: ReplayRequest): Promise<StartedReplay>;
  /** All unfinished replay jobs and the most recently finished ones, newest first. */
  replays(): Promise<readonly ReplayJob[]>;
  /**
   * Turns a malformed body into an accepted event with the same receipt. A duplicate is deleted and
   * answered with the first receipt. Rejects with a RefusedError if the receipt does not belong to
   * a malformed body.
   */
  promote(receipt: string, event: NewEvent, by: string): Promise<Appended>;
  /** Makes dead letters `ignored` with reason `discarded` and deletes malformed bodies. */
  discard(filter: EventFilter, by: string): Promise<{ readonly discarded: number }>;

  pauses(): Promise<readonly OperatorPause[]>;
  /** Pauses a destination until `resume`. @returns what is stored now */
  pause(destination: string, by: string): Promise<OperatorPause>;
  resume(destination: string): Promise<void>;
  /** The shared contacts, newest first. */
  sharedContacts(filter: SharedContactFilter): Promise<SharedContacts>;
  /** What was saved last for each organisation, in the order of their ids. */
  programs(): Promise<readonly StoredPrograms[]>;
  /**
   * Replaces what is stored for these organisations, each at most once in a call, unless another
   * process has stored something else meanwhile. @returns what is stored of those that it did not
   * replace: the caller adds it to what it knows and tries again
   */
  savePrograms(changes: readonly ProgramsChange[]): Promise<readonly StoredPrograms[]>;
}
