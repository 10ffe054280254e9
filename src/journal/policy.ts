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

export interface OperatorPause {
  readonly destination: string;
  readonly by: string;
  readonly at: number;
}
