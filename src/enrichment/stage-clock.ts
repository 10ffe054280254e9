/** The clocks and timers of the stage; another one lets a test or a bench pass days in seconds. */
export interface StageClock {
  /** Epoch ms. */
  readonly now: () => number;
  /** ms that only grow; all waits are measured by it. */
  readonly monotonic: () => number;
  /** Calls back once after so many ms. @returns what cancels it */
  readonly after: (ms: number, run: () => void) => () => void;
}

/** setTimeout treats longer delays as 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

function systemTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));
  return () => clearTimeout(timer);
}

export const SYSTEM_CLOCK: StageClock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: systemTimer,
};
