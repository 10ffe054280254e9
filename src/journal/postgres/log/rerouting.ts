import { addToQueueSql } from '../engine/queue-insertion.ts';
import { MAX_CHANGES_PER_STEP, reroutedAction } from '../../operator-actions.ts';
import { addCountsSql } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { type Joining, pinEntries, unpinOvertaken } from '../engine/head-pins.ts';
import { storedText } from '../engine/stored-text.ts';
import type { HeldClaims } from '../queue/held-claim.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { assertOpen } from './event-lists.ts';
import { type Placement, placementsOf } from './placements.ts';

/* Moves pending events to another destination, each with an entry of its own in the queue. */

/** Whether there is anything to move: a long backlog is not scanned for nothing. */
const ELSEWHERE: Statement = {
  name: 'reroute_elsewhere',
  text: `SELECT destination FROM counts WHERE source = $1 AND destination <> $2
    GROUP BY destination HAVING sum(pending) > 0`,
};

/** Entries that one step reads. */
const WINDOW = 4_096;

/** Lane by lane, so that the events of a lane move in their order, whichever step moves them. */
const SCAN: Statement = {
  name: 'reroute_scan',
  text: `WITH read AS MATERIALIZED (
      SELECT lane_key, seq, source, destination, is_replay, stream, pos FROM queue
      WHERE (lane_key, seq) > ($1::integer, $2::bigint) ORDER BY lane_key, seq LIMIT ${WINDOW}
    ),
    found AS (
      SELECT * FROM read WHERE source = $3 AND destination <> $4
      ORDER BY lane_key, seq LIMIT ${MAX_CHANGES_PER_STEP}
    )
    SELECT edge.n::integer AS read, edge.lane_key AS "edgeKey", edge.seq AS "edgeSeq", found.*
    FROM (SELECT count(*) OVER () AS n, lane_key, seq FROM read ORDER BY lane_key DESC, seq DESC LIMIT 1) AS edge
      LEFT JOIN found ON true ORDER BY found.lane_key, found.seq`,
};

/** What has been settled meanwhile is gone. */
const TAKE: Statement = {
  name: 'reroute_take',
  text: `DELETE FROM queue AS q
    USING unnest($1::text[], $2::boolean[], $3::integer[], $4::bigint[]) AS i (destination, is_replay, stream, pos)
    WHERE q.destination = i.destination AND q.is_replay = i.is_replay AND q.stream = i.stream AND q.pos = i.pos
    RETURNING q.receipt, q.day`,
};

const LOCK: Statement = {
  name: 'reroute_lock',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.destination, e.lane, e.own_lane, e.lane_key, e.is_replay
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    ORDER BY e.seq FOR UPDATE OF e`,
};

const MOVE: Statement = {
  name: 'reroute_move',
  text: `WITH base AS MATERIALIZED (SELECT nextval('positions') AS n),
    input AS MATERIALIZED (
      SELECT * FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::integer[],
          $8::text[]) WITH ORDINALITY
        AS i (receipt, day, former, lane, own_lane, lane_key, action, place)
    ),
    changed AS (
      UPDATE events AS e SET destination = $9, lane = i.lane, own_lane = i.own_lane, lane_key = i.lane_key
      FROM input AS i WHERE e.receipt = i.receipt AND e.day = i.day
      RETURNING i.former, i.action, i.place, e.seq, e.day, e.receipt, e.source, e.lane, e.lane_key,
        e.is_replay, e.received_at, e.body_bytes, e.due_at
    ),
    queued AS (
      ${addToQueueSql('changed, base', { destination: '$9', isReplay: 'is_replay', position: 'n + place', dueAt: 'due_at' })}
    ),
    recorded AS (INSERT INTO actions (seq, at, by, action) SELECT seq, $10, $11, action FROM changed),
    refreshed AS (
      UPDATE refreshes AS r SET destination = $9, lane = c.lane, lane_key = c.lane_key
      FROM changed AS c WHERE c.is_replay AND r.receipt = c.receipt
    ),
    counted AS (${addCountsSql(
      `(SELECT source, former AS destination, is_replay, -1 AS n FROM changed
        UNION ALL SELECT source, $9, is_replay, 1 FROM changed) AS changes`,
      { pending: 'sum(n)', replaying: 'coalesce(sum(n) FILTER (WHERE is_replay), 0)' },
    )})
    SELECT 1 FROM changed`,
};

interface Request {
  readonly source: string;
  readonly destination: string;
  readonly by: string;
}

/** Where a step begins: after this entry of the queue. */
interface Position {
  readonly laneKey: number;
  readonly seq: number;
}

const START: Position = { laneKey: -0x80_00_00_00, seq: -1 };

interface ScannedEntry {
  readonly read: number;
  readonly edgeKey: number;
  readonly edgeSeq: number;
  /** Null if nothing in the window matches. */
  readonly seq: number | null;
  readonly lane_key: number;
  readonly destination: string;
  readonly is_replay: boolean;
  readonly stream: number;
  readonly pos: number;
}

interface LockedRow extends Placement {
  readonly receipt: string;
  readonly day: number;
  readonly seq: number;
  readonly source: string;
  readonly destination: string;
  readonly is_replay: boolean;
}

async function move(
  { now }: PostgresEngine,
  session: Session,
  claims: Pick<HeldClaims, 'claimedHead'>,
  rows: readonly LockedRow[],
  { destination, by }: Request,
): Promise<void> {
  // Aliases are specific to a destination.
  const placements = await placementsOf(
    session,
    rows.map((row) => ({ destination, original: row.own_lane ?? row.lane, laneKey: row.lane_key })),
  );
  const joining = rows.flatMap(({ is_replay: isReplay, seq }, index): Joining[] => {
    const { lane, lane_key: laneKey } = placements[index] as Placement;
    return lane === null ? [] : [{ destination, lane, laneKey, isReplay, seq }];
  });
  await unpinOvertaken(session, joining);
  const claimed = joining.flatMap((each) => {
    const head = claims.claimedHead(each);
    return head !== undefined && head.seq > each.seq ? [{ ...each, stream: head.stream, pos: head.pos }] : [];
  });
  await pinEntries(session, claimed);
  await session.query(MOVE, [
    session.stream,
    rows.map(({ receipt }) => receipt),
    rows.map(({ day }) => day),
    rows.map((row) => row.destination),
    placements.map(({ lane }) => lane),
    placements.map(({ own_lane }) => own_lane),
    placements.map(({ lane_key }) => lane_key),
    rows.map((row) => reroutedAction(row.destination, destination)),
    destination,
    now(),
    storedText(by),
  ]);
}

interface Step {
  readonly moved: readonly LockedRow[];
  readonly next?: Position;
}

async function runStep(
  engine: PostgresEngine,
  session: Session,
  claims: Pick<HeldClaims, 'claimedHead'>,
  request: Request,
  after: Position,
): Promise<Step> {
  const scanned = await session.query<ScannedEntry>(SCAN, [
    after.laneKey,
    after.seq,
    request.source,
    request.destination,
  ]);
  const [first] = scanned;
  if (first === undefined) return { moved: [] };
  const entries = scanned.filter(({ seq }) => seq !== null);
  const last = entries.at(-1);
  const isFull = entries.length === MAX_CHANGES_PER_STEP;
  let next: { next?: Position } = {};
  if (isFull && last !== undefined) next = { next: { laneKey: last.lane_key, seq: last.seq as number } };
  else if (first.read === WINDOW) next = { next: { laneKey: first.edgeKey, seq: first.edgeSeq } };
  if (entries.length === 0) return { moved: [], ...next };
  const taken = await session.query<{ receipt: string; day: number }>(TAKE, [
    entries.map(({ destination }) => destination),
    entries.map(({ is_replay }) => is_replay),
    entries.map(({ stream }) => stream),
    entries.map(({ pos }) => pos),
  ]);
  if (taken.length === 0) return { moved: [], ...next };
  const moved = await session.query<LockedRow>(LOCK, [
    taken.map(({ receipt }) => receipt),
    taken.map(({ day }) => day),
  ]);
  await move(engine, session, claims, moved, request);
  return { moved, ...next };
}

/** Moves the pending events of a source in steps. A claim of a moved event goes on. */
export async function reroute(
  engine: PostgresEngine,
  claims: Pick<HeldClaims, 'lanesMoved' | 'claimedHead'>,
  request: Request,
  closing: AbortSignal,
): Promise<{ readonly rerouted: number }> {
  const { sessions, notifyClaimable } = engine;
  let rerouted = 0;
  let next: Position | undefined = START;
  assertOpen(closing);
  const { source, destination } = request;
  if ((await sessions.query('work', ELSEWHERE, [source, destination])).length === 0) return { rerouted };
  while (next !== undefined) {
    assertOpen(closing);
    const after: Position = next;
    const step: Step = await sessions.transaction('work', (session) =>
      runStep(engine, session, claims, request, after),
    );
    rerouted += step.moved.length;
    const changed = new Set(step.moved.map((row) => row.destination));
    if (changed.size > 0) changed.add(destination);
    for (const each of changed) {
      claims.lanesMoved(each);
      notifyClaimable(each);
    }
    ({ next } = step);
  }
  return { rerouted };
}
