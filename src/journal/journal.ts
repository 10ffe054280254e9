import type {
  ContactCountAnswer,
  ContactCountRequest,
  SharedContactFilter,
  SharedContacts,
} from './contact-counts.ts';
import type {
  Backlog,
  EventFilter,
  EventRecord,
  Ledger,
  NewQuarantined,
  OperatorPause,
  Page,
  PageRequest,
  Quarantined,
  QuarantineBounds,
  ReplayJob,
  ReplayRequest,
  StoredPrograms,
} from './event-log.ts';
import type {
  Appended,
  ClaimAnswer,
  ClaimRequest,
  NewEvent,
  NewMalformed,
  Settlement,
} from './event-queue.ts';
import type { ReencryptionPosition, ReencryptionStep, RetentionPolicy, StoreHealth } from './maintenance.ts';
import type { StoredEvent } from './stored-event.ts';

export type * from './contact-counts.ts';
export type * from './event-log.ts';
export type * from './event-queue.ts';
export type * from './maintenance.ts';
export type * from './stored-event.ts';

/**
 * The store could not be read or written: disk full, I/O error, engine failed. Nothing was stored.
 */
export class StoreError extends Error {
  override name = 'StoreError';
  /** How an operator fixes the cause; absent if the message says it or nobody knows. */
  readonly fix: string | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly fix?: string | undefined }) {
    super(message, options);
    this.fix = options?.fix;
  }
}

/** The call is invalid. Nothing was stored, and repeating the same call will not help. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/**
 * The journal stores events durably until they are delivered. This text and the exported types are
 * the contract. Every engine implements it, and `test/contract/` tests each engine against it. The
 * contract speaks of appending, claiming, settling and looking up, never of tables or processes.
 *
 * Durability. The promise of a writing call resolves only when the write survives a crash of the
 * process and of the machine (fsync or replication). If it rejects with a StoreError, nothing of
 * that call was stored. Calls that wait together may be committed together; the rejection of one
 * never undoes another. Calls over a filter (replay, discard, reroute) are committed in steps so
 * that they do not block other calls. If such a call rejects, its earlier steps remain. Repeating a
 * discard or reroute completes it; a replay continues by itself.
 *
 * Deduplication. An event is identified by (source, identity). Appending a known event writes
 * nothing and answers the first receipt, for as long as `ids` of the retention policy. The check
 * and the write are one atomic step, so concurrent appends of equal events store one event. The
 * answer says whether the stored body has the same bytes; what a difference means is up to the
 * caller, who records it with the first event (`recordDifferingCopy`) for as long as its record
 * exists. Bodies are compared where they are stored.
 *
 * Order. A lane is the queue of one customer at one destination. Its events become claimable one at
 * a time in the order in which they were appended: the next one when the previous one is no longer
 * `pending`. The first one is the head of the lane. An event that waits for its next attempt
 * (`dueAt`) blocks its own lane and no other. Events without a lane wait for nothing. An event that
 * is promoted never overtakes the head of its new lane. A rerouted one does if the head is the
 * oldest event of the lane, was appended after it, and is not claimed. Behind the head, the event
 * that was appended first comes next.
 *
 * Replays. A replayed event is marked until it is settled with a final state. The marked events of
 * a lane form a queue of their own with the same rules: they neither block the other events of the
 * lane nor wait behind them. But at most one event of a (destination, lane) is claimed at any time,
 * because a profile is read with the claim and written with the settlement. While one is claimed
 * the lane is busy, and the head of the other queue is skipped. The cost of claiming other events
 * does not depend on the number of waiting replays.
 *
 * Replay jobs. A replay is recorded with who requested it, when, and for which filter. A job
 * carries it out over the events that existed when it began, oldest first. Each step advances the
 * job in the same transaction as the events, so a job processes each event once. A job that was
 * interrupted, even by a crash, continues by itself: in the same process, or when the journal is
 * next opened.
 *
 * Claims. A claimed event is not returned again until it is settled or released. A claim needs no
 * write and ends with the process: after a restart every pending event is claimable again, so
 * delivery is at least once.
 *
 * Ledger. For each source, `accepted = pending + delivered + ignored + dead` holds after every
 * committed step and over the whole life of the journal: retention deletes records, never counts.
 *
 * Notes. The mapping notes of a final settlement are stored with the record, at most 100 notes with
 * paths of at most 300 characters, until the record is deleted, the customer is erased, or the
 * event is replayed.
 *
 * Aliases. A settlement can make one lane a permanent alias of another at its destination, because
 * its customer was merged. From then on, whatever is appended, promoted, replayed or rerouted to
 * the destination for `from` is queued in `to`, at the cost of one lookup, and the pending events
 * of `from` move there, behind its head. Such an event still shows its original lane
 * (`ownLane`). Chains resolve to the last lane. An alias that leads back to its own lane, or of a
 * lane that already has an alias, is ignored. Two kinds of settlement are stale and must not write
 * what they are based on: that of an event whose lane was moved while it was claimed, and one with
 * an alias whose `profile` differs from the stored profile. After a stale settlement the event
 * stays pending and is immediately claimable again, whatever the settlement says. Only the
 * attempts, the failure counts and the delivered messages other than the profile are recorded.
 *
 * Contacts. For each destination the journal counts the customers, by lane, who have a contact, up
 * to the limit of the call. With one customer more the contact is shared for good: nothing undoes
 * that, neither a higher limit nor the erasure of its customers. The lanes of a merge count as one
 * from then on, and an erased lane no longer counts. The engine bounds what it holds of each
 * destination; what does not fit is not counted, and a contact that is too many to be remembered
 * as shared is answered as shared each time.
 *
 * Traces. `traceparent` is stored as given, so that a trace continues after a restart; the journal
 * does not interpret it.
 *
 * Erasure. A settlement can erase a lane. For every settled event of the lane that goes to the same
 * destination or came from the same source, this deletes the body, the sent messages, the notes and
 * the details (Adobe's error texts can quote a payload). It also deletes the lane's assembled
 * profile at the destination. The records (receipt, times, outcome) remain. The same applies to the
 * aliases of the lane, and to events of this customer that were moved to another lane. Pending
 * events of the lane keep their bodies, because they still have to be delivered.
 *
 * Unreadable payloads. A stored payload that cannot be decrypted (its key is no longer configured,
 * or it is damaged) stops nothing. An event without a readable body is never claimed and stays
 * pending, with its lane behind it; its record shows no body. The engine logs this once.
 */
export interface Journal {
  append(event: NewEvent): Promise<Appended>;
  appendMalformed(body: NewMalformed): Promise<{ readonly receipt: string }>;
  /**
   * Counts a duplicate with other data at the event of this receipt. An unknown receipt is ignored.
   * @param at epoch ms at which the duplicate was received
   */
  recordDifferingCopy(receipt: string, at: number): Promise<void>;
  /**
   * Stores a copy within the bounds; `evicted` counts older requests deleted to make room. A
   * request that alone exceeds the bounds is not stored, and its receipt cannot be found. Sizes
   * include body and headers.
   */
  quarantine(
    request: NewQuarantined,
    bounds: QuarantineBounds,
  ): Promise<{ readonly receipt: string; readonly evicted: number }>;

  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /**
   * Records the outcome of an event and ends its claim. For an event that is not pending only the
   * attempts are recorded; an unknown receipt is ignored. `stale` is true if an alias made the
   * settlement obsolete, so the event is still pending whatever the settlement says.
   */
  settle(settlement: Settlement): Promise<{ readonly stale: boolean }>;
  /** Returns claimed events to the queue unchanged. */
  release(receipts: readonly string[]): Promise<void>;
  /** Assembled profiles of these lanes at the destination; lanes without one are omitted. */
  profiles(destination: string, lanes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Counts each customer for each of its contacts and answers which of these are shared. The same
   * customer counts once, however often it is counted.
   */
  countContacts(request: ContactCountRequest): Promise<ContactCountAnswer>;
  /** The shared contacts, newest first. */
  sharedContacts(filter: SharedContactFilter): Promise<SharedContacts>;
  /**
   * Calls the listener after something became claimable at the destination: through an append,
   * replay, promotion or reroute, as the next event of a lane after a settlement, or because a lane
   * is no longer busy. Not called for released events or when a `dueAt` is reached: the claimant
   * knows about those. Returns a function that unsubscribes.
   */
  onClaimable(listener: (destination: string) => void): () => void;

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
  /** A page may hold fewer than `limit` items if bodies are large; only the cursor is reliable. */
  listQuarantined(
    filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>,
    page: PageRequest,
  ): Promise<Page<Quarantined>>;

  /**
   * Makes settled events (dead, ignored, delivered) pending again with all counters reset.
   * Delivered messages of dead events stay marked as delivered, so only the missing ones are sent;
   * delivered events are sent again completely. Events whose body is gone are left unchanged and
   * not counted. Malformed bodies are not included: use `promote`. Resolves when the job has
   * finished.
   */
  replay(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /** All unfinished replay jobs and the most recently finished ones, newest first. */
  replays(): Promise<readonly ReplayJob[]>;
  /**
   * Calls the listener when a replay job finishes in the background, because the call that started
   * it rejected or its process ended. Returns a function that unsubscribes.
   */
  onReplayed(listener: () => void): () => void;
  /**
   * Turns a malformed body into an accepted event with the same receipt. A duplicate is deleted and
   * answered with the first receipt. Rejects with a RefusedError if the receipt does not belong to
   * a malformed body.
   */
  promote(receipt: string, event: NewEvent, by: string): Promise<Appended>;
  /** Makes dead letters `ignored` with reason `discarded` and deletes malformed bodies. */
  discard(filter: EventFilter, by: string, now: number): Promise<{ readonly discarded: number }>;
  removeQuarantined(receipts: readonly string[]): Promise<{ readonly removed: number }>;

  pauses(): Promise<readonly OperatorPause[]>;
  setPause(destination: string, pause: OperatorPause | null): Promise<void>;
  /** What was saved last for each organisation, in the order of their ids. */
  programs(): Promise<readonly StoredPrograms[]>;
  /** Replaces what is stored for these organisations; the others remain. */
  savePrograms(programs: readonly StoredPrograms[]): Promise<void>;
  /** Moves the pending events of a source to the destination that is configured for it now. */
  reroute(source: string, destination: string): Promise<{ readonly rerouted: number }>;

  /** One small step of retention (a few hundred records); `more` if another one is due now. */
  retain(policy: RetentionPolicy, now: number): Promise<{ readonly removed: number; readonly more: boolean }>;
  /**
   * One small step of re-encryption: encrypts with the first key what an older key encrypted or
   * what is not encrypted. Start without a position and continue with `next` until it is absent.
   * Does nothing without keys, or if everything is already encrypted with the first key.
   */
  reencrypt(from?: ReencryptionPosition): Promise<ReencryptionStep>;
  health(): Promise<StoreHealth>;
  /**
   * Writes without changing anything. Rejects with a StoreError while the store is not writable.
   */
  probe(): Promise<void>;
  /**
   * Time in ms since the engine last recorded a heartbeat. It does so every second, even when idle;
   * a single long step may take a few seconds.
   */
  msSinceHeartbeat(): number;
  /** Calls that wait for the engine or are being executed. Never waits for the engine. */
  queued(): number;
  /**
   * Resolves with the reason if the engine dies and can execute no more calls; never on close().
   */
  readonly failed: Promise<Error>;
  /**
   * Completes all calls in progress, then closes. A call over a filter stops after its current step
   * and rejects. Idempotent.
   */
  close(): Promise<void>;
}
