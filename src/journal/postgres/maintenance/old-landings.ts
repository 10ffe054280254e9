import { DELIVERY_SPAN_MS } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';

const DAY_MS = 24 * 3_600_000;
/** Age of spans that nobody has confirmed; see Landings. */
const SPANS_AGE_MS = 35 * DAY_MS;
/** Age of confirmed ranges: what was settled before can hardly be replayed any more. */
const RANGES_AGE_MS = 90 * DAY_MS;

/** What was delivered before is in no span from then on. */
const REMOVE_SPANS: Statement = {
  name: 'maintenance_remove_spans',
  text: `WITH gone AS (DELETE FROM spans WHERE at < $1::bigint RETURNING 1)
    INSERT INTO marks (name, at) SELECT 'spans-since', $1::bigint WHERE EXISTS (SELECT FROM gone)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at < excluded.at`,
};
const REMOVE_RANGES: Statement = {
  name: 'maintenance_remove_ranges',
  text: 'DELETE FROM confirmed WHERE until_at <= $1::bigint',
};
/** Removes what is too old to be confirmed or changed. The counts of landings stay. */
export async function removeOldLandings({
  sessions,
  now,
}: Pick<PostgresEngine, 'sessions' | 'now'>): Promise<void> {
  const spansBefore = now() - SPANS_AGE_MS;
  await sessions.query('work', REMOVE_SPANS, [spansBefore - (spansBefore % DELIVERY_SPAN_MS)]);
  await sessions.query('work', REMOVE_RANGES, [now() - RANGES_AGE_MS]);
}
