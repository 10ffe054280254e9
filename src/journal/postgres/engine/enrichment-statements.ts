import type { Statement } from '../sessions/session.ts';
import { arrayRelation } from './array-relation.ts';
import { addCountsSql } from './count-changes.ts';

/* What settlements record about the enrichment of their events, behind SETTLE. */

/**
 * `$1` is the stream, `$2` has the sealed entities one behind the other; `…_at` says where one
 * begins, from 1.
 */
export const ENTITIES = arrayRelation(3, {
  seq: 'bigint',
  source: 'text',
  destination: 'text',
  entities_at: 'integer',
  entities_length: 'integer',
});

/**
 * Stores the entities of events of a day. The day is in the text, so that only its partition is
 * locked: while another one is dropped, whoever locked that one would wait.
 */
export function storeEntities(day: number): Statement {
  return {
    name: '',
    text: `WITH input AS MATERIALIZED (SELECT * FROM ${ENTITIES.as('i')}),
      before AS MATERIALIZED (
        SELECT b.seq, coalesce(octet_length(b.entities), 0) AS bytes
        FROM input AS i JOIN bodies AS b ON b.day = ${day} AND b.seq = i.seq
      ),
      changed AS (
        UPDATE bodies AS b SET entities = substring($2::bytea FROM i.entities_at FOR i.entities_length)
        FROM input AS i WHERE b.day = ${day} AND b.seq = i.seq
        RETURNING i.*
      )
      ${addCountsSql(
        `(SELECT source, destination, entities_length - bytes AS bytes
          FROM changed JOIN before USING (seq)) AS grown`,
        { stored_bytes: 'sum(bytes)' },
      )}`,
  };
}

/** Delivered events with something missing or refreshed, and other replays that are settled. */
export const REFRESHES = arrayRelation(2, {
  receipt: 'uuid',
  day: 'integer',
  seq: 'bigint',
  is_replay: 'boolean',
  source: 'text',
  destination: 'text',
  lane: 'text',
  lane_key: 'integer',
  is_missing: 'boolean',
  customer: 'boolean',
  bill: 'boolean',
  due_at: 'bigint',
  takes_over: 'boolean',
});

/** The customer's part of the other events of the lanes of those that take it over. */
const OTHERS = `i.takes_over AND r.customer AND r.lane_key = i.lane_key AND r.lane = i.lane
  AND r.destination = i.destination AND r.receipt <> i.receipt`;

/*
 * `$1` is the time. An event that waits again has its row already, which nobody else changes while
 * the event is claimed. One that is running without a part stays until it is settled.
 */
export const RECORD_REFRESHES: Statement = {
  name: 'record_refreshes',
  text: `WITH input AS MATERIALIZED (SELECT * FROM ${REFRESHES.as('i')}),
    emptied AS (
      DELETE FROM refreshes r USING input i WHERE ${OTHERS} AND NOT r.bill AND NOT r.is_running
      RETURNING i.receipt, r.since
    ),
    reduced AS (
      UPDATE refreshes r SET customer = false FROM input i WHERE ${OTHERS} AND (r.bill OR r.is_running)
      RETURNING i.receipt, r.since
    ),
    taken AS (
      SELECT receipt, min(since) AS since FROM (SELECT * FROM emptied UNION ALL SELECT * FROM reduced) AS t
      GROUP BY receipt
    ),
    done AS (DELETE FROM refreshes r USING input i WHERE r.receipt = i.receipt AND NOT i.is_missing),
    own AS (
      SELECT i.receipt, r.attempts, r.since
      FROM input i JOIN refreshes r ON r.receipt = i.receipt
      WHERE i.is_missing AND i.is_replay AND r.is_running
        AND r.replays = (SELECT replays FROM events e WHERE e.receipt = i.receipt AND e.day = i.day)
    )
    INSERT INTO refreshes (receipt, day, seq, source, destination, lane, lane_key, customer, bill,
      attempts, due_at, since)
    SELECT i.receipt, i.day, i.seq, i.source, i.destination, i.lane, i.lane_key, i.customer, i.bill,
      coalesce(own.attempts + 1, 0), i.due_at,
      least($1::bigint, own.since, CASE WHEN i.customer THEN taken.since END)
    FROM input i LEFT JOIN own ON own.receipt = i.receipt LEFT JOIN taken ON taken.receipt = i.receipt
    WHERE i.is_missing
    ON CONFLICT (receipt) DO UPDATE SET destination = excluded.destination, lane = excluded.lane,
      lane_key = excluded.lane_key, customer = excluded.customer, bill = excluded.bill,
      is_running = false, attempts = excluded.attempts, due_at = excluded.due_at, since = excluded.since`,
};
