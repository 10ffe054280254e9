import type { ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { MappingNote, UnreadFields } from '../mapping/mapping-result.ts';
import type { DestinationStatus } from './destination-state.ts';

/** What the answer says about one message of a request. */
export interface ItemReport {
  readonly receipt: string;
  /** `taken`, `failed`, or `unknown` if the answer does not say. */
  readonly outcome: string;
  /** Only of a failed one. */
  readonly status?: number;
  readonly xactionId?: string;
}

/** One request to the inlet, for log and metrics. Has no content of messages except in `detail`. */
export interface RequestReport {
  readonly destination: string;
  readonly kind: MessageKind;
  readonly endpoint: 'batch' | 'single';
  readonly messages: number;
  readonly bytes: number;
  /** HTTP status; undefined if no answer came. */
  readonly status: number | undefined;
  /** Why no answer came: `timeout`, `refused`, … */
  readonly failure: string | undefined;
  /** `taken`, `mixed`, or the kind of the verdict. */
  readonly outcome: string;
  /** Adobe's text, which may quote a message. */
  readonly detail: string | undefined;
  readonly durationMs: number;
  /** Receipts of the events whose messages were in the request, in order. */
  readonly receipts: readonly string[];
  /** One for each message if the answer has items, else empty. */
  readonly items: readonly ItemReport[];
  /** Present if the process is traced. */
  readonly traceId?: string;
}

/** What the mapping of an event could not transfer. */
export interface MappingReport {
  readonly notes: readonly MappingNote[];
  /** Undefined for an event that is not mapped for delivery. */
  readonly unread?: UnreadFields;
}

/** Receives what happens during delivery, for logs and metrics. */
export interface DeliveryObserver {
  requestCompleted(report: RequestReport): void;
  eventSettled(event: ClaimedEvent, settlement: Settlement): void;
  /** Called after a final `eventSettled`: what the mapping dropped, changed or did not read. */
  mappingReported(event: ClaimedEvent, mapping: MappingReport): void;
  stateChanged(destination: string, status: DestinationStatus): void;
  /** An unexpected error that delivery survived; `error` is for the log. */
  errorCaught(destination: string, message: string, error: unknown): void;
}
