import type { ItemResult } from '../adobe/inlet/response.ts';
import type { ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { MappingNote, UnreadFields } from '../mapping/mapping-result.ts';
import type { DestinationStatus } from './destination-state.ts';

/** The result of one message of a request. */
export interface ItemReport {
  readonly receipt: string;
  /**
   * `taken`, `failed`, `unknown` if the response does not contain it, or `foreign` if its element
   * is not Adobe's.
   */
  readonly outcome: string;
  /** Present if it failed. */
  readonly status?: number;
  readonly xactionId?: string;
}

/** How many messages of a request had which result. */
export type MessageCounts = Readonly<Record<ItemResult['kind'], number>>;

/** One request to the inlet, for log and metrics. Has no content of messages except in `detail`. */
export interface RequestReport {
  readonly destination: string;
  readonly kind: MessageKind;
  readonly endpoint: 'batch' | 'single';
  readonly messages: number;
  readonly bytes: number;
  /** HTTP status; undefined if no response arrived. */
  readonly status: number | undefined;
  /** Why no response arrived: `timeout`, `refused`, … */
  readonly failure: string | undefined;
  /** `taken`, `mixed`, or the kind of the verdict. */
  readonly outcome: string;
  /** Adobe's text, of the first message that failed if there are items; it may quote a message. */
  readonly detail: string | undefined;
  readonly durationMs: number;
  /** Present if the response has an item for each message. */
  readonly counts: MessageCounts | undefined;
  /** How many messages failed with which status. */
  readonly failedStatuses: ReadonlyMap<number, number>;
  /** Messages of events that failed before. */
  readonly retries: number;
  /** How many messages came from which source. */
  readonly sources: ReadonlyMap<string, number>;
  /** Time from the receipt of the newest event to the response; absent without messages. */
  readonly minAgeMs: number | undefined;
  /** The same of the oldest event. */
  readonly maxAgeMs: number | undefined;
  /** Adobe's id of the first message that has one. */
  readonly xactionId: string | undefined;
  /** Receipts of the events whose messages were in the request, in order. Made when it is read. */
  readonly receipts: readonly string[];
  /** One per message if the response has items, else empty. Made when it is read. */
  readonly items: readonly ItemReport[];
  /** Present if the process is traced. */
  readonly traceId?: string;
}

/** The parts of an event that the mapping did not transfer. */
export interface MappingReport {
  readonly notes: readonly MappingNote[];
  /** Undefined for an event that is not mapped for delivery. */
  readonly unread?: UnreadFields;
}

/** An event with the outcome that the journal has recorded. */
export interface SettledEvent {
  readonly event: ClaimedEvent;
  readonly settlement: Settlement;
  /** Of a final outcome: what the mapping dropped, changed or did not read. */
  readonly mapping?: MappingReport;
}

/** Receives the events of delivery, for logs and metrics. */
export interface DeliveryObserver {
  requestCompleted(report: RequestReport): void;
  /** The outcomes that were recorded together. */
  eventsSettled(settled: readonly SettledEvent[]): void;
  /** Contacts of these kinds are shared from now on: identities of no customer. */
  contactsShared(destination: string, kinds: readonly string[]): void;
  /** This many contacts were not counted: the store is failing, or holds as many as it may. */
  contactsUncounted(destination: string, contacts: number): void;
  stateChanged(destination: string, status: DestinationStatus): void;
  /** An unexpected error that delivery survived; `error` is for the log. */
  errorCaught(destination: string, message: string, error: unknown): void;
}
