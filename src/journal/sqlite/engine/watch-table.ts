import { RefusedError } from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import type { QueueRow } from './event-row.ts';
import type { Engine } from './sqlite-engine.ts';

/** The delivered event is to be read back. */
export function watch({ db, landings }: Engine, { seq, destination }: QueueRow, settledAt: number): void {
  landings.isAnyWatched = true;
  db.run(
    'INSERT OR REPLACE INTO watched (seq, destination, settled_at) VALUES (?, ?, ?)',
    seq,
    destination,
    settledAt,
  );
}

export function watched(
  { db }: Engine,
  { destination, page: { until, limit } }: RequestOf<'watched'>,
): AnswerOf<'watched'> {
  if (!(limit >= 1 && limit <= 1_000)) throw new RefusedError('a limit must be from 1 to 1000');
  const rows = db.all(
    `SELECT e.receipt FROM watched w INDEXED BY watched_oldest JOIN events e USING (seq)
     WHERE w.destination = ? AND w.settled_at < ? ORDER BY w.settled_at, w.seq LIMIT +?`,
    destination,
    until,
    Math.trunc(limit),
  ) as { receipt: string }[];
  return rows.map(({ receipt }) => receipt);
}

export function unwatch({ db }: Engine, receipts: RequestOf<'unwatch'>): void {
  for (const receipt of receipts)
    db.run('DELETE FROM watched WHERE seq = (SELECT seq FROM events WHERE receipt = ?)', receipt);
}
