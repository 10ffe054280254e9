/**
 * Two clocks, both in ms. The wall clock can be set back, which would keep an expired token in use;
 * the monotonic clock stops while the machine sleeps. So time is up as soon as either clock says
 * so.
 */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

/** A future time, on both clocks. */
export interface Deadline {
  readonly wall: number;
  readonly monotonic: number;
}

/** The time `ms` from now. */
export function deadlineIn(clocks: Clocks, ms: number): Deadline {
  return {
    wall: clocks.wall() + ms,
    monotonic: clocks.monotonic() + ms,
  };
}

/** ms until the deadline, by the clock that reaches it first; 0 once it has passed. */
export function msUntil(clocks: Clocks, deadline: Deadline): number {
  return Math.max(0, Math.min(deadline.wall - clocks.wall(), deadline.monotonic - clocks.monotonic()));
}
