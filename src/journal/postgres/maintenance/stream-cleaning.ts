import { COUNTS, upsertSql } from '../engine/count-changes.ts';
import type { Sessions, Statement } from '../sessions/session.ts';

/*
 * Each connection has rows of its own: one in `streams`, its counts, and spans, which stay until
 * they are confirmed. Here the others of closed ones go. A connection is closed when the server has
 * no such process any more; a process of another user, whose start is hidden, counts as alive.
 */

const IS_CLOSED = `NOT EXISTS (
  SELECT FROM pg_stat_activity a WHERE a.pid = s.backend
    AND (a.backend_start IS NULL OR a.backend_start = s.backend_started)
)`;

/** The sums over all streams stay the same: stream 0 belongs to nobody. */
const FOLD_COUNTS: Statement = {
  name: 'maintenance_fold_counts',
  text: `
WITH closed AS MATERIALIZED (
  SELECT DISTINCT c.stream FROM counts c WHERE c.stream <> 0
    AND NOT EXISTS (SELECT FROM streams s WHERE s.id = c.stream AND NOT ${IS_CLOSED})
),
gone AS (DELETE FROM counts c USING closed WHERE c.stream = closed.stream RETURNING c.*)
${upsertSql(
  COUNTS,
  `SELECT 0, source, destination, ${COUNTS.map((column) => `sum(${column})`).join(', ')}
   FROM gone GROUP BY source, destination ORDER BY source, destination`,
)}`,
};

const FOLD_LANDINGS: Statement = {
  name: 'maintenance_fold_landings',
  text: `
WITH closed AS MATERIALIZED (
  SELECT DISTINCT l.stream FROM landings l WHERE l.stream <> 0
    AND NOT EXISTS (SELECT FROM streams s WHERE s.id = l.stream AND NOT ${IS_CLOSED})
),
gone AS (DELETE FROM landings l USING closed WHERE l.stream = closed.stream RETURNING l.*)
INSERT INTO landings (stream, source, landed, refused_later)
SELECT 0, source, sum(landed), sum(refused_later) FROM gone GROUP BY source ORDER BY source
ON CONFLICT (stream, source) DO UPDATE SET landed = landings.landed + excluded.landed,
  refused_later = landings.refused_later + excluded.refused_later`,
};

const CLOSED_STREAMS: Statement = {
  name: 'maintenance_closed_streams',
  text: `SELECT s.id FROM streams s WHERE ${IS_CLOSED}`,
};

/**
 * A stream stays while the queue has entries of it: whoever reads the queue goes by streams. Those
 * that are closed must be known before: the statement does not see what is committed while it runs,
 * but it would see that a process has ended.
 */
const REMOVE_STREAMS: Statement = {
  name: 'maintenance_remove_streams',
  text: `
DELETE FROM streams s WHERE s.id = ANY ($1::integer[])
  AND NOT EXISTS (SELECT FROM counts c WHERE c.stream = s.id)
  AND NOT EXISTS (
    SELECT FROM (SELECT DISTINCT destination FROM counts) d, (VALUES (false), (true)) r (is_replay),
      LATERAL (
        SELECT FROM queue q WHERE q.destination = d.destination AND q.is_replay = r.is_replay
          AND q.stream = s.id LIMIT 1
      ) entry
  )`,
};

/** Removes what closed connections have left behind. */
export async function cleanStreams(sessions: Sessions): Promise<void> {
  await sessions.query('work', FOLD_COUNTS);
  await sessions.query('work', FOLD_LANDINGS);
  const closed = await sessions.query<{ id: number }>('work', CLOSED_STREAMS);
  await sessions.query('work', REMOVE_STREAMS, [closed.map(({ id }) => id)]);
}
