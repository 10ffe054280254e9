import type { FlowRun } from '../../adobe/platform/flow-runs.ts';
import type { DeliverySpan, TimeRange } from '../../journal/landings.ts';
import { DELIVERY_SPAN_MS } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { WindowFigures } from './window-account.ts';

/**
 * So long after its acknowledgement a record can be in a run that has only just started.
 * Source: docs/platforms/adobe.md#counts
 */
const MAX_LAG_MS = 1_800_000;
/** Clocks of both sides, and the way of an answer. */
const MAX_SKEW_MS = 60_000;

/** How far times of AEP and of the journal can be apart. */
export interface Tolerance {
  readonly lagMs: number;
  readonly skewMs: number;
}

/** Never more than the delay after which a record has to be in the lake. */
export function toleranceOf({ lakeDelay }: { readonly lakeDelay: number }): Tolerance {
  return { lagMs: Math.min(lakeDelay, MAX_LAG_MS), skewMs: Math.min(lakeDelay / 10, MAX_SKEW_MS) };
}

function isWithin(at: number, { from, until }: TimeRange): boolean {
  return at >= from && at < until;
}

/** Everything that a run has read: what it has written, and what has failed. */
function recordsOf({ inputRecords, outputRecords, failedRecords }: FlowRun): number {
  return Math.max(inputRecords, outputRecords + failedRecords);
}

function sum(runs: readonly FlowRun[]): number {
  return runs.reduce((total, run) => total + recordsOf(run), 0);
}

/** Messages of the spans within a range; of a span that is partly in it, as much of it. */
function acknowledgedIn(
  spans: readonly DeliverySpan[],
  kind: MessageKind,
  { from, until }: TimeRange,
): number {
  let total = 0;
  for (const { at, acknowledged } of spans) {
    const overlap = Math.min(until, at + DELIVERY_SPAN_MS) - Math.max(from, at);
    if (overlap > 0) total += acknowledged[kind] * (overlap / DELIVERY_SPAN_MS);
  }
  return Math.ceil(total);
}

/** What is compared for one kind of message in one window. Times of runs are the journal's. */
export function figuresOf(
  window: TimeRange,
  kind: MessageKind,
  { spans, runs }: { readonly spans: readonly DeliverySpan[]; readonly runs: readonly FlowRun[] },
  { lagMs, skewMs }: Tolerance,
): WindowFigures {
  const { until } = window;
  const own = runs.filter(({ startedAt }) => isWithin(startedAt, window));
  const later = runs.filter(({ startedAt }) => isWithin(startedAt, { from: until, until: until + lagMs }));
  const across = own.filter(({ completedAt = Infinity }) => completedAt + skewMs >= until);
  return {
    acknowledged: acknowledgedIn(spans, kind, window),
    ingested: sum(own),
    underWay: acknowledgedIn(spans, kind, { from: Math.max(window.from, until - lagMs), until }),
    ingestedAfter: sum(later),
    overlapping: sum(across),
  };
}

/** Whether a run of the window, or shortly after it, is still going on. */
export function isGoingOn(
  runs: readonly FlowRun[],
  { from, until }: TimeRange,
  { lagMs }: Tolerance,
): boolean {
  return runs.some(
    ({ startedAt, completedAt }) =>
      completedAt === undefined && isWithin(startedAt, { from, until: until + lagMs }),
  );
}
