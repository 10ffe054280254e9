import { spanStart } from './landing-counts.ts';
import { raiseMark } from './landing-state.ts';
import type { Engine } from './sqlite-engine.ts';

const DAY_MS = 86_400_000;
/** Age after which a span is forgotten that was not confirmed. */
const MAX_SPAN_AGE_MS = 35 * DAY_MS;
/** Age after which it no longer matters since when exactly a confirmed range has landed. */
const MAX_RANGE_AGE_MS = 90 * DAY_MS;
/** Ranges that one step joins. */
const MAX_JOINED_PER_STEP = 300;

function forgetOldSpans({ db, landings }: Engine, now: number): void {
  const before = spanStart(now - MAX_SPAN_AGE_MS);
  if (db.one('SELECT 1 FROM spans WHERE at < ? LIMIT 1', before) === undefined) return;
  raiseMark(db, 'spans-since', before);
  landings.refresh();
  landings.spans.remove(db, { from: 0, until: before });
}

/** Joins old ranges with the one before, whose time they get. What is confirmed stays confirmed. */
function joinOldRanges({ db, landings }: Engine, now: number): void {
  const old = db.all(
    `SELECT destination, from_at AS "from" FROM (
       SELECT destination, from_at, lag(until_at) OVER (PARTITION BY destination ORDER BY from_at) AS before
       FROM confirmed WHERE until_at < ?
     ) WHERE before = from_at ORDER BY destination, from_at DESC LIMIT ${MAX_JOINED_PER_STEP}`,
    now - MAX_RANGE_AGE_MS,
  ) as { destination: string; from: number }[];
  // From the newest on: what has been joined is part of the range that is joined next.
  for (const { destination, from } of old) {
    const { until } = db.one(
      'DELETE FROM confirmed WHERE destination = ? AND from_at = ? RETURNING until_at AS until',
      destination,
      from,
    ) as { until: number };
    db.run(
      'UPDATE confirmed SET until_at = ? WHERE destination = ? AND until_at = ?',
      until,
      destination,
      from,
    );
  }
  if (old.length > 0) landings.refresh();
}

/** Forgets what nobody has confirmed for weeks, and joins what was confirmed months ago. */
export function keepSpansShort(engine: Engine, now: number): void {
  forgetOldSpans(engine, now);
  joinOldRanges(engine, now);
}
