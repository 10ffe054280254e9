import { hasBodySql, keepsBodySql } from '../engine/body-presence.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { RECORD_REFRESHES, REFRESHES } from '../engine/enrichment-statements.ts';
import { keyOfText } from '../engine/lane-keys.ts';
import { STATE_CODES, type StoredRow } from '../engine/stored-events.ts';
import { storedText } from '../engine/stored-text.ts';
import { type Placement, placementsOf } from '../log/placements.ts';
import type { Session, Statement } from '../sessions/session.ts';

/* Refreshes that reconciliation asks for, as settlements do for what they could not fetch. */

/** OFFSET 0: the events of each customer are looked up by its key. */
const NEWEST: Statement = {
  name: 'landing_newest_of_customers',
  text: `SELECT DISTINCT ON (i.id) e.receipt, e.day FROM unnest($2::integer[], $3::text[]) AS i (key, id)
    CROSS JOIN LATERAL (SELECT receipt, day, seq FROM events WHERE customer_key = i.key
      AND customer_id = i.id AND source = $1 AND state = '${STATE_CODES.delivered}' OFFSET 0) AS e
    WHERE ${hasBodySql('e')} ORDER BY i.id, e.seq DESC`,
};

const LOCK: Statement = {
  name: 'landing_lock_asked',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.destination, e.lane, e.own_lane, e.lane_key,
      ${keepsBodySql('e')} AS "hasBody",
      coalesce((SELECT r.bill FROM refreshes AS r WHERE r.receipt = e.receipt AND NOT r.is_running), false) AS bill
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    WHERE e.state = '${STATE_CODES.delivered}' ORDER BY e.seq DESC FOR UPDATE OF e`,
};

interface AskedRow
  extends Pick<StoredRow, 'receipt' | 'day' | 'seq' | 'source' | 'destination' | 'lane' | 'own_lane'> {
  readonly lane_key: number;
  readonly hasBody: boolean;
  /** It waits for the lines of its bill already. */
  readonly bill: boolean;
}

/** One event of each lane, the newest: its customers were merged. */
function newestOfLanes(rows: readonly (AskedRow & Placement)[]): readonly (AskedRow & Placement)[] {
  const lanes = new Set<string>();
  return rows.filter(({ destination, lane, receipt }) => {
    const key = lane === null ? receipt : `${destination} ${lane}`;
    const isFirst = !lanes.has(key);
    lanes.add(key);
    return isFirst;
  });
}

async function record(session: Session, rows: readonly AskedRow[], now: number): Promise<void> {
  // A customer may have been merged since.
  const placements = await placementsOf(
    session,
    rows.map(({ destination, own_lane, lane, lane_key }) => ({
      destination,
      original: own_lane ?? lane,
      laneKey: lane_key,
    })),
  );
  const placed = rows.map((row, index) => ({ ...row, ...(placements[index] as Placement) }));
  const input = newestOfLanes(placed).map((row) => ({
    ...row,
    is_replay: false,
    is_missing: true,
    customer: true,
    due_at: now,
    takes_over: true,
  }));
  await session.query(RECORD_REFRESHES, [now, ...REFRESHES.params(input)]);
}

/** See Landings. */
export async function askRefresh(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  source: string,
  customerIds: readonly string[],
): Promise<{ readonly asked: number }> {
  const ids = [...new Set(customerIds)];
  if (ids.length === 0) return { asked: 0 };
  return sessions.transaction('work', async (session) => {
    const newest = await session.query<Pick<AskedRow, 'receipt' | 'day'>>(NEWEST, [
      storedText(source),
      ids.map(keyOfText),
      ids.map(storedText),
    ]);
    if (newest.length === 0) return { asked: 0 };
    const locked = await session.query<AskedRow>(LOCK, [
      newest.map(({ receipt }) => receipt),
      newest.map(({ day }) => day),
    ]);
    const rows = locked.filter(({ hasBody }) => hasBody);
    if (rows.length > 0) await record(session, rows, now());
    return { asked: rows.length };
  });
}
