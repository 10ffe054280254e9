import type { ProblemCode } from '../errors.ts';

/** Why nothing can be accepted right now. */
export interface Refusal {
  readonly code: Extract<ProblemCode, 'draining' | 'store-full' | 'store-failing'>;
  readonly detail: string;
  /** Seconds. Short, because Capillary may give up after about five minutes (reference: capillary.md §3). */
  readonly retryAfter: number;
}

/** Says whether the relay can take an event durably. Read before each webhook's body is. */
export interface Gate {
  refusal(): Refusal | undefined;
}
