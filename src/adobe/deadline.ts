/**
 * Two clocks, both in ms. The wall clock can be set back, and would then keep a dead token alive for ever; the steady one stands
 * still while the machine sleeps. So a span is over when either says so.
 */
export interface Clocks {
  readonly wall: () => number;
  readonly steady: () => number;
}

/** A moment to come, on both clocks. */
export interface Deadline {
  readonly wall: number;
  readonly steady: number;
}

/** The moment `ms` from now. */
export function deadlineIn(clocks: Clocks, ms: number): Deadline {
  return {
    wall: clocks.wall() + ms,
    steady: clocks.steady() + ms,
  };
}

/** ms until the deadline by the clock that is nearer to it; 0 once it is over. */
export function timeLeft(clocks: Clocks, deadline: Deadline): number {
  return Math.max(0, Math.min(deadline.wall - clocks.wall(), deadline.steady - clocks.steady()));
}
