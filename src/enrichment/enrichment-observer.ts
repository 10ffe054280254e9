import type { ApiErrorKind } from '../capillary/api/api-errors.ts';
import type { MissingReason } from '../capillary/enricher.ts';
import type { CircuitStatus } from './circuit-breaker.ts';

/** The calls of enrichment, for metrics. */
export type Endpoint = 'customer' | 'survivor' | 'bill' | 'programs' | 'currency' | 'products';

/** How a call ended. */
export type CallOutcome = 'ok' | ApiErrorKind;

export interface EndedCall {
  readonly endpoint: Endpoint;
  readonly outcome: CallOutcome;
  /** From its start to its end, without the wait for its turn. */
  readonly ms: number;
  /** `X-CAP-REQUEST-ID`, by which Capillary's support finds the call. */
  readonly requestId?: string | undefined;
}

/** What became of an event that wanted something. */
export interface EnrichedEvent {
  /** `complete` has all that it wanted; else the first reason why not. */
  readonly outcome: 'complete' | MissingReason;
  /** Everything was known already, so the event did not wait. */
  readonly isCached: boolean;
  /** ms */
  readonly waited: number;
}

/** What the stage reports to metrics and log; nothing in it is personal. */
export interface EnrichmentObserver {
  callEnded(source: string, call: EndedCall): void;
  eventEnriched(source: string, event: EnrichedEvent): void;
  circuitChanged(source: string, status: CircuitStatus): void;
  /**
   * The access group of the API client lacks a resource, or has it again.
   * @param lack such as `Read on Transaction`
   */
  accessChanged(source: string, endpoint: Endpoint, lack: string | undefined): void;
  /** Nothing waits for this any more, so it is reported here: a fault of the relay. */
  errorCaught(source: string, what: string, error: unknown): void;
}
