import { addToQueueSql } from '../engine/queue-insertion.ts';
import type { RefreshRequest } from '../../journal.ts';
import { MAX_CHANGES_PER_STEP, REFRESHED, REFRESHER } from '../../operator-actions.ts';
import { hasBodySql, keepsBodySql } from '../engine/body-presence.ts';
import { addCountsSql } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { pinHeads } from '../engine/head-pins.ts';
import { leaveLandingsSql } from '../engine/landing-changes.ts';
import { isOverSql } from '../engine/refresh-state.ts';
import { STATE_CODES, type StateCode, type StoredRow } from '../engine/stored-events.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { type Placement, placementsOf } from './placements.ts';

/*
 * Makes events pending that are due for a refresh, as a replay does, but without a job. Events are
 * locked before their refreshes, as everywhere.
 */

/** Whoever asks every few seconds does not read the whole of a backlog that is not due yet. */
const FIRST_DUE: Statement = {
  name: 'refresh_first_due',
  text: 'SELECT FROM refreshes WHERE NOT is_running AND due_at <= $1 ORDER BY due_at LIMIT 1',
};

/** One at a time over all replicas, so that no more are running than were asked for. */
const LOCK_REFRESHES: Statement = {
  name: 'refresh_lock',
  text: `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' refreshes', 0))`,
};

const FORGET_OVER: Statement = {
  name: 'refresh_forget_over',
  text: `DELETE FROM refreshes AS r WHERE ${isOverSql('r')}`,
};

/** Of the routes in `$1` and `$2`. */
const COUNT_RUNNING: Statement = {
  name: 'refresh_running',
  text: `SELECT count(*)::integer AS running
    FROM refreshes AS r JOIN unnest($1::text[], $2::text[]) AS i (source, destination)
      ON r.source = i.source AND r.destination = i.destination
    WHERE r.is_running`,
};

/** The newest ones that are due at `$3`. */
const FIND_DUE: Statement = {
  name: 'refresh_due',
  text: `SELECT due.receipt, due.day, due.seq, ${hasBodySql('due')} AS "hasBody"
    FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS u (source, destination)) AS i
      CROSS JOIN LATERAL (
        SELECT r.receipt, r.day, r.seq FROM refreshes AS r
        WHERE r.source = i.source AND r.destination = i.destination AND NOT r.is_running AND r.due_at <= $3
        ORDER BY r.seq DESC LIMIT ${MAX_CHANGES_PER_STEP}
      ) AS due
    ORDER BY due.seq DESC LIMIT ${MAX_CHANGES_PER_STEP}`,
};

/** Of those whose body is gone, the event may be gone too. */
const LOCK_EVENTS: Statement = {
  name: 'refresh_lock_events',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.destination, e.lane, e.own_lane, e.lane_key, e.state,
      e.settled_at
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    ORDER BY e.seq FOR UPDATE OF e`,
};

/*
 * Whether an event has its body, and still waits, is read after it was locked. `$12` are all that
 * were due: what cannot be refreshed no longer waits.
 */
const START: Statement = {
  name: 'refresh_start',
  text: `WITH base AS MATERIALIZED (SELECT nextval('positions') AS n),
    input AS MATERIALIZED (
      SELECT i.* FROM unnest($2::uuid[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::integer[],
          $8::text[], $13::bigint[]) WITH ORDINALITY
        AS i (receipt, day, seq, lane, own_lane, lane_key, state, settled_at, place)
      WHERE i.state = '${STATE_CODES.delivered}' AND ${keepsBodySql('i')} AND EXISTS (
        SELECT FROM refreshes AS r WHERE r.receipt = i.receipt AND NOT r.is_running
      )
    ),
    changed AS (
      UPDATE events AS e SET state = 'p', reason = NULL, detail = NULL, settled_at = NULL, notes = NULL,
        due_at = $9, failures = 0, charged = 0, is_replay = true, lane = i.lane, own_lane = i.own_lane,
        lane_key = i.lane_key, delivered = 0
      FROM input AS i WHERE e.receipt = i.receipt AND e.day = i.day
      RETURNING i.*, e.source, e.destination, e.received_at, e.body_bytes, e.replays
    ),
    left_state AS (
      SELECT receipt, source, destination, settled_at, state, NULL::text AS reason FROM changed
    ),
    ${leaveLandingsSql('left_state')},
    queued AS (
      ${addToQueueSql('changed, base', { isReplay: 'true', position: 'n + place', dueAt: '$9' })}
    ),
    running AS (
      UPDATE refreshes AS r SET is_running = true, replays = c.replays, lane = c.lane, lane_key = c.lane_key
      FROM changed AS c WHERE r.receipt = c.receipt
    ),
    gone AS (
      DELETE FROM refreshes AS r WHERE r.receipt = ANY ($12::uuid[]) AND NOT r.is_running
        AND r.receipt NOT IN (SELECT receipt FROM input)
      RETURNING r.receipt
    ),
    recorded AS (INSERT INTO actions (seq, at, by, action) SELECT seq, $9, $10, $11 FROM changed),
    counted AS (${addCountsSql('changed', {
      pending: 'count(*)',
      replaying: 'count(*)',
      delivered: '-count(*)',
    })})
    SELECT ARRAY(SELECT DISTINCT destination FROM changed) AS destinations,
      (SELECT count(*)::integer FROM changed) AS started,
      (SELECT count(*)::integer FROM gone
       WHERE NOT EXISTS (SELECT FROM unnest($2::uuid[], $8::text[]) AS i (receipt, state)
         WHERE i.receipt = gone.receipt AND i.state <> '${STATE_CODES.delivered}')) AS dropped`,
};

type LockedRow = Pick<
  StoredRow,
  'receipt' | 'day' | 'seq' | 'source' | 'destination' | 'lane' | 'own_lane'
> & {
  readonly state: StateCode;
  readonly lane_key: number;
  readonly settled_at: number | null;
};

type DueRow = Pick<StoredRow, 'receipt' | 'day' | 'seq'> & { readonly hasBody: boolean };

interface Started {
  readonly destinations: readonly string[];
  readonly started: number;
  readonly dropped: number;
}

const NOTHING: Started = { destinations: [], started: 0, dropped: 0 };

/** The newest ones, as many as may be started, and those between them that have lost their body. */
function newestOf(due: readonly DueRow[], free: number): readonly DueRow[] {
  const chosen: DueRow[] = [];
  let left = free;
  for (const row of due) {
    if (left === 0) break;
    chosen.push(row);
    if (row.hasBody) left -= 1;
  }
  return chosen;
}

async function start(
  { now }: Pick<PostgresEngine, 'now'>,
  session: Session,
  due: readonly DueRow[],
): Promise<Started> {
  const receipts = due.map(({ receipt }) => receipt);
  const rows = await session.query<LockedRow>(LOCK_EVENTS, [receipts, due.map(({ day }) => day)]);
  // A customer may have been merged since.
  const placements = await placementsOf(
    session,
    rows.map(({ destination, own_lane, lane, lane_key }) => ({
      destination,
      original: own_lane ?? lane,
      laneKey: lane_key,
    })),
  );
  await pinHeads(
    session,
    rows.flatMap(({ seq, destination, state }, index) => {
      const { lane, lane_key: laneKey } = placements[index] as Placement;
      const isLeft = lane === null || state !== STATE_CODES.delivered;
      return isLeft ? [] : [{ destination, lane, laneKey, isReplay: true, seq }];
    }),
  );
  const [started] = await session.query<Started>(START, [
    session.stream,
    rows.map(({ receipt }) => receipt),
    rows.map(({ day }) => day),
    rows.map(({ seq }) => seq),
    placements.map(({ lane }) => lane),
    placements.map(({ own_lane }) => own_lane),
    placements.map(({ lane_key }) => lane_key),
    rows.map(({ state }) => state),
    now(),
    REFRESHER,
    REFRESHED,
    receipts,
    rows.map(({ settled_at }) => settled_at),
  ]);
  return started ?? NOTHING;
}

/** See Enrichments. Looks at a bounded number of events: what is left is for the next call. */
export async function refresh(
  engine: PostgresEngine,
  { routes, running }: RefreshRequest,
): Promise<{ readonly started: number; readonly dropped: number }> {
  const { sessions, now, notifyClaimable } = engine;
  const ofRoutes = [
    routes.map(({ source }) => storedText(source)),
    routes.map(({ destination }) => storedText(destination)),
  ];
  const isAnyDue = routes.length > 0 && (await sessions.query('work', FIRST_DUE, [now()])).length > 0;
  if (!isAnyDue) return { started: 0, dropped: 0 };
  const { destinations, started, dropped } = await sessions.transaction('work', async (session) => {
    await session.query(LOCK_REFRESHES);
    await session.query(FORGET_OVER);
    const [counted] = await session.query<{ running: number }>(COUNT_RUNNING, ofRoutes);
    const free = running - (counted?.running ?? 0);
    const due = free <= 0 ? [] : await session.query<DueRow>(FIND_DUE, [...ofRoutes, now()]);
    return due.length === 0 ? NOTHING : start(engine, session, newestOf(due, free));
  });
  for (const destination of destinations) notifyClaimable(textOf(destination));
  return { started, dropped };
}
