import { addToQueueSql } from '../engine/queue-insertion.ts';
import {
  MAX_CHANGES_PER_STEP,
  replayedAction,
  suffixAfterReplay,
  withStates,
} from '../../operator-actions.ts';
import { type JobScope, REPLAYED_STATES } from '../../replay-scope.ts';
import { keepsBodySql } from '../engine/body-presence.ts';
import { addCountsSql } from '../engine/count-changes.ts';
import { pinHeads } from '../engine/head-pins.ts';
import { leaveLandingsSql } from '../engine/landing-changes.ts';
import { STATE_CODES, type StateCode, type StoredRow } from '../engine/stored-events.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { type ScannedEvents, scanEvents } from './event-scan.ts';
import { type Placement, placementsOf } from './placements.ts';

/* One step of a replay: up to some hundred settled events become pending again. */

/** A settled event that nobody else can change until the transaction ends. */
type LockedRow = Pick<
  StoredRow,
  'receipt' | 'day' | 'seq' | 'source' | 'destination' | 'lane' | 'own_lane' | 'id_suffix'
> & {
  readonly state: StateCode;
  readonly lane_key: number;
  readonly settled_at: number | null;
  readonly reason: string | null;
};

/** By `seq`, as everywhere, so that two transactions do not wait for each other. */
const LOCK: Statement = {
  name: 'replay_lock',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.destination, e.lane, e.own_lane, e.lane_key,
      e.id_suffix, e.state, e.settled_at, e.reason
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    WHERE e.state::text = ANY ($3::text[]) ORDER BY e.seq FOR UPDATE OF e`,
};

/*
 * Whether an event has its body is read here, after it was locked: an erasure that came before is
 * seen.
 */
const REPLAY: Statement = {
  name: 'replay_events',
  text: `WITH base AS MATERIALIZED (SELECT nextval('positions') AS n),
    input AS MATERIALIZED (
      SELECT * FROM unnest($2::uuid[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[],
          $8::text[], $9::text[], $10::text[], $11::integer[], $12::text[], $16::bigint[], $17::text[])
          WITH ORDINALITY AS i (receipt, day, seq, state, source, former, destination, lane, own_lane,
            lane_key, suffix, settled_at, reason, place)
      WHERE ${keepsBodySql('i')}
    ),
    changed AS (
      UPDATE events AS e SET state = 'p', reason = NULL, detail = NULL, settled_at = NULL, notes = NULL,
        due_at = $13, failures = 0, charged = 0, is_replay = true, destination = i.destination,
        lane = i.lane, own_lane = i.own_lane, lane_key = i.lane_key, id_suffix = i.suffix,
        delivered = CASE WHEN i.state = '${STATE_CODES.delivered}' THEN 0 ELSE e.delivered END,
        replays = e.replays + 1
      FROM input AS i WHERE e.receipt = i.receipt AND e.day = i.day
      RETURNING i.*, e.received_at, e.body_bytes
    ),
    left_state AS (
      SELECT receipt, source, former AS destination, settled_at, state, reason FROM changed
    ),
    ${leaveLandingsSql('left_state')},
    queued AS (
      ${addToQueueSql('changed, base', { isReplay: 'true', position: 'n + place', dueAt: '$13' })}
    ),
    unsent AS (DELETE FROM sent AS s USING input AS i WHERE s.seq = i.seq),
    undead AS (DELETE FROM dead_letters AS d USING input AS i WHERE d.receipt = i.receipt),
    refreshed AS (DELETE FROM refreshes AS r USING input AS i WHERE r.receipt = i.receipt),
    recorded AS (INSERT INTO actions (seq, at, by, action) SELECT seq, $13, $14, $15 FROM changed),
    counted AS (${addCountsSql(
      `(SELECT source, former AS destination, state, 0 AS queued FROM changed
        UNION ALL SELECT source, destination, '', 1 FROM changed) AS changes`,
      {
        pending: 'sum(queued)',
        replaying: 'sum(queued)',
        delivered: `-count(*) FILTER (WHERE state = '${STATE_CODES.delivered}')`,
        ignored: `-count(*) FILTER (WHERE state = '${STATE_CODES.ignored}')`,
        dead: `-count(*) FILTER (WHERE state = '${STATE_CODES.dead}')`,
      },
    )})
    SELECT DISTINCT destination, (SELECT count(*)::integer FROM changed) AS replayed FROM changed`,
};

/** What a step needs to know of its job. */
export interface ReplayedBy {
  readonly at: number;
  readonly by: string;
  readonly as_new: boolean;
}

export interface StepResult {
  readonly matched: number;
  readonly replayed: number;
  /** At which something is pending now. */
  readonly destinations: readonly string[];
  /** The receipt after which the next step begins; absent if nothing follows. */
  readonly next?: string;
}

/** Bytes of the events that one step reads at most. */
const MAX_STEP_BYTES = 8 * 1_024 * 1_024;

async function lockRows(session: Session, { rows }: ScannedEvents): Promise<readonly LockedRow[]> {
  if (rows.length === 0) return [];
  return session.query<LockedRow>(LOCK, [
    rows.map(({ receipt }) => receipt),
    rows.map(({ day }) => day),
    REPLAYED_STATES.map((state) => STATE_CODES[state]),
  ]);
}

/** Replays the next events, ascending, so that the oldest event of a lane becomes its head. */
export async function replayEvents(
  session: Session,
  { filter, routes, refetch }: JobScope,
  range: { readonly after: string | undefined; readonly until: string | undefined },
  { at, by, as_new }: ReplayedBy,
): Promise<StepResult> {
  const settled = withStates(filter, REPLAYED_STATES);
  const scanned = await scanEvents(
    (statement, params) => session.query(statement, params),
    { direction: 'ascending', filter: settled, ...range },
    { limit: MAX_CHANGES_PER_STEP, maxBytes: MAX_STEP_BYTES },
  );
  const next = scanned.next === undefined ? {} : { next: scanned.next };
  const rows = await lockRows(session, scanned);
  if (rows.length === 0) return { matched: 0, replayed: 0, destinations: [], ...next };
  const destinations = rows.map(({ source, destination }) => routes[source] ?? destination);
  // A customer may have been merged since.
  const placements = await placementsOf(
    session,
    rows.map((row, index) => ({
      destination: destinations[index] as string,
      original: row.own_lane ?? row.lane,
      laneKey: row.lane_key,
    })),
  );
  await pinHeads(
    session,
    rows.flatMap(({ seq }, index) => {
      const { lane, lane_key: laneKey } = placements[index] as Placement;
      const destination = destinations[index] as string;
      return lane === null ? [] : [{ destination, lane, laneKey, isReplay: true, seq }];
    }),
  );
  const found = await session.query<{ destination: string; replayed: number }>(REPLAY, [
    session.stream,
    rows.map(({ receipt }) => receipt),
    rows.map(({ day }) => day),
    rows.map(({ seq }) => seq),
    rows.map(({ state }) => state),
    rows.map(({ source }) => source),
    rows.map(({ destination }) => destination),
    destinations,
    placements.map(({ lane }) => lane),
    placements.map(({ own_lane }) => own_lane),
    placements.map(({ lane_key }) => lane_key),
    rows.map(({ id_suffix }) => suffixAfterReplay(id_suffix, as_new)),
    at,
    by,
    replayedAction(as_new, refetch),
    rows.map(({ settled_at }) => settled_at),
    rows.map(({ reason }) => reason),
  ]);
  return {
    matched: rows.length,
    replayed: found[0]?.replayed ?? 0,
    destinations: found.map(({ destination }) => destination),
    ...next,
  };
}
