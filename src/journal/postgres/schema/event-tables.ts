/*
 * Events, their payloads and the queue of what is pending.
 *
 * `events` and `bodies` are partitioned by `day`, which follows from the event itself: the day of
 * its `createdAt`, or 0 (days.ts). So every replica finds an equal event in one partition, and
 * retention drops whole partitions. A day without a partition of its own is in the default one.
 *
 * Whether the body of an event is stored is what `bodies` says (body-presence.ts): retention drops
 * a partition of bodies without a write to `events`.
 *
 * No column that a settlement changes is in an index of `events`, and half of each page stays free
 * for the second version of its rows, so that settlements are HOT updates. What is pending has a
 * row in `queue`, which the settlement deletes.
 *
 * `seq` is the order of acceptance and never changes. `pos` identifies an entry of the queue: an
 * event that is queued again, because it was replayed, promoted, rerouted or moved to another lane,
 * gets a new one, so that a claim of the earlier entry is stale. Both come from `positions`, whose
 * increment is the block of one statement.
 *
 * `stream` is the connection that wrote the entry (streams.ts). A connection commits in the order
 * of its positions, so a reader that has seen position n of a stream misses nothing before n.
 *
 * `events.sent_in` names rows of `requests` (sent-in.ts), so a row has its id before it is written:
 * `request_rows` has blocks of them.
 *
 * `lane_key` is 32 bits of a hash of the lane, or of the identity of an event without a lane;
 * `lane_key & 63` is the slot. Whoever looks a lane up by its key compares the lane.
 *
 * A settlement keeps its plan, and one that was made while the queue was empty reads all of it.
 * After an ANALYZE the server makes new plans, so that comes within a minute once events wait.
 *
 * The head of a lane follows from its entries, so that it is the same for the next owner of the
 * slot: the pinned entry, else the one with the smallest `seq`. An entry is pinned while an older
 * one waits behind it (head-pins.ts).
 */
export const EVENT_TABLES = `
CREATE SEQUENCE positions AS bigint INCREMENT BY 1024 MINVALUE 1024 START WITH 1024 CACHE 1;

CREATE TABLE events (
  day integer NOT NULL,
  seq bigint NOT NULL,
  receipt uuid NOT NULL,
  source text NOT NULL,
  destination text NOT NULL,
  identity bytea,
  lane text,
  own_lane text,
  lane_key integer NOT NULL,
  customer_id text,
  customer_key integer,
  event_id text,
  event_key integer,
  org_id bigint NOT NULL DEFAULT 0,
  event_name text NOT NULL DEFAULT '',
  created_at bigint,
  received_at bigint NOT NULL,
  verified_by text NOT NULL,
  traceparent text,
  body_bytes integer NOT NULL,
  state "char" NOT NULL DEFAULT 'p',
  is_replay boolean NOT NULL DEFAULT false,
  delivered smallint NOT NULL DEFAULT 0,
  due_at bigint NOT NULL,
  settled_at bigint,
  failures integer NOT NULL DEFAULT 0,
  charged integer NOT NULL DEFAULT 0,
  replays integer NOT NULL DEFAULT 0,
  id_suffix text NOT NULL DEFAULT '',
  reason text,
  detail text,
  sent_in text,
  notes bytea,
  PRIMARY KEY (receipt, day),
  UNIQUE (identity, source, day)
) PARTITION BY LIST (day);
CREATE INDEX events_lane ON events (lane_key);
CREATE INDEX events_own_lane ON events (own_lane) WHERE own_lane IS NOT NULL;
CREATE INDEX events_customer ON events (customer_key) WHERE customer_key IS NOT NULL;
CREATE INDEX events_event_id ON events (event_key) WHERE event_key IS NOT NULL;
CREATE TABLE events_default PARTITION OF events DEFAULT WITH (fillfactor = 50);

CREATE TABLE bodies (
  day integer NOT NULL,
  seq bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (seq, day)
) PARTITION BY LIST (day);
CREATE TABLE bodies_default PARTITION OF bodies DEFAULT;

CREATE TABLE queue (
  destination text NOT NULL,
  is_replay boolean NOT NULL,
  stream integer NOT NULL,
  pos bigint NOT NULL,
  seq bigint NOT NULL,
  day integer NOT NULL,
  receipt uuid NOT NULL,
  source text NOT NULL,
  lane text,
  lane_key integer NOT NULL,
  is_pinned boolean NOT NULL DEFAULT false,
  received_at bigint NOT NULL,
  body_bytes integer NOT NULL,
  due_at bigint NOT NULL,
  PRIMARY KEY (destination, is_replay, stream, pos)
) WITH (
  fillfactor = 90,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX queue_lane ON queue (lane_key, seq);
CREATE INDEX queue_pinned ON queue (lane_key) WHERE is_pinned;

CREATE TABLE dead_letters (
  receipt uuid PRIMARY KEY,
  day integer NOT NULL,
  seq bigint NOT NULL,
  is_malformed boolean NOT NULL,
  source text NOT NULL,
  destination text NOT NULL,
  since bigint NOT NULL
);
CREATE INDEX dead_letters_since ON dead_letters (is_malformed, since);

CREATE TABLE sent (
  seq bigint NOT NULL,
  n smallint NOT NULL,
  kind text NOT NULL,
  json bytea NOT NULL,
  PRIMARY KEY (seq, n)
);
CREATE TABLE attempts (
  id bigint GENERATED ALWAYS AS IDENTITY,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  kind text NOT NULL,
  outcome text NOT NULL,
  status integer,
  detail text,
  xaction_id text,
  duration_ms double precision NOT NULL,
  batch_size integer NOT NULL,
  PRIMARY KEY (seq, id)
);
CREATE TABLE actions (
  id bigint GENERATED ALWAYS AS IDENTITY,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  by text NOT NULL,
  action text NOT NULL,
  PRIMARY KEY (seq, id)
);
CREATE TABLE differing_copies (
  seq bigint PRIMARY KEY,
  copies bigint NOT NULL,
  last_at bigint NOT NULL
);
CREATE SEQUENCE request_rows AS bigint INCREMENT BY 256 MINVALUE 256 START WITH 256 CACHE 1;
CREATE TABLE requests (
  id bigint PRIMARY KEY,
  at bigint NOT NULL,
  kind text NOT NULL,
  status integer,
  xaction text,
  duration_ms double precision NOT NULL,
  batch_size integer NOT NULL
);
CREATE INDEX requests_at ON requests USING brin (at);
`;
