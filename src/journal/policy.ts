import type { EventFilter } from './lookup.ts';

/** Ages in ms. Pending events are never touched. */
export interface RetentionPolicy {
  /** Since settlement: then the body of a delivered or ignored event goes. */
  readonly delivered: number;
  /** Since receipt: then the record of a delivered or ignored event whose body is gone goes, and its identity is forgotten. */
  readonly ids: number;
  /** Since settlement: then a dead event goes, but not before `ids` since then. Since receipt: then a malformed body goes. */
  readonly dead: number;
}

export interface ReplayRequest {
  readonly filter: EventFilter;
  /** A suffix on `_id`, so that Profile takes the corrected event as a new one. */
  readonly asNew: boolean;
  readonly by: string;
  readonly now: number;
}

/** Parts of a filter that are not shown of a replay: they can name a person, or are many. */
export type HiddenPart = 'receipts' | 'eventId' | 'customerId';

/** One replay: a job that ends even if the process does not live to see it. */
export interface ReplayJob {
  /** Rising. */
  readonly id: number;
  readonly by: string;
  /** Epoch ms at which it was asked for. */
  readonly at: number;
  readonly asNew: boolean;
  readonly filter: Omit<EventFilter, HiddenPart>;
  /** What else its filter has. */
  readonly narrowedBy: readonly HiddenPart[];
  /** Settled events that the filter has met so far. */
  readonly matched: number;
  /** Those of them that are or were pending again; the others had no body any more. */
  readonly replayed: number;
  readonly done: boolean;
  /** Epoch ms. */
  readonly finishedAt?: number;
}

export interface OperatorPause {
  readonly destination: string;
  readonly by: string;
  readonly at: number;
}

/** Where sealing anew stands; only the engine knows what it means. */
export interface SealPosition {
  readonly table: number;
  readonly after: number;
  /** Payloads so far that no configured key opens. */
  readonly unreadable: number;
}

/** What a step of sealing anew did. */
export interface SealStep {
  /** Payloads closed with the first key by this step. */
  readonly sealed: number;
  /** Payloads, of all steps up to here, that no configured key opens; they stay as they are. */
  readonly unreadable: number;
  /** How much of the store is behind, from 0 to 1. */
  readonly share: number;
  /** Where to go on; absent when the engine is through. */
  readonly next?: SealPosition;
}
