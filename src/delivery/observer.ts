import type { MappingNote } from '../mapping/mapped.ts';
import type { ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { Unread } from '../mapping/unread.ts';
import type { DestinationStatus } from './destination-state.ts';

/** What the answer said of one message of a request. */
export interface ItemReport {
  readonly receipt: string;
  /** `taken`, `failed`, or `unknown` when the answer does not tell. */
  readonly outcome: string;
  /** Of a failed one. */
  readonly status?: number;
  readonly xactionId?: string;
}

/** One request to the inlet, for the log and the metrics. Holds no content. */
export interface RequestReport {
  readonly destination: string;
  readonly kind: MessageKind;
  readonly endpoint: 'batch' | 'single';
  readonly messages: number;
  readonly bytes: number;
  /** HTTP status, or undefined when no answer came. */
  readonly status: number | undefined;
  /** Why no answer came: `timeout`, `refused`, … */
  readonly failure: string | undefined;
  /** `taken`, `mixed`, or the kind of the verdict. */
  readonly outcome: string;
  readonly detail: string | undefined;
  readonly durationMs: number;
  /** Of the events whose messages were in it, in their order. */
  readonly receipts: readonly string[];
  /** One for each message when the answer speaks of them, else none. */
  readonly items: readonly ItemReport[];
  /** Of the trace it is in, where the process is traced. */
  readonly traceId?: string;
}

/** What the mapping of an event could not carry. */
export interface MappingReport {
  readonly notes: readonly MappingNote[];
  /** Undefined for an event that is not mapped for delivery. */
  readonly unread?: Unread;
}

/** What the delivery tells of itself; the composition root turns it into log lines and metrics. */
export interface DeliveryObserver {
  requested(report: RequestReport): void;
  settled(event: ClaimedEvent, settlement: Settlement): void;
  /** After `settled` for good: what the mapping that led to it left out, changed or did not read. Once for each time an event is settled. */
  noted(event: ClaimedEvent, mapping: MappingReport): void;
  stateChanged(destination: string, status: DestinationStatus): void;
  /** Something that should not happen, survived; `error` is for the log. */
  trouble(destination: string, message: string, error: unknown): void;
}
