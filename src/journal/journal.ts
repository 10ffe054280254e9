/**
 * The journal: where an event is safe. This page is the contract; every engine keeps it and `test/contract/` holds each
 * engine to it. It speaks of appending, claiming, settling and looking up, never of tables or of one process.
 *
 * Durability. A promise of a writing call resolves only when the write survives a crash of the process and of the machine
 * (fsync, or replication). When it rejects with a StoreError nothing of that call was kept. Writing calls that wait together may be
 * committed together; one call's refusal never undoes another's write. The calls over a filter (replay, discard, reroute) are committed in
 * steps so that they hold nobody up: when one of them rejects, the steps before it stay, and calling again does the rest.
 *
 * Once. An event is known by (source, identity). Appending a known one writes nothing and answers the first receipt, for as long as the
 * retention of ids lasts; the test and the write are one atomic step, so two equal events appended at once make one.
 *
 * Order. Events of one (destination, lane) become claimable one at a time in the order they were appended: the second when the
 * first has left `pending`. An event that waits for its next attempt (`dueAt`) holds back its lane and no other. Events without a
 * lane wait for nobody. An event that is replayed, promoted or rerouted never overtakes the one its new lane waits for; among those behind
 * it, the one appended first is next.
 *
 * Claims. A claimed event is handed to nobody else until it is settled or released. A claim needs no write and ends with the process:
 * after a restart every pending event is claimable again, so delivery is at least once.
 *
 * Accounts. For each source `accepted = pending + delivered + ignored + dead` after every committed step, over the whole life of
 * the journal: retention removes records, never counts.
 *
 * Erasure. Erasing a lane in a settlement removes, for every settled event of the lane that goes to the same destination or came from the
 * same source, the body, the sent messages and the details (Adobe's words can quote a payload), and the lane's assembled profile at
 * the destination; the records (receipt, times, outcome) stay. Pending events of the lane keep their bodies: they are still owed.
 *
 * Unreadable. A stored payload that cannot be opened (its key is configured no longer, or it is damaged) stops nothing: an event without a
 * readable body is never claimed and stays pending, its lane behind it; a record shows no body. The engine says so once in its log.
 */

export type EventState = 'pending' | 'delivered' | 'ignored' | 'dead' | 'malformed';

/** What an event becomes at Adobe: an ExperienceEvent, a profile record, or both. */
export type MessageKind = 'event' | 'profile';

export interface NewEvent {
  readonly source: string;
  readonly destination: string;
  /** 64 hex; see CapillaryEvent.identity. */
  readonly identity: string;
  readonly lane?: string;
  readonly customerId?: string;
  readonly orgId: number;
  readonly eventName: string;
  readonly eventId?: string;
  /** Epoch ms by Capillary's clock. */
  readonly createdAt?: number;
  /** Epoch ms by ours. */
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** The raw body as it came. */
  readonly body: Uint8Array;
}

export interface Appended {
  readonly receipt: string;
  readonly duplicate: boolean;
}

/** A verified body that is no event. Kept as a dead letter of reason `malformed`, counted beside the accepted ones. */
export interface NewMalformed {
  readonly source: string;
  readonly destination: string;
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** What was wrong, without content of the body. */
  readonly detail: string;
  readonly body: Uint8Array;
}

/** A request that no verifier passed; kept within bounds so that it can be verified again after a secret is mended. */
export interface NewQuarantined {
  readonly source: string;
  readonly receivedAt: number;
  readonly ip: string;
  /** Codes of the verifiers that refused it. */
  readonly reasons: readonly string[];
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Bounds of one source's quarantine; the oldest go first. maxAge in ms. */
export interface QuarantineBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAge: number;
}

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
  /** Bytes of the body; the body itself may be gone by retention or erasure. */
  readonly bodyBytes: number;
}

export interface ClaimedEvent extends StoredEvent {
  readonly body: Buffer;
  /** Assembled profile of (destination, lane), as last settled. */
  readonly profile?: string;
}

export interface ClaimRequest {
  readonly destination: string;
  /** Only events of these sources; those of a source that is configured no longer stay pending. */
  readonly sources: readonly string[];
  readonly limit: number;
  /** Bytes. Events are added while their bodies together stay within this; the first is always given. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Those due longest come first. */
export interface ClaimAnswer {
  readonly events: readonly ClaimedEvent[];
  /** Epoch ms at which the next event that nobody holds becomes due, if any waits; at most `now` if more could be claimed at once. */
  readonly nextDueAt?: number;
}

/** One try at Adobe for one message: a line of the event's timeline. */
export interface Attempt {
  readonly at: number;
  readonly kind: MessageKind;
  /** `delivered`, `rejected`, `retry`, `throttled`, `destination`. */
  readonly outcome: string;
  /** HTTP status of the item, or of the answer; absent when none came. */
  readonly status?: number;
  /** Adobe's words or the network's error code, shortened to 2 KB. */
  readonly detail?: string;
  readonly xactionId?: string;
  readonly durationMs: number;
  /** Messages in the request. */
  readonly batchSize: number;
}

/** A mapped message as it was sent, kept with a dead letter. */
export interface SentMessage {
  readonly kind: MessageKind;
  readonly json: string;
}

export type Settlement = {
  readonly receipt: string;
  readonly now: number;
  readonly attempts: readonly Attempt[];
  /** Messages delivered so far, those of earlier attempts included. */
  readonly delivered: readonly MessageKind[];
  /** Assembled profiles to write in the same step; null removes one. */
  readonly profiles?: readonly { readonly lane: string; readonly state: string | null }[];
  /** Lanes to erase in the same step (deletion of a customer), before `profiles` are written. The settled event is erased too unless it stays pending. */
  readonly erase?: readonly string[];
} & (
  | { readonly state: 'delivered' }
  | { readonly state: 'ignored'; readonly reason: string; readonly detail?: string }
  | {
      readonly state: 'dead';
      readonly reason: string;
      readonly detail: string;
      readonly sent: readonly SentMessage[];
    }
  /** Back to waiting: it keeps its place in its lane. */
  | {
      readonly state: 'pending';
      readonly dueAt: number;
      readonly failures: number;
      readonly charged: number;
      readonly detail?: string;
    }
);

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
  /** Epoch ms of receipt of the oldest pending event. */
  readonly oldestReceivedAt?: number;
}

export interface StoreHealth {
  /** Bytes in use by records; space freed inside the file does not count. */
  readonly usedBytes: number;
  /** Bytes free on the volume. */
  readonly freeBytes: number;
}

/** Ages in ms. Pending events are never touched. */
export interface RetentionPolicy {
  /** Since settlement: then the body of a delivered or ignored event goes. */
  readonly delivered: number;
  /** Since receipt: then the record of a delivered or ignored event whose body is gone goes, and its identity is forgotten. */
  readonly ids: number;
  /** Since settlement: then a dead event goes, but not before `ids` since then. Since receipt: then a malformed body goes. */
  readonly dead: number;
}

export interface ReplayRequest {
  readonly filter: EventFilter;
  /** A suffix on `_id`, so that Profile takes the corrected event as a new one. */
  readonly asNew: boolean;
  readonly by: string;
  readonly now: number;
}

export interface OperatorPause {
  readonly destination: string;
  readonly by: string;
  readonly at: number;
}

export interface Journal {
  append(event: NewEvent): Promise<Appended>;
  appendMalformed(body: NewMalformed): Promise<{ readonly receipt: string }>;
  /**
   * Keeps a copy within the bounds; `evicted` counts older ones dropped for it. A request that is larger than the bounds by itself is not
   * kept: its receipt leads nowhere. Bytes are those of the body and of the headers.
   */
  quarantine(
    request: NewQuarantined,
    bounds: QuarantineBounds,
  ): Promise<{ readonly receipt: string; readonly evicted: number }>;

  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /**
   * Records the outcome of an event and ends its claim. For an event that is not pending only the attempts are recorded; a receipt that the
   * journal does not hold is let be.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Gives claimed events back untouched. */
  release(receipts: readonly string[]): Promise<void>;
  /** Assembled profiles of these lanes at the destination; lanes without one are left out. */
  profiles(destination: string, lanes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Calls back, without content, after something became claimable for the destination: by an append, replay, promote or reroute, or as the
   * next of its lane by a settlement. Not for what is given back or waits for its time: the claimant knows of those. Returns the unsubscriber.
   */
  onClaimable(listener: (destination: string) => void): () => void;

  ledger(): Promise<Ledger>;
  backlog(): Promise<readonly Backlog[]>;
  /** The record of a receipt, or of the newest event with that event id. */
  find(receiptOrEventId: string): Promise<EventRecord | undefined>;
  list(filter: EventFilter, page: PageRequest): Promise<Page<StoredEvent>>;
  count(filter: EventFilter): Promise<number>;
  /** A page may hold fewer than `limit` when the bodies are large; only the cursor tells the last page. */
  listQuarantined(
    filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>,
    page: PageRequest,
  ): Promise<Page<Quarantined>>;

  /**
   * Makes settled events (dead, ignored, delivered) pending again, with attempts counted from zero. `delivered` messages of dead events
   * stay marked, so only what is missing is sent; those of delivered events are sent again. Events whose body is gone are left
   * as they are and not counted. Malformed ones are not touched: they go through `promote`.
   */
  replay(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /**
   * Turns a malformed body into an accepted event; its receipt stays. A duplicate is removed and answered with the first receipt. Rejects
   * with a RefusedError when there is no malformed body of this receipt.
   */
  promote(receipt: string, event: NewEvent, by: string): Promise<Appended>;
  /** Dead letters become `ignored` with reason `discarded`; malformed bodies are removed. */
  discard(filter: EventFilter, by: string, now: number): Promise<{ readonly discarded: number }>;
  removeQuarantined(receipts: readonly string[]): Promise<{ readonly removed: number }>;

  pauses(): Promise<readonly OperatorPause[]>;
  setPause(destination: string, pause: OperatorPause | null): Promise<void>;
  /** Points pending events of a source at the destination it is configured for now. */
  reroute(source: string, destination: string): Promise<{ readonly rerouted: number }>;

  /** One small step of retention (a few hundred records); `more` when another is due at once. */
  retain(policy: RetentionPolicy, now: number): Promise<{ readonly removed: number; readonly more: boolean }>;
  health(): Promise<StoreHealth>;
  /** Resolves when the engine has died and can take nothing more, with the reason; never on close(). */
  readonly failed: Promise<Error>;
  /** Finishes what was begun, then closes. Idempotent. */
  close(): Promise<void>;
}

/** The store could not take or give: disk full, I/O error, engine gone. Nothing of the call was kept. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** The call cannot be carried out as it was asked; nothing of it was kept and asking the same again is no use. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}
