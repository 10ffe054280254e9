import { setTimeout as delay } from 'node:timers/promises';
import { DELIVERY_SPAN_MS, type DeliverySpan, RefusedError, type TimeRange } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { storedText } from '../engine/stored-text.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { sqlStateOf } from '../sessions/sql-states.ts';

/*
 * Spans of deliveries, and their confirmation. While a range is confirmed nobody settles, replays,
 * doubts or refuses: that takes some ms for each hour of it, and a longer range is confirmed hour
 * by hour, so that the others go on in between.
 */

const SPANS: Statement = {
  name: 'landing_spans',
  text: `SELECT at, sum(events)::bigint AS events, sum(events_acknowledged)::bigint AS "ackedEvent",
      sum(profiles_acknowledged)::bigint AS "ackedProfile", sum(events_unanswered)::bigint AS "unansweredEvent",
      sum(profiles_unanswered)::bigint AS "unansweredProfile"
    FROM spans WHERE destination = $1 AND at >= $2 AND at < $3
    GROUP BY at HAVING sum(events) <> 0 OR sum(events_acknowledged) <> 0 OR sum(profiles_acknowledged) <> 0
      OR sum(events_unanswered) <> 0 OR sum(profiles_unanswered) <> 0
    ORDER BY at`,
};

interface SpanRow {
  readonly at: number;
  readonly events: number;
  readonly ackedEvent: number;
  readonly ackedProfile: number;
  readonly unansweredEvent: number;
  readonly unansweredProfile: number;
}

/** See Landings. */
export async function deliverySpans(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  { from, until }: TimeRange,
): Promise<readonly DeliverySpan[]> {
  const rows = await sessions.query<SpanRow>('work', SPANS, [storedText(destination), from, until]);
  return rows.map(({ at, events, ackedEvent, ackedProfile, unansweredEvent, unansweredProfile }) => ({
    at,
    events,
    acknowledged: { event: ackedEvent, profile: ackedProfile },
    unanswered: { event: unansweredEvent, profile: unansweredProfile },
  }));
}

/** Most of a range that is confirmed in one transaction. */
const SLICE_MS = 3_600_000;
/**
 * How long tries of a confirmation wait for its lock. Everybody who settles waits behind them, so
 * the first ones are short.
 */
const FIRST_WAITS_MS = [50, 50, 100, 200];
/** Longer than the server waits before it ends what is in the way of a lock, such as a vacuum. */
const LAST_WAIT_MS = 1_500;
const LAST_TRIES = 4;
/** Between two tries, so that those who waited behind the first one go on. */
const PAUSE_MS = 200;
/** SQLSTATE of a lock that was not available in time. */
const LOCK_NOT_AVAILABLE = '55P03';

const SET_LIMIT: Statement = {
  name: 'landing_set_limit',
  text: `SELECT set_config('lock_timeout', $1, true)`,
};
const EXCLUDE: Statement = {
  name: 'landing_exclude',
  text: 'LOCK TABLE spans IN SHARE ROW EXCLUSIVE MODE',
};

const LAND: Statement = {
  name: 'landing_land',
  text: `WITH gone AS (
      DELETE FROM spans WHERE destination = $2 AND at >= $3 AND at < $4 RETURNING source, events, doubted
    ),
    landed AS MATERIALIZED (
      SELECT source, sum(events - doubted)::bigint AS events FROM gone GROUP BY source
    ),
    counted AS (
      INSERT INTO landings (stream, source, landed) SELECT $1::integer, source, events FROM landed
      ON CONFLICT (stream, source) DO UPDATE SET landed = landings.landed + excluded.landed
    )
    SELECT coalesce(sum(events), 0)::bigint AS landed FROM landed`,
};

/** The ranges that overlap or touch a range. */
const CONFIRMED: Statement = {
  name: 'landing_confirmed',
  text: `SELECT from_at AS from, until_at AS until, since FROM confirmed
    WHERE destination = $1 AND until_at >= $2 AND from_at <= $3 ORDER BY until_at`,
};
const SPANS_SINCE: Statement = {
  name: 'landing_spans_since',
  text: `SELECT at FROM marks WHERE name = 'spans-since'`,
};
const STORE_RANGE: Statement = {
  name: 'landing_store_range',
  text: 'INSERT INTO confirmed (destination, from_at, until_at, since) VALUES ($1, $2, $3, $4)',
};
const REMOVE_RANGE: Statement = {
  name: 'landing_remove_range',
  text: 'DELETE FROM confirmed WHERE destination = $1 AND until_at = $2',
};

interface ConfirmedRange extends TimeRange {
  /** Epoch ms since when it is in the data lake. */
  readonly since: number;
}

/** What of a range is in none of these, which are in order and do not overlap. */
function gapsIn({ from, until }: TimeRange, ranges: readonly TimeRange[]): TimeRange[] {
  const gaps: TimeRange[] = [];
  let at = from;
  for (const range of ranges) {
    if (range.from > at) gaps.push({ from: at, until: Math.min(range.from, until) });
    at = Math.max(at, range.until);
  }
  if (at < until) gaps.push({ from: at, until });
  return gaps;
}

/** Stores a gap, together with the range before it if it has the same time. */
async function storeGap(
  session: Session,
  destination: string,
  gap: ConfirmedRange,
  before: ConfirmedRange | undefined,
): Promise<void> {
  const isContinued = before?.since === gap.since;
  if (isContinued) await session.query(REMOVE_RANGE, [destination, before.until]);
  const from = isContinued ? before.from : gap.from;
  await session.query(STORE_RANGE, [destination, from, gap.until, gap.since]);
}

async function storeRange(session: Session, destination: string, range: ConfirmedRange): Promise<void> {
  const { from, until, since } = range;
  let known = await session.query<ConfirmedRange>(CONFIRMED, [destination, from, until]);
  for (const gap of gapsIn(range, known)) {
    const before = known.find((each) => each.until === gap.from);
    await storeGap(session, destination, { ...gap, since }, before);
    known = await session.query<ConfirmedRange>(CONFIRMED, [destination, from, until]);
  }
}

/** What of a range can be confirmed: what was delivered before there were spans cannot. */
async function countedPart(session: Session, range: ConfirmedRange): Promise<ConfirmedRange> {
  const [mark] = await session.query<{ at: number }>(SPANS_SINCE);
  return { ...range, from: Math.max(range.from, mark?.at ?? range.from) };
}

function assertRange({ from, until }: TimeRange, now: number): void {
  for (const at of [from, until])
    if (!Number.isSafeInteger(at) || at % DELIVERY_SPAN_MS !== 0)
      throw new RefusedError(`a range begins and ends at multiples of ${DELIVERY_SPAN_MS} ms`);
  if (until > now) throw new RefusedError('a range that is confirmed ends in the past');
}

async function confirmSlice(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  slice: ConfirmedRange,
  lockWaitMs: number,
): Promise<number> {
  return sessions.transaction('work', async (session) => {
    await session.query(SET_LIMIT, [`${lockWaitMs}ms`]);
    await session.query(EXCLUDE);
    await session.query(SET_LIMIT, [`${LAST_WAIT_MS}ms`]);
    const counted = await countedPart(session, slice);
    const { from, until } = counted;
    if (from >= until) return 0;
    const params = [session.stream, destination, from - (from % DELIVERY_SPAN_MS), until];
    const [row] = await session.query<{ landed: number }>(LAND, params);
    await storeRange(session, destination, counted);
    return row?.landed ?? 0;
  });
}

async function confirmPatiently(
  engine: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  slice: ConfirmedRange,
): Promise<number> {
  const waits = [...FIRST_WAITS_MS, ...Array.from({ length: LAST_TRIES - 1 }, () => LAST_WAIT_MS)];
  for (const lockWaitMs of waits) {
    try {
      return await confirmSlice(engine, destination, slice, lockWaitMs);
    } catch (error) {
      if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
      await delay(PAUSE_MS);
    }
  }
  return confirmSlice(engine, destination, slice, LAST_WAIT_MS);
}

/** See Landings. */
export async function confirm(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  destination: string,
  range: ConfirmedRange,
): Promise<{ readonly landed: number }> {
  assertRange(range, now());
  const stored = storedText(destination);
  const { until, since } = range;
  let landed = 0;
  for (let { from } = range; from < until; from += SLICE_MS) {
    const slice = { from, until: Math.min(from + SLICE_MS, until), since };
    landed += await confirmPatiently({ sessions }, stored, slice);
  }
  return { landed };
}
