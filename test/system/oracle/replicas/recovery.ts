import type { ExpectedEvent } from '../expectations.ts';

/** When a fault happened, by the monotonic clock, ms. */
export interface InjectedFault {
  readonly kind: string;
  readonly startedMs: number;
  endedMs: number;
}

/** What senders and customers noticed of one fault, ms. */
export interface Recovery {
  readonly fault: InjectedFault;
  /** Longest time without a 200. */
  readonly gapMs: number;
  /** Until 200s came again. */
  readonly acceptingMs: number;
  /** Until everything had landed that was accepted at the time of the fault. */
  readonly landingMs: number;
}

/** Events answered so long before a fault may not have landed when it happens. */
const BEFORE_MS = 500;
/** Events answered so long after the fault, or after its gap, are waited for. */
const AFTER_MS = 1_000;
/** A gap that begins later has another cause. */
const GAP_BEGINS_MS = 3_000;

/**
 * Measures a fault that no other one overlaps. What is measured is the worst: all customers, hence
 * those of the replica that was hit, and all senders.
 * @param windowMs time after the start of the fault that belongs to it
 */
export function recoveryOf(fault: InjectedFault, windowMs: number, all: readonly ExpectedEvent[]): Recovery {
  const { startedMs } = fault;
  const endMs = startedMs + windowMs;
  const answers = all
    .flatMap(({ acknowledgedMs }) => acknowledgedMs ?? [])
    .filter((at) => at > startedMs - BEFORE_MS && at < endMs)
    .toSorted((a, b) => a - b);
  let gapMs = 0;
  let acceptingMs = 0;
  for (const [index, at] of answers.entries()) {
    const previous = answers[index - 1] ?? at;
    const gap = at - previous;
    if (at < startedMs || previous > startedMs + GAP_BEGINS_MS || gap <= gapMs) continue;
    gapMs = gap;
    acceptingMs = at - startedMs;
  }
  const lastMs = startedMs + acceptingMs + AFTER_MS;
  const landings = all.flatMap(({ acknowledgedMs = 0, landedMs }) =>
    acknowledgedMs > startedMs - BEFORE_MS && acknowledgedMs < lastMs ? (landedMs ?? []) : [],
  );
  return { fault, gapMs, acceptingMs, landingMs: Math.max(0, ...landings.map((at) => at - startedMs)) };
}
