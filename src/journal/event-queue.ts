import type { ContactCountAnswer, ContactCountRequest } from './contact-counts.ts';
import type { Settlement } from './settlement.ts';
import type { ClaimedEvent } from './stored-event.ts';

/** A request that leaves the quarantine: its receipt there, and who released it. */
export interface Release {
  readonly receipt: string;
  readonly by: string;
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
  /** Epoch ms by the clock of the process that received it. */
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

/** Who claims: one dispatcher of one process. */
export interface Claimant {
  /** Unique among all claimants of the store, and never used again. */
  readonly id: string;
  readonly destination: string;
}

export interface ClaimLimits {
  /** Only events of these sources. Events of a source that is no longer configured stay pending. */
  readonly sources: readonly string[];
  readonly events: number;
  /** Maximum number of replayed events; 0 for none. They only fill what other events leave free. */
  readonly replays: number;
  /**
   * Bytes. Events are added while their bodies fit within this; the first one is always returned.
   */
  readonly bytes: number;
  /**
   * Longest wait, in ms, that the claimant ever asks for. An event that waits longer was scheduled
   * before a clock was set back, so it counts as due now. Without it every wait is honoured.
   */
  readonly maxWait?: number;
}

/** Events in the order in which they became due; replayed events come after all others. */
export interface Claim {
  /** What settles and releases these events. The same for all claims under one lease. */
  readonly token: string;
  readonly events: readonly ClaimedEvent[];
  /**
   * ms until the next unclaimed event that is not a replay becomes due; 0 if more could be claimed
   * now. Events of a busy lane are not considered.
   */
  readonly dueIn?: number;
  /** The same for replayed events, whatever the limit of replays; may be absent if `dueIn` is 0. */
  readonly replayDueIn?: number;
}

/**
 * Accepts events and hands them to claimants.
 *
 * Durability. The promise of an append resolves only when the events survive a crash of the process
 * and of the machine (fsync or replication). If it rejects with a StoreError, nothing of that call
 * was stored, unless the server was lost meanwhile: then the same call again answers with what
 * was. What delivery writes (settlements, counted contacts, programs) is visible at once and
 * durable within seconds. A crash may forget the newest of it, always from some point in time on
 * and never one before another: then its events are pending again and are delivered again.
 *
 * Deduplication. An event is identified by (source, identity). Appending a known event writes
 * nothing and answers the first receipt, for as long as `ids` of the retention policy. The check
 * and the write are one atomic step, so equal events that are appended concurrently or in one call
 * are stored once. An engine may know only events of the same UTC day of `createdAt`, or of the day
 * beside it within an hour of midnight. The answer says whether the stored body has the same bytes;
 * what a difference means is up to the caller, who records it with the first event
 * (`recordDifferingCopy`).
 *
 * Order. A lane is the queue of one customer at one destination, known by its whole key. Its events
 * become claimable one at a time in the order in which they were appended: the next one when the
 * previous one is no longer `pending`. With replicas, either of two appends that overlap can come
 * first. There is no order between lanes. The first event is the head of the lane. One that waits
 * for its next attempt blocks its own lane and no other. Events without a lane wait for nothing. A
 * promoted event never overtakes the head of its new lane. A rerouted one does if the head is the
 * oldest event of the lane, was appended after it, and is not claimed. Behind the head, the event
 * that was appended first comes next.
 *
 * Replays. A replayed event is marked until it is settled with a final state. The marked events of
 * a lane form a queue of their own with the same rules: they neither block the other events of the
 * lane nor wait behind them. But at most one event of a (destination, lane) is claimed at any time,
 * because a profile is read with the claim and written with the settlement. While one is claimed
 * the lane is busy, and the head of the other queue is skipped. The cost of claiming does not
 * depend on the number of waiting replays, nor on the number of claimed events.
 *
 * Claims. A claimant holds a lease; its token is valid while the lease lasts. A claimed event is
 * not returned again until it is settled, released, or the lease ends. An engine for one process
 * gives leases that last as long as the process; after a restart every pending event is claimable
 * again, so delivery is at least once. Wake-ups (`onClaimable`) are hints that may be lost: a
 * claimant also polls.
 *
 * Stale settlements. The answer of `settle` names the receipts whose settlement was stale: the
 * event is not claimed under this token, its lane was moved by an alias while it was claimed (or,
 * in an engine for several processes, the event was rerouted), or
 * the settlement has an alias whose `profile` differs from the stored profile. A stale settlement
 * records which messages other than the profile were delivered, and changes nothing else; if the
 * token held the event, it is claimable again.
 *
 * Aliases. A settlement can make one lane a permanent alias of another at its destination, because
 * its customer was merged. From then on, whatever is appended, promoted, replayed or rerouted to
 * the destination for `from` is queued in `to`, and the pending events of `from` move there, behind
 * its head. Such an event still shows its original lane (`ownLane`). Chains resolve to the last
 * lane. An alias that leads back to its own lane, or of a lane that already has an alias, is
 * ignored.
 *
 * Contacts. For each destination the journal counts the customers, by lane, who have a contact, up
 * to the limit of the call. With one customer more the contact is shared for good: nothing undoes
 * that, neither a higher limit nor the erasure of its customers. The lanes of a merge count as one
 * from then on, and an erased lane no longer counts. The engine bounds what it holds of each
 * destination; what does not fit is not counted, and a contact that is too many to be remembered
 * as shared is answered as shared each time.
 *
 * Erasure. A settlement can erase a lane. For every settled event of the lane that goes to the same
 * destination or came from the same source, this deletes the body, the sent messages, the notes and
 * the details (Adobe's error texts can quote a payload). It also deletes the lane's assembled
 * profile at the destination. The records (receipt, times, outcome) remain. The same applies to the
 * aliases of the lane, and to events of this customer that were moved to another lane. Pending
 * events of the lane keep their bodies, because they still have to be delivered.
 *
 * Unreadable payloads. Each stored payload has a checksum, so a damaged one is never returned. An
 * event whose stored body is damaged becomes a dead letter with reason `payload-lost` when it would
 * be claimed, its identity is forgotten, and its lane goes on. So does an event whose customer's
 * profile is damaged; the profile is removed, and the event keeps its body and can be replayed. An
 * event whose key is not configured is never claimed and stays pending, with its lane behind it.
 * The record of such an event shows no body. The engine reports each once.
 *
 * Traces. `traceparent` is stored as given, so that a trace continues after a restart.
 */
export interface EventQueue {
  /** @returns one answer for each event, in order */
  append(events: readonly NewEvent[]): Promise<readonly Appended[]>;
  appendMalformed(body: NewMalformed): Promise<{ readonly receipt: string }>;
  /** Counts a duplicate with other data at the event of this receipt. An unknown one is ignored. */
  recordDifferingCopy(receipt: string): Promise<void>;

  claim(claimant: Claimant, limits: ClaimLimits): Promise<Claim>;
  /**
   * Records outcomes and ends the claims, in order and in one step. For an event that is not
   * pending nothing is recorded; an unknown receipt is ignored.
   */
  settle(token: string, settlements: readonly Settlement[]): Promise<{ readonly stale: readonly string[] }>;
  /**
   * Whether this process still holds its claim of the event, as far as it knows. To be asked just
   * before a message is sent: a process that was stopped for a while may have lost the claim to
   * another one. Never waits.
   */
  holds(receipt: string): boolean;
  /** Returns claimed events to the queue unchanged. Events that the token does not hold remain. */
  release(token: string, receipts: readonly string[]): Promise<void>;
  /**
   * Calls the listener after something may have become claimable at the destination. A hint: calls
   * can be lost. Not called for released events or when a wait has passed: the claimant knows about
   * those. Returns a function that unsubscribes.
   */
  onClaimable(listener: (destination: string) => void): () => void;

  /** Assembled profiles of these lanes at the destination; lanes without one are omitted. */
  profiles(destination: string, lanes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Counts each customer for each of its contacts and answers which of these are shared. The same
   * customer counts once, however often it is counted.
   */
  countContacts(request: ContactCountRequest): Promise<ContactCountAnswer>;
}
