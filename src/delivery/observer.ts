import type { MappingNote } from '../mapping/mapped.ts';
import type { ClaimedEvent, MessageKind, Settlement } from '../journal/journal.ts';
import type { DestinationStatus } from './destination-state.ts';

/** One request to the inlet, for the log and the metrics. Holds no content. */
export interface RequestReport {
  readonly destination: string;
  readonly kind: MessageKind;
  readonly endpoint: 'batch' | 'single';
  readonly messages: number;
  readonly bytes: number;
  /** HTTP status, or undefined when no answer came. */
  readonly status: number | undefined;
  /** `taken`, `mixed`, or the kind of the verdict. */
  readonly outcome: string;
  readonly detail: string | undefined;
  readonly durationMs: number;
}

/** What the delivery tells of itself; the composition root turns it into log lines and metrics. */
export interface DeliveryObserver {
  requested(report: RequestReport): void;
  settled(event: ClaimedEvent, settlement: Settlement): void;
  noted(event: ClaimedEvent, notes: readonly MappingNote[]): void;
  stateChanged(destination: string, status: DestinationStatus): void;
  /** Something that should not happen, survived; `error` is for the log. */
  trouble(destination: string, message: string, error: unknown): void;
}
