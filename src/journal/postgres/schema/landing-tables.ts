/*
 * What is known of deliveries beyond Adobe's first answer; see Landings.
 *
 * `spans` has what is not confirmed; of `events`, `doubted` have a doubt. Like `counts` it has rows
 * for each connection (`stream`), which changes its own only. Whoever changes `spans`, `landings`,
 * `doubts` or `confirmed` locks the table `spans` in ROW EXCLUSIVE mode, as each INSERT does by
 * itself before its snapshot is taken, and `confirm` excludes them all for some ms
 * (landing-changes.ts).
 *
 * `landings` are counts by source that relays of an earlier format neither know nor fold, so they
 * are not columns of `counts`. The ranges of `confirmed` do not overlap.
 *
 * `marks`: `known-since` is that of `knownSince`. A store from before does not know what it has
 * forgotten: at most everything until now. `spans-since` is the time of settlement since when
 * deliveries are counted in spans that still exist or are confirmed.
 */
export const LANDING_TABLES = `
CREATE TABLE spans (
  destination text NOT NULL,
  at bigint NOT NULL,
  source text NOT NULL,
  stream integer NOT NULL,
  events bigint NOT NULL DEFAULT 0,
  doubted bigint NOT NULL DEFAULT 0,
  events_acknowledged bigint NOT NULL DEFAULT 0,
  profiles_acknowledged bigint NOT NULL DEFAULT 0,
  events_unanswered bigint NOT NULL DEFAULT 0,
  profiles_unanswered bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (destination, at, source, stream)
) WITH (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE TABLE landings (
  stream integer NOT NULL,
  source text NOT NULL,
  landed bigint NOT NULL DEFAULT 0,
  refused_later bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (stream, source)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE TABLE confirmed (
  destination text NOT NULL,
  until_at bigint NOT NULL,
  from_at bigint NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (destination, until_at)
);
CREATE TABLE doubts (
  receipt uuid PRIMARY KEY,
  source text NOT NULL,
  destination text NOT NULL,
  settled_at bigint NOT NULL,
  event_name text NOT NULL,
  event_id text,
  code text NOT NULL,
  detail text NOT NULL,
  at bigint NOT NULL
);
CREATE INDEX doubts_newest ON doubts (destination, at, receipt);
CREATE TABLE watched (
  receipt uuid PRIMARY KEY,
  destination text NOT NULL,
  settled_at bigint NOT NULL
);
CREATE INDEX watched_oldest ON watched (destination, settled_at, receipt);
CREATE TABLE reconciliation_notes (
  scope text NOT NULL,
  key text NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE TABLE marks (
  name text PRIMARY KEY,
  at bigint NOT NULL
);
INSERT INTO marks (name, at)
  SELECT 'known-since', (extract(epoch FROM clock_timestamp()) * 1000)::bigint
  FROM counts HAVING sum(accepted) + sum(malformed) > sum(stored_events);
INSERT INTO marks (name, at)
  SELECT 'spans-since', (extract(epoch FROM clock_timestamp()) * 1000)::bigint
  FROM counts HAVING sum(delivered) > 0;
`;
