import type { Backlog } from '../../journal.ts';
import { readPending } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';

/** Up to so many pending events, all of them are read to find the oldest. */
const MAX_READ = 20_000;
/** Entries of each stream that are read of a longer backlog. */
const HEADS = 200;

const OLDEST: Statement = {
  name: 'backlog_oldest',
  text: `SELECT min(received_at) AS oldest FROM queue WHERE destination = $1 AND NOT is_replay`,
};

/*
 * Of a long backlog the first entries of each stream are read, which has entries in the order in
 * which they were queued. What was queued again, for example because it was rerouted, is further
 * back, and can be older by what the first entries are apart.
 */
const OLDEST_HEADS: Statement = {
  name: 'backlog_oldest_heads',
  text: `WITH RECURSIVE streams_of AS (
      (SELECT stream FROM queue WHERE destination = $1 AND NOT is_replay ORDER BY stream LIMIT 1)
      UNION ALL
      SELECT (SELECT q.stream FROM queue AS q
        WHERE q.destination = $1 AND NOT q.is_replay AND q.stream > s.stream ORDER BY q.stream LIMIT 1)
      FROM streams_of AS s WHERE s.stream IS NOT NULL
    )
    SELECT min(head.received_at) AS oldest FROM streams_of AS s, LATERAL (
      SELECT q.received_at FROM queue AS q
      WHERE q.destination = $1 AND NOT q.is_replay AND q.stream = s.stream ORDER BY q.pos LIMIT ${HEADS}
    ) AS head`,
};

/** The backlog of every destination that ever had a pending event. */
export async function readBacklog({ sessions }: PostgresEngine): Promise<readonly Backlog[]> {
  const counts = await readPending(sessions);
  return Promise.all(
    counts.map(async ({ destination, pending, replaying }) => {
      const waiting = pending - replaying;
      const statement = waiting > MAX_READ ? OLDEST_HEADS : OLDEST;
      const [row] =
        waiting > 0 ? await sessions.query<{ oldest: number | null }>('work', statement, [destination]) : [];
      const oldest = row?.oldest ?? null;
      return { destination, pending, replaying, ...(oldest === null ? {} : { oldestReceivedAt: oldest }) };
    }),
  );
}
