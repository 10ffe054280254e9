import type { Session, Statement } from '../sessions/session.ts';
import { laneKeyOf } from './lane-keys.ts';
import { isOverSql } from './refresh-state.ts';

/* Refreshes of customers who are merged. */

/** The refreshes of a lane that was merged go to the other lane. */
const MOVE_REFRESHES: Statement = {
  name: 'move_refreshes',
  text: `UPDATE refreshes SET lane = $4, lane_key = $5
    WHERE destination = $1 AND lane_key = $3 AND lane = $2 AND customer RETURNING receipt`,
};

/** Of the customer's parts of a lane, all but that of the newest event are removed. */
const UNITE_REFRESHES: Statement = {
  name: 'unite_refreshes',
  text: `WITH parts AS MATERIALIZED (
      SELECT r.receipt, r.bill, r.is_running, r.since, row_number() OVER (ORDER BY r.seq DESC) AS n
      FROM refreshes r
      WHERE r.destination = $1 AND r.lane_key = $3 AND r.lane = $2 AND r.customer AND NOT ${isOverSql('r')}
    ),
    emptied AS (
      DELETE FROM refreshes r USING parts p WHERE r.receipt = p.receipt AND p.n > 1
        AND NOT p.bill AND NOT p.is_running
    )
    UPDATE refreshes r SET customer = (p.n = 1),
      since = CASE WHEN p.n = 1 THEN (SELECT min(since) FROM parts) ELSE r.since END
    FROM parts p WHERE r.receipt = p.receipt AND (p.n = 1 OR p.bill OR p.is_running)`,
};

/** The customers of both lanes are one now. The lanes are in the form in which they are stored. */
export async function mergeRefreshes(
  session: Session,
  destination: string,
  from: string,
  to: string,
): Promise<void> {
  const [fromKey, toKey] = [laneKeyOf(from, ''), laneKeyOf(to, '')];
  const moved = await session.query(MOVE_REFRESHES, [destination, from, fromKey, to, toKey]);
  if (moved.length > 0) await session.query(UNITE_REFRESHES, [destination, to, toKey]);
}
