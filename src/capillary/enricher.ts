import type { Entities } from './entities.ts';
import type { CapillaryEvent } from './event.ts';

/* What delivery asks of enrichment; here, because neither of the two may import the other. */

export interface EnrichRequest {
  readonly event: CapillaryEvent;
  /** Epoch ms. */
  readonly receivedAt: number;
  /** `refresh`: below all others, and only what is named. */
  readonly purpose: 'live' | 'replay' | 'refresh';
  readonly parts?: { readonly customer: boolean; readonly bill: boolean };
  /** What was fetched for the event before: used as it is for what it has. */
  readonly stored?: Entities | undefined;
  /** Aborted when the event is released: the wait ends, a call that others wait for goes on. */
  readonly signal: AbortSignal;
}

/** Why a part could not be fetched; stable, for notes and metrics. */
export type MissingReason =
  /** Too many calls are waiting, or a batch of events is over its share. */
  | 'budget'
  /** The API is away, or refuses the credentials or the resource. */
  | 'unavailable'
  | 'forbidden'
  /** Capillary does not know the customer or the bill yet. */
  | 'unknown'
  /** The wait was over. */
  | 'timeout';

/** By part of an event. */
export interface RequestIds {
  readonly customer?: string;
  readonly bill?: string;
}

/** What is known about an event beyond its payload. */
export interface Enrichment {
  readonly entities: Entities;
  /** What the event wants and has not; `retryIn` ms until a refresh can help. */
  readonly missing?: {
    readonly customer?: MissingReason;
    readonly bill?: MissingReason;
    /** `X-CAP-REQUEST-ID` of the calls that were answered, but not with what is missing. */
    readonly requestIds?: RequestIds;
    readonly retryIn: number;
  };
}

/** Completes the events of one source. */
export interface Enricher {
  /**
   * Never rejects except with the reason of the aborted signal.
   * @returns undefined if the event wants nothing; at once if nothing has to be waited for
   */
  enrich(request: EnrichRequest): Enrichment | Promise<Enrichment> | undefined;
}
