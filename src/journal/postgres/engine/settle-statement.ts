import type { Statement } from '../sessions/session.ts';
import { arrayRelation } from './array-relation.ts';
import { addCountsSql } from './count-changes.ts';
import { addSpansSql, ASKED_COLUMNS, ASKED_SUMS, settledAtSql } from './landing-changes.ts';

/*
 * Everything that settlements usually change, in one statement: the entries of the queue, the
 * events, profiles, attempts, dead letters, counts and spans of deliveries.
 *
 * $1 is the stream, $2 the replica, $3 the time, $4 the sealed payloads one behind the other. The
 * `…_at` columns say where one begins, from 1.
 *
 * The slots are locked before anything else is changed, and evaluated as they are then. Who takes a
 * slot locks it for update, so a settlement either precedes that or changes nothing. What has left
 * the queue, or was queued again, is not changed either. The statement returns the settlements that
 * it applied.
 */

export const FENCES = arrayRelation(5, { destination: 'text', slot: 'smallint', epoch: 'bigint' });

export const ENTRIES = arrayRelation(FENCES.next, {
  fence: 'integer',
  is_replay: 'boolean',
  stream: 'integer',
  pos: 'bigint',
  claimed: 'uuid',
  state: 'text',
  delivered: 'smallint',
  reason: 'text',
  detail: 'text',
  sent_in: 'text',
  notes_at: 'integer',
  notes_length: 'integer',
  due_at: 'bigint',
  failures: 'integer',
  charged: 'integer',
  profile_lane: 'text',
  profile_at: 'integer',
  profile_length: 'integer',
  watch: 'boolean',
  ...ASKED_COLUMNS,
});

export const FAILED_ATTEMPTS = arrayRelation(ENTRIES.next, {
  entry: 'integer',
  seq: 'bigint',
  at: 'bigint',
  kind: 'text',
  outcome: 'text',
  status: 'integer',
  detail: 'text',
  xaction_id: 'text',
  duration_ms: 'double precision',
  batch_size: 'integer',
});

export const REQUESTS = arrayRelation(FAILED_ATTEMPTS.next, {
  id: 'bigint',
  at: 'bigint',
  kind: 'text',
  status: 'integer',
  xaction: 'text',
  duration_ms: 'double precision',
  batch_size: 'integer',
});

export const SENT = arrayRelation(REQUESTS.next, {
  entry: 'integer',
  seq: 'bigint',
  n: 'smallint',
  kind: 'text',
  json_at: 'integer',
  json_length: 'integer',
});

function payloadSql(name: string): string {
  return `substring($4::bytea FROM ${name}_at FOR ${name}_length)`;
}

/*
 * An entry in a lane with an alias was appended while that was written: it has to move first. After
 * a fail-over that has lost commits, another event can have the position.
 */
const IS_ENTRY = `q.destination = d.destination AND q.is_replay = d.is_replay
      AND q.stream = d.stream AND q.pos = d.pos AND q.receipt = d.claimed AND NOT EXISTS (
        SELECT FROM aliases a WHERE a.destination = q.destination AND a.lane = q.lane
      )`;
const RETURNING = 'RETURNING d.*, q.source, q.seq, q.day, q.receipt';
const IS_APPLIED = 'entry = ANY (ARRAY(SELECT ord FROM done))';

function countSql(state: string): string {
  return `count(*) FILTER (WHERE state = '${state}')`;
}

export const SETTLE: Statement = {
  name: 'settle',
  text: `WITH fence AS MATERIALIZED (
      SELECT f.ord, s.destination, ${settledAtSql('f.destination', '$3')} AS settled_at
      FROM ${FENCES.as('f')} JOIN slots s ON s.destination = f.destination AND s.slot = f.slot
      WHERE s.owner = $2::uuid AND s.epoch = f.epoch
      FOR KEY SHARE OF s
    ),
    held AS MATERIALIZED (
      SELECT array_agg(fence.destination ORDER BY f.ord) AS destinations,
        array_agg(fence.settled_at ORDER BY f.ord) AS times
      FROM ${FENCES.as('f')} LEFT JOIN fence ON fence.ord = f.ord
    ),
    due AS MATERIALIZED (
      SELECT held.destinations[i.fence] AS destination, held.times[i.fence] AS settled_at, i.* FROM ${ENTRIES.as('i')}, held
      WHERE held.destinations[i.fence] IS NOT NULL
      ORDER BY 1, i.is_replay, i.stream, i.pos
    ),
    gone AS (
      DELETE FROM queue q USING due d WHERE d.state <> 'p' AND ${IS_ENTRY} ${RETURNING}
    ),
    waiting AS (
      UPDATE queue q SET due_at = d.due_at FROM due d WHERE d.state = 'p' AND ${IS_ENTRY} ${RETURNING}
    ),
    done AS MATERIALIZED (SELECT * FROM gone UNION ALL SELECT * FROM waiting),
    finished AS MATERIALIZED (SELECT * FROM done WHERE state <> 'p'),
    recorded AS (
      UPDATE events e SET
        state = d.state::"char", reason = d.reason, detail = d.detail, delivered = d.delivered,
        sent_in = coalesce(e.sent_in || ' ' || d.sent_in, d.sent_in, e.sent_in),
        settled_at = CASE WHEN d.state = 'p' THEN e.settled_at ELSE d.settled_at END,
        is_replay = d.state = 'p' AND e.is_replay,
        due_at = CASE WHEN d.state = 'p' THEN d.due_at ELSE e.due_at END,
        failures = CASE WHEN d.state = 'p' THEN d.failures ELSE e.failures END,
        charged = CASE WHEN d.state = 'p' THEN d.charged ELSE e.charged END,
        notes = CASE WHEN d.notes_at IS NULL THEN e.notes ELSE ${payloadSql('d.notes')} END
      FROM done d WHERE e.receipt = d.receipt AND e.day = d.day
    ),
    profile AS MATERIALIZED (
      SELECT DISTINCT ON (destination, profile_lane) destination, profile_lane AS lane, profile_at,
        profile_length
      FROM done WHERE profile_lane IS NOT NULL ORDER BY destination, profile_lane, ord DESC
    ),
    written AS (
      INSERT INTO profiles (destination, lane, state)
      SELECT destination, lane, ${payloadSql('profile')} FROM profile WHERE profile_at IS NOT NULL
      ORDER BY destination, lane
      ON CONFLICT (destination, lane) DO UPDATE SET state = excluded.state
    ),
    removed AS (
      DELETE FROM profiles USING profile
      WHERE profile_at IS NULL AND profiles.destination = profile.destination
        AND profiles.lane = profile.lane
    ),
    failed AS (
      INSERT INTO attempts
        (seq, at, kind, outcome, status, detail, xaction_id, duration_ms, batch_size)
      SELECT seq, at, kind, outcome, status, detail, xaction_id, duration_ms, batch_size
      FROM ${FAILED_ATTEMPTS.as('a')} WHERE ${IS_APPLIED} ORDER BY ord
    ),
    requested AS (
      INSERT INTO requests (id, at, kind, status, xaction, duration_ms, batch_size)
      SELECT id, at, kind, status, xaction, duration_ms, batch_size FROM ${REQUESTS.as('r')}
      ON CONFLICT (id) DO NOTHING
    ),
    dead AS (
      INSERT INTO dead_letters (receipt, day, seq, is_malformed, source, destination, since)
      SELECT receipt, day, seq, false, source, destination, settled_at FROM done WHERE state = 'x'
      ON CONFLICT (receipt) DO UPDATE SET since = excluded.since
    ),
    kept AS (
      INSERT INTO sent (seq, n, kind, json)
      SELECT seq, n, kind, ${payloadSql('json')} FROM ${SENT.as('s')} WHERE ${IS_APPLIED}
      ON CONFLICT (seq, n) DO UPDATE SET kind = excluded.kind, json = excluded.json
    ),
    counted AS (
      ${addCountsSql('finished', {
        pending: '-count(*)',
        replaying: '-count(*) FILTER (WHERE is_replay)',
        delivered: countSql('d'),
        ignored: countSql('i'),
        dead: countSql('x'),
      })}
    ),
    spanned AS (${addSpansSql('done', { events: countSql('d'), ...ASKED_SUMS })}),
    watched AS (
      INSERT INTO watched (receipt, destination, settled_at)
      SELECT receipt, destination, settled_at FROM done WHERE watch
      ON CONFLICT (receipt) DO UPDATE SET
        destination = excluded.destination, settled_at = excluded.settled_at
    )
    SELECT ord::integer FROM done`,
};

const STALE = arrayRelation(3, {
  receipt: 'uuid',
  claimed_at: 'text',
  delivered: 'smallint',
  ...ASKED_COLUMNS,
});

/**
 * Of settlements that were not applied: returns those whose event is pending, which makes them
 * stale, and records the delivered messages at the event. $1 is the stream, $2 the time. What
 * was sent counts at the destination at which the event was claimed.
 */
export const SETTLE_STALE: Statement = {
  name: 'settle_stale',
  text: `WITH pending AS MATERIALIZED (
      SELECT s.*, e.day, e.source, coalesce(s.claimed_at, e.destination) AS destination,
        ${settledAtSql('coalesce(s.claimed_at, e.destination)', '$2')} AS settled_at
      FROM ${STALE.as('s')} JOIN events e ON e.receipt = s.receipt WHERE e.state = 'p'
    ),
    recorded AS (
      UPDATE events e SET delivered = e.delivered | p.delivered
      FROM (SELECT receipt, day, bit_or(delivered) AS delivered FROM pending GROUP BY receipt, day) p
      WHERE p.delivered <> 0 AND e.receipt = p.receipt AND e.day = p.day AND e.state = 'p'
    ),
    spanned AS (${addSpansSql('pending', ASKED_SUMS)})
    SELECT ord::integer FROM pending`,
};

export { STALE };
