import { DELIVERY_SPAN_MS } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';

/** Age of spans that nobody has confirmed; see Landings. */
const SPANS_AGE_MS = 35 * 86_400_000;

/** What was delivered before is in no span from then on. */
const REMOVE_SPANS: Statement = {
  name: 'maintenance_remove_spans',
  text: `WITH gone AS (DELETE FROM spans WHERE at < $1::bigint RETURNING 1)
    INSERT INTO marks (name, at) SELECT 'spans-since', $1::bigint WHERE EXISTS (SELECT FROM gone)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at < excluded.at`,
};

/** Forgets spans that nobody has confirmed. */
export async function removeOldSpans({
  sessions,
  now,
}: Pick<PostgresEngine, 'sessions' | 'now'>): Promise<void> {
  const spansBefore = now() - SPANS_AGE_MS;
  await sessions.query('work', REMOVE_SPANS, [spansBefore - (spansBefore % DELIVERY_SPAN_MS)]);
}
