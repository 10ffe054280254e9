import type { Appended, NewEvent, NewMalformed, NewQuarantined, QuarantineBounds } from './arrivals.ts';
import type {
  Backlog,
  EventFilter,
  EventRecord,
  Ledger,
  Page,
  PageRequest,
  Quarantined,
  StoreHealth,
} from './lookup.ts';
import type {
  OperatorPause,
  ReplayJob,
  ReplayRequest,
  RetentionPolicy,
  SealPosition,
  SealStep,
} from './policy.ts';
import type { ClaimAnswer, ClaimRequest, Settlement } from './settlement.ts';
import type { StoredEvent } from './stored-event.ts';

export type * from './arrivals.ts';
export type * from './lookup.ts';
export type * from './policy.ts';
export type * from './settlement.ts';
export { RefusedError, StoreError } from './store-error.ts';
export type * from './stored-event.ts';

/**
 * The journal: where an event is safe. This page, with the types it exports, is the contract; every engine keeps it and `test/contract/` holds each
 * engine to it. It speaks of appending, claiming, settling and looking up, never of tables or of one process.
 *
 * Durability. A promise of a writing call resolves only when the write survives a crash of the process and of the machine
 * (fsync, or replication). When it rejects with a StoreError nothing of that call was kept. Writing calls that wait together may be
 * committed together; one call's refusal never undoes another's write. The calls over a filter (replay, discard, reroute) are committed in
 * steps so that they hold nobody up: when one of them rejects, the steps before it stay. Calling a discard or a reroute again does the
 * rest; the rest of a replay goes on by itself.
 *
 * Once. An event is known by (source, identity). Appending a known one writes nothing and answers the first receipt, for as long as the
 * retention of ids lasts; the test and the write are one atomic step, so two equal events appended at once make one.
 *
 * Order. Events of one (destination, lane) become claimable one at a time in the order they were appended: the second when the
 * first has left `pending`. An event that waits for its next attempt (`dueAt`) holds back its lane and no other. Events without a
 * lane wait for nobody. An event that is promoted or rerouted never overtakes the one its new lane waits for; among those behind
 * it, the one appended first is next.
 *
 * Replays. A replayed event is marked until it is settled for good. Marked events of a lane have an order of their own, by the same rules:
 * they neither hold up the others of their lane nor wait behind them. But of all the events of one (destination, lane) at most one is
 * claimed at any time, since a profile is read with the claim and written with the settlement: while one is claimed, the lane is
 * busy and the first of the other order is passed over. However many replays wait, claiming the others costs the same.
 *
 * Replay jobs. A replay is recorded with who asked for it, when, and for what, and is carried out by a job that goes through the events there
 * are when it begins, oldest first. Each step moves the job on together with the events, so a job meets each event once. A
 * job that is cut short, by a crash too, goes on by itself: in this process, or when the journal is opened again.
 *
 * Claims. A claimed event is handed to nobody else until it is settled or released. A claim needs no write and ends with the process:
 * after a restart every pending event is claimable again, so delivery is at least once.
 *
 * Accounts. For each source `accepted = pending + delivered + ignored + dead` after every committed step, over the whole life of
 * the journal: retention removes records, never counts.
 *
 * Notes. What a settlement for good says of the mapping is kept with the record, at most 100 notes of at most 300 characters of path: until the
 * record goes, its customer is erased or it is replayed.
 *
 * Aliases. A settlement can make one lane an alias of another, for its destination and for good: its customer was merged. What is
 * appended, promoted, replayed or rerouted to the destination for `from` goes into `to` from then on, at the cost of one look-up, and
 * what is pending in `from` moves there by the rules of reroute; such an event still tells its own lane (`ownLane`). Chains lead to the
 * last lane. An alias that leads back to its own lane, or of a lane that has one already, is let be. Two settlements must not write
 * what they read: that of an event whose lane was moved while it was claimed, and one with an alias of which `profile` is not what is
 * kept any more. There, whatever the settlement says, the event stays pending and is claimable again at once; only attempts, failures
 * and the delivered messages but the profile are recorded.
 *
 * Traces. `traceparent` is kept as it was appended, so that a trace goes on after a restart; the journal reads nothing out of it.
 *
 * Erasure. Erasing a lane in a settlement removes, for every settled event of the lane that goes to the same destination or came from the
 * same source, the body, the sent messages, the notes and the details (Adobe's words can quote a payload), and the lane's assembled profile
 * at the destination; the records (receipt, times, outcome) stay. So too for the aliases of the lane, and for its own customer's events in
 * another lane. Pending events of the lane keep their bodies: they are still owed.
 *
 * Unreadable. A stored payload that cannot be opened (its key is configured no longer, or it is damaged) stops nothing: an event without a
 * readable body is never claimed and stays pending, its lane behind it; a record shows no body. The engine says so once in its log.
 */

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
   * journal does not hold is let be. `heldBack`: an alias came between, so the event is pending whatever the settlement says.
   */
  settle(settlement: Settlement): Promise<{ readonly heldBack: boolean }>;
  /** Gives claimed events back untouched. */
  release(receipts: readonly string[]): Promise<void>;
  /** Assembled profiles of these lanes at the destination; lanes without one are left out. */
  profiles(destination: string, lanes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Calls back, without content, after something became claimable for the destination: by an append, replay, promote or reroute, as the
   * next of its lane by a settlement, or because its lane is no longer busy. Not for what is given back or waits for its time: the claimant knows of those. Returns the unsubscriber.
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
   * as they are and not counted. Malformed ones are not touched: they go through `promote`. Resolves when the job has ended.
   */
  replay(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /** The replay jobs that have not ended and those that ended last, newest first. */
  replays(): Promise<readonly ReplayJob[]>;
  /** Calls back when a replay job has ended that its call did not live to see. Returns the unsubscriber. */
  onReplayed(listener: () => void): () => void;
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
  /**
   * One small step of sealing anew: what an older key closed, or what is clear, is closed with the first key. Begin without a position and go on
   * with `next`; without `next` the engine is through. Does nothing without keys, or when everything is closed with the first one already.
   */
  reseal(from?: SealPosition): Promise<SealStep>;
  health(): Promise<StoreHealth>;
  /** Writes something that changes nothing: resolves when the store can be written to, rejects with a StoreError while it cannot. */
  probe(): Promise<void>;
  /** ms since the engine last showed that it turns. It does so each second, at rest too; one long step may take a few. */
  pulseAge(): number;
  /** Calls that wait for the engine or are with it. Answers at once, whatever the engine does. */
  queued(): number;
  /** Resolves when the engine has died and can take nothing more, with the reason; never on close(). */
  readonly failed: Promise<Error>;
  /** Finishes what was begun, then closes; a call over a filter ends after the step in hand and rejects. Idempotent. */
  close(): Promise<void>;
}
