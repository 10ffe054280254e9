import type { Overdue } from '../../journal.ts';
import { SLOTS } from '../../fleet.ts';
import { FLEET_TIMING } from '../fleet/fleet-timing.ts';
import type { Sessions, Statement } from '../sessions/session.ts';

/** Entries of each stream that are looked at: the oldest ones. */
const MAX_ENTRIES = 1_000;

/**
 * The events that could be claimed if somebody owned their slot. Usually every slot has an owner,
 * and the queue is not read at all.
 * Parameters: now, lease in ms.
 */
const UNOWNED: Statement = {
  name: 'maintenance_unowned_overdue',
  text: `
WITH unowned AS MATERIALIZED (
  SELECT d.destination, n.slot
  FROM (SELECT destination FROM counts WHERE destination <> '' GROUP BY 1 HAVING sum(pending) > 0) d
  CROSS JOIN generate_series(0, ${SLOTS - 1}) n (slot)
  LEFT JOIN slots s ON s.destination = d.destination AND s.slot = n.slot
  LEFT JOIN replicas r ON r.id = s.owner
    AND r.seen > clock_timestamp() - $2::float8 * interval '1 ms'
  WHERE r.id IS NULL
),
entries AS (
  SELECT q.* FROM (SELECT DISTINCT destination FROM unowned) d
  CROSS JOIN (VALUES (false), (true)) kind (is_replay) CROSS JOIN streams s
  CROSS JOIN LATERAL (
    SELECT q.destination, q.is_replay, q.source, q.receipt, q.lane, q.lane_key, q.seq, q.due_at
    FROM queue q
    WHERE q.destination = d.destination AND q.is_replay = kind.is_replay AND q.stream = s.id
    ORDER BY q.pos LIMIT ${MAX_ENTRIES}
  ) q
  WHERE EXISTS (
    SELECT FROM unowned u WHERE u.destination = q.destination AND u.slot = q.lane_key & ${SLOTS - 1}
  )
),
heads AS (
  SELECT DISTINCT ON (destination, is_replay, coalesce(lane, receipt::text)) source, destination, due_at
  FROM entries ORDER BY destination, is_replay, coalesce(lane, receipt::text), seq
)
SELECT source, destination, ($1::bigint - min(due_at))::bigint AS since FROM heads
WHERE due_at <= $1::bigint GROUP BY source, destination`,
};

/** The oldest events that are due, in slots that no living replica owns. */
export function unownedOverdue(sessions: Sessions, now: number): Promise<readonly Overdue[]> {
  return sessions.query<Overdue>('work', UNOWNED, [now, FLEET_TIMING.lease]);
}

/** For each source and destination the one that has waited longest. */
export function longestOverdue(all: readonly Overdue[]): readonly Overdue[] {
  const longest = new Map<string, Overdue>();
  for (const each of all) {
    const key = JSON.stringify([each.source, each.destination]);
    if (each.since > (longest.get(key)?.since ?? -1)) longest.set(key, each);
  }
  return [...longest.values()];
}
