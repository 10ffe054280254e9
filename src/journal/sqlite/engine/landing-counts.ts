import { type Attempt, DELIVERY_SPAN_MS, type LandingCounts } from '../../journal.ts';
import { REFUSED_LATER } from '../../event-reasons.ts';
import { DELIVERED } from '../../sent-in.ts';
import type { EventRow, QueueRow } from './event-row.ts';
import type { ConfirmedRange } from './landing-state.ts';
import type { SpanChange } from './span-table.ts';
import type { Engine } from './sqlite-engine.ts';

/*
 * Invariant: a delivered event that was settled at or after `spans-since` is counted either in its
 * span, or, if the time is in a confirmed range and there is no doubt, as landed. So no settlement
 * gets a time that is confirmed already, even if the clock was set back.
 */

/** The beginning of the span that has this time. */
export function spanStart(at: number): number {
  return Math.floor(at / DELIVERY_SPAN_MS) * DELIVERY_SPAN_MS;
}

/** The time that a delivery gets: now, unless the clock was set back. */
export function deliveryTime({ now, landings }: Engine, destination: string): number {
  return Math.max(now(), landings.openSince(destination));
}

function spanOf({ landings }: Engine, destination: string, source: string, at: number): SpanChange {
  return landings.spans.at(spanStart(at), destination, source);
}

/** @param settledAt as `deliveryTime` */
export function countDelivered(engine: Engine, { destination, source }: QueueRow, settledAt: number): void {
  spanOf(engine, destination, source, settledAt).events += 1;
}

const ACKNOWLEDGED = { event: 'events_acknowledged', profile: 'profiles_acknowledged' } as const;
const UNANSWERED = { event: 'events_unanswered', profile: 'profiles_unanswered' } as const;

/** Counts what was sent. @param destination where it was sent to */
export function countAttempts(
  engine: Engine,
  { source }: QueueRow,
  destination: string,
  attempts: readonly Attempt[],
): void {
  if (attempts.length === 0) return;
  const span = spanOf(engine, destination, source, deliveryTime(engine, destination));
  for (const { outcome, request } of attempts) {
    if (outcome === DELIVERED) span[ACKNOWLEDGED[request.kind]] += 1;
    else if (request.status === undefined) span[UNANSWERED[request.kind]] += 1;
  }
}

/** The confirmed range that a time is in. */
export function confirmedRange(
  { landings }: Engine,
  destination: string,
  at: number,
): ConfirmedRange | undefined {
  const ranges = landings.confirmed(destination);
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle] as ConfirmedRange).from <= at) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range !== undefined && at < range.until ? range : undefined;
}

type Settled = Pick<EventRow, 'source' | 'destination' | 'settled_at'>;

/** Where a delivered event counts: as landed, in a span, or nowhere. */
function countedIn(
  engine: Engine,
  { destination, source, settled_at: at }: Settled,
): 'landed' | SpanChange | undefined {
  if (at === null) return undefined;
  if (confirmedRange(engine, destination, at) !== undefined) return 'landed';
  return at >= engine.landings.spansSince() ? spanOf(engine, destination, source, at) : undefined;
}

/** Counts that a delivered event has a doubt now (1), or has none any more (-1). */
export function countDoubt(engine: Engine, row: Settled, n: 1 | -1): void {
  const span = countedIn(engine, row);
  if (span === 'landed') addLanding(engine, row.source, { landed: -n });
  else if (span !== undefined) span.doubted += n;
}

/** An event is delivered no longer: its doubt and its watch end. Call it before it is written. */
function leaveDelivered(engine: Engine, row: EventRow): void {
  const { db, landings } = engine;
  if (landings.isAnyWatched) db.run('DELETE FROM watched WHERE seq = ?', row.seq);
  if (landings.isAnyDoubt && db.run('DELETE FROM doubts WHERE seq = ?', row.seq) > 0)
    countDoubt(engine, row, -1);
  const span = countedIn(engine, row);
  if (span === 'landed') addLanding(engine, row.source, { landed: -1 });
  else if (span !== undefined) span.events -= 1;
}

/** An event leaves its final state. Call it before it is written. */
export function leaveSettled(engine: Engine, row: EventRow): void {
  if (row.state === 'delivered') leaveDelivered(engine, row);
  else if (row.state === 'dead' && row.reason === REFUSED_LATER)
    addLanding(engine, row.source, { refusedLater: -1 });
}

export function addLanding(
  { accounts }: Engine,
  source: string,
  { landed = 0, refusedLater = 0 }: Partial<LandingCounts>,
): void {
  accounts.landings.add(source, { landed, refused_later: refusedLater });
}
