import type { EventFilter, EventState } from '../../journal.ts';
import { REFUSED_LATER } from '../../event-reasons.ts';
import { DISCARDED, MAX_CHANGES_PER_STEP, withStates } from '../../operator-actions.ts';
import { storedBytesSql } from '../engine/body-presence.ts';
import { addCountsSql, NO_DESTINATION } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { addLandingsSql } from '../engine/landing-changes.ts';
import { STATE_CODES, type StateCode, type StoredRow } from '../engine/stored-events.ts';
import { storedText } from '../engine/stored-text.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { assertOpen } from './event-lists.ts';
import { scanEvents } from './event-scan.ts';

const STATES: readonly EventState[] = ['dead', 'malformed'];

const LOCK: Statement = {
  name: 'discard_lock',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.destination, e.state, e.reason
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    WHERE e.state IN ('${STATE_CODES.dead}', '${STATE_CODES.malformed}') ORDER BY e.seq FOR UPDATE OF e`,
};

/** A malformed body is deleted with its record, a dead letter without. */
const DISCARD: Statement = {
  name: 'discard_events',
  text: `WITH input AS MATERIALIZED (
      SELECT *, state = '${STATE_CODES.malformed}' AS is_malformed
      FROM unnest($2::uuid[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[], $10::text[])
        AS i (receipt, day, seq, source, destination, state, reason)
    ),
    emptied AS (
      DELETE FROM bodies AS b USING input AS i WHERE b.seq = i.seq AND b.day = i.day
      RETURNING b.seq, ${storedBytesSql('b')} AS bytes
    ),
    unsent AS (DELETE FROM sent AS s USING input AS i WHERE s.seq = i.seq),
    undead AS (DELETE FROM dead_letters AS d USING input AS i WHERE d.receipt = i.receipt),
    ignored AS (
      UPDATE events AS e SET state = '${STATE_CODES.ignored}', reason = '${DISCARDED}', settled_at = $8
      FROM input AS i WHERE e.receipt = i.receipt AND e.day = i.day AND NOT i.is_malformed
    ),
    removed AS (
      DELETE FROM events AS e USING input AS i
      WHERE e.receipt = i.receipt AND e.day = i.day AND i.is_malformed
    ),
    forgotten AS (DELETE FROM actions AS a USING input AS i WHERE a.seq = i.seq AND i.is_malformed),
    recorded AS (
      INSERT INTO actions (seq, at, by, action)
      SELECT seq, $8, $9, '${DISCARDED}' FROM input WHERE NOT is_malformed
    ),
    unlanded AS (${addLandingsSql('input', {
      refusedLater: `-count(*) FILTER (WHERE reason = '${REFUSED_LATER}')`,
    })}),
    counted AS (${addCountsSql(
      `(SELECT i.source, CASE WHEN is_malformed THEN '${NO_DESTINATION}' ELSE i.destination END AS destination,
          is_malformed, coalesce(bytes, 0) AS bytes
        FROM input AS i LEFT JOIN emptied AS b ON b.seq = i.seq) AS changes`,
      {
        dead: '-count(*) FILTER (WHERE NOT is_malformed)',
        ignored: 'count(*) FILTER (WHERE NOT is_malformed)',
        malformed: '-count(*) FILTER (WHERE is_malformed)',
        stored_events: '-count(*) FILTER (WHERE is_malformed)',
        stored_bytes: '-sum(bytes)',
      },
    )})
    SELECT 1`,
};

type LockedRow = Pick<StoredRow, 'receipt' | 'day' | 'seq' | 'source' | 'destination'> & {
  readonly state: StateCode;
  readonly reason: string | null;
};

/** Bytes of the events that one step reads at most. */
const MAX_STEP_BYTES = 8 * 1_024 * 1_024;

/** Discards events in the transaction of the session. @returns how many were still there */
async function discardRows(
  session: Session,
  found: readonly Pick<StoredRow, 'receipt' | 'day'>[],
  { at, by }: { readonly at: number; readonly by: string },
): Promise<number> {
  if (found.length === 0) return 0;
  const rows = await session.query<LockedRow>(LOCK, [
    found.map(({ receipt }) => receipt),
    found.map(({ day }) => day),
  ]);
  if (rows.length === 0) return 0;
  await session.query(DISCARD, [
    session.stream,
    rows.map(({ receipt }) => receipt),
    rows.map(({ day }) => day),
    rows.map(({ seq }) => seq),
    rows.map(({ source }) => source),
    rows.map(({ destination }) => destination),
    rows.map(({ state }) => state),
    at,
    storedText(by),
    rows.map(({ reason }) => reason),
  ]);
  return rows.length;
}

/** Makes dead letters ignored and deletes malformed bodies, in steps. */
export async function discard(
  { sessions, now }: PostgresEngine,
  filter: EventFilter,
  by: string,
  closing: AbortSignal,
): Promise<{ readonly discarded: number }> {
  let discarded = 0;
  let after: string | undefined;
  do {
    assertOpen(closing);
    const from = after;
    const step = await sessions.transaction('work', async (session) => {
      const scanned = await scanEvents(
        (statement, params) => session.query(statement, params),
        { direction: 'ascending', filter: withStates(filter, STATES), after: from },
        { limit: MAX_CHANGES_PER_STEP, maxBytes: MAX_STEP_BYTES },
      );
      const count = await discardRows(session, scanned.rows, { at: now(), by });
      return { count, next: scanned.next };
    });
    discarded += step.count;
    after = step.next;
  } while (after !== undefined);
  return { discarded };
}
