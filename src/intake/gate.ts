import type { ProblemCode } from '../http/problems.ts';

/** Why nothing can be accepted right now. */
export interface Refusal {
  readonly code: Extract<ProblemCode, 'draining' | 'store-full' | 'store-failing'>;
  readonly detail: string;
  /** Seconds. Short, because Capillary may give up after about five minutes (reference: capillary.md §3). */
  readonly retryAfter: number;
}

/** Says whether the relay can take an event durably. */
export interface Gate {
  /** As far as is known now. Read before each webhook's body is. */
  refusal(): Refusal | undefined;
  /**
   * Sets room aside for a body that is about to be journaled; a refusal when there may be none. Journal it in the same turn. A promise only
   * where the store has to be looked at first, which is near a mark: every webhook passes here.
   */
  admit(bytes: number): Refusal | undefined | Promise<Refusal | undefined>;
  /** Tells that a write was refused by the store. */
  writeFailed(): void;
}
