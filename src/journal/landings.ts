import type { EventState, MessageKind } from './stored-event.ts';

/* What is known about delivered events beyond Adobe's first answer: whether they landed in AEP. */

/** Deliveries are counted by spans of this length, which begin at multiples of it. */
export const DELIVERY_SPAN_MS = 10_000;

/** A range of the engine's clock, epoch ms; `until` is exclusive. */
export interface TimeRange {
  readonly from: number;
  readonly until: number;
}

/** Of one destination, over all sources. */
export interface DeliverySpan {
  /** Epoch ms of its beginning. */
  readonly at: number;
  /** Events that were settled as delivered within it and are still delivered. */
  readonly events: number;
  /**
   * Messages that Adobe acknowledged: attempts with the outcome `delivered`, of settlements within
   * it whose event was pending, whatever it became. Replays do not reduce them.
   */
  readonly acknowledged: Readonly<Record<MessageKind, number>>;
  /** Attempts whose request has no HTTP status: these messages may have arrived too. */
  readonly unanswered: Readonly<Record<MessageKind, number>>;
}

/** A record that AEP acknowledged and refused afterwards. */
export interface RefusedRecord {
  readonly receipt: string;
  readonly kind: MessageKind;
  /** The suffix of the `_id` that was refused: a later replay as new is another record. */
  readonly idSuffix: string;
  /** Epoch ms: an event that was settled later has been sent again since, and stays delivered. */
  readonly refusedAt: number;
  /** Adobe's words, truncated to 2 KB. */
  readonly detail: string;
  /** The refused message as JSON, if it is known. */
  readonly json?: string;
}

/** Why a delivered event does not count as landed. */
export interface Doubt {
  readonly receipt: string;
  /** Stable code, such as `not-in-profile`. */
  readonly code: string;
  /** Without personal data. */
  readonly detail: string;
}

export interface RecordedDoubt extends Doubt {
  readonly source: string;
  readonly destination: string;
  readonly eventName: string;
  readonly eventId?: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface RecordedDoubts {
  /** Of all doubts, by code; codes without any are omitted. */
  readonly counts: Readonly<Record<string, number>>;
  readonly newest: readonly RecordedDoubt[];
}

/** Of the events that are delivered now, or dead with the reason `refused-later`. */
export interface LandingCounts {
  readonly landed: number;
  readonly refusedLater: number;
}

/** What is known of one delivered event. */
export type Landing =
  /** `since`: epoch ms as `confirm` gave it. */
  | { readonly state: 'landed'; readonly since: number }
  /** Without a code nobody has checked it yet. */
  | { readonly state: 'unconfirmed'; readonly code?: string; readonly detail?: string };

/** An event that the journal knows by its identity. */
export interface KnownEvent {
  readonly receipt: string;
  readonly verifiedBy: string;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** An event that a record in AEP belongs to. */
export interface SentEvent {
  readonly receipt: string;
  readonly state: EventState;
  readonly idSuffix: string;
  readonly settledAt?: number;
}

/**
 * Landings. A delivered event is unconfirmed until `confirm` covers the time of its settlement at
 * its destination; then it has landed, unless there is a doubt about it. A doubt can be recorded
 * before and after. An event that leaves the state `delivered` (by a replay or by `refuse`) loses
 * both: delivered again, it counts in the span of its new settlement. So after every step
 * `delivered = landed + unconfirmed` holds for the events of each source, where `refuse` moves an
 * event from `delivered` to `dead`. Deliveries from before a store had these counts are never
 * confirmed. Spans that are not confirmed within 35 days are forgotten, and their events stay
 * unconfirmed. The removal of a record by retention changes no count: an event whose record was
 * removed counts as it did, and a doubt about it can no longer be cleared. If the clock is set
 * back, a delivery does not get a time that is confirmed already, but the end of the newest
 * confirmed range of its destination.
 *
 * Durability. As of settlements: visible at once, durable within seconds, and a crash forgets the
 * newest of it in order with settlements and notes. A call with a long list or range is carried out
 * in parts: if it rejects, earlier parts remain, and the same call again completes it.
 *
 * Watched events. A settlement can ask that its event be read back (`watch`). It is listed once,
 * with its destination, from then on until `unwatch` or until it leaves the state `delivered`.
 *
 * Notes. What reconciliation remembers between its runs: JSON by scope and key. The journal does
 * not read it; `store copy` takes it along. No personal data.
 */
export interface Landings {
  /**
   * Which of these identities (64 hex digits each) the source has, by identity. At most 1,000 in a
   * call (RefusedError).
   */
  known(source: string, identities: readonly string[]): Promise<ReadonlyMap<string, KnownEvent>>;
  /**
   * Epoch ms of receipt, 1 ms after the newest event whose identity has been forgotten by age or to
   * make room; undefined if none ever was. Events from before can be unknown although they were
   * accepted. An event whose payload was lost is unknown by intention: it can be accepted again.
   */
  knownSince(): Promise<number | undefined>;
  /**
   * The events of a destination whose identity begins with one of these 40 hex digits, by prefix.
   * If several sources have one, the delivered event, else the newest. At most 1,000 in a call
   * (RefusedError).
   */
  sentEvents(destination: string, prefixes: readonly string[]): Promise<ReadonlyMap<string, SentEvent>>;

  /** Those that are not confirmed, in order of time; spans without anything are omitted. */
  deliverySpans(destination: string, range: TimeRange): Promise<readonly DeliverySpan[]>;
  /**
   * Everything delivered to the destination within the range has landed, apart from doubts. The
   * range begins and ends at the beginning of a span, and ends in the past (RefusedError). Ranges
   * may overlap with what is confirmed already, which keeps its `since`.
   * @param since epoch ms since when it has been in the data lake
   * @returns how many events have landed by it
   */
  confirm(
    destination: string,
    range: TimeRange & { readonly since: number },
  ): Promise<{ readonly landed: number }>;
  /**
   * Makes delivered events dead with the reason `refused-later`, so that they can be found and
   * replayed as other dead letters. The refused message no longer counts as delivered, and is
   * stored as `sent`. Of an event that is dead for this reason already, the other message no longer
   * counts as delivered either. Events in another state, of another destination, with another
   * suffix, or settled after `refusedAt` are left as they are.
   */
  refuse(
    destination: string,
    records: readonly RefusedRecord[],
  ): Promise<{ readonly refused: readonly string[] }>;
  /**
   * Records doubts about delivered events; a newer one replaces the older one. Events in another
   * state and of another destination are ignored.
   */
  doubt(destination: string, doubts: readonly Doubt[]): Promise<{ readonly doubted: number }>;
  /** Removes the doubts about these events. */
  clearDoubts(receipts: readonly string[]): Promise<void>;
  /** The doubts about events of the destination; `newest` has at most `limit` (1–500) of them. */
  doubts(destination: string, limit: number): Promise<RecordedDoubts>;

  /**
   * Watched events of the destination that were settled before `until`, the oldest first, at most
   * `limit` (1–1,000).
   */
  watched(
    destination: string,
    page: { readonly until: number; readonly limit: number },
  ): Promise<readonly string[]>;
  unwatch(receipts: readonly string[]): Promise<void>;

  /** By source; sources without any are omitted. */
  landings(): Promise<Readonly<Record<string, LandingCounts>>>;
  /** Undefined unless the event is delivered. */
  landing(receipt: string): Promise<Landing | undefined>;

  /**
   * Asks for a refresh of the profiles of these customers: the newest delivered event of each waits
   * for a refresh of the customer's part from now on, as if its settlement had said `missing`. Of
   * events without a body none is asked for.
   * @returns for how many customers there is such an event
   */
  askRefresh(source: string, customerIds: readonly string[]): Promise<{ readonly asked: number }>;

  /** By key. */
  reconciliationNotes(scope: string): Promise<ReadonlyMap<string, string>>;
  /** Stores and removes (null) notes of a scope in one step. */
  saveReconciliationNotes(scope: string, notes: Readonly<Record<string, string | null>>): Promise<void>;
}
