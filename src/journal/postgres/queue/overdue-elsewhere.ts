import type { Overdue } from '../../journal.ts';
import { NO_DESTINATION } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';

/**
 * The oldest due entries at the beginning of each stream. $1: destinations that are left out, $2:
 * the time.
 */
const OLDEST: Statement = {
  name: 'oldest_due',
  text: `SELECT entry.source, of.destination, min(entry.due_at)::bigint AS due_at
    FROM (
      SELECT destination FROM counts
      WHERE destination <> '${NO_DESTINATION}' AND destination <> ALL ($1::text[])
      GROUP BY destination HAVING sum(pending) > 0
    ) of
    CROSS JOIN streams
    CROSS JOIN LATERAL (
      SELECT q.source, q.due_at FROM queue q
      WHERE q.destination = of.destination AND NOT q.is_replay AND q.stream = streams.id
      ORDER BY q.pos LIMIT 64
    ) entry
    WHERE entry.due_at <= $2
    GROUP BY entry.source, of.destination`,
};

/** What is overdue at destinations from which this process has never claimed. */
export async function oldestElsewhere(
  { sessions, now }: PostgresEngine,
  claimedHere: readonly string[],
): Promise<readonly Overdue[]> {
  const time = now();
  const rows = await sessions.query<{ source: string; destination: string; due_at: number }>('work', OLDEST, [
    claimedHere,
    time,
  ]);
  return rows.map(({ source, destination, due_at }) => ({ source, destination, since: time - due_at }));
}
