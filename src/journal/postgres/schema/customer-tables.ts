/*
 * What is stored of customers, what no verifier accepted, what operators asked for, and the counts.
 *
 * `counts` has a row for each connection (`stream`), source and destination: the sum over all
 * streams is the ledger. A connection changes its own rows only, in the transaction of what is
 * counted, so no two connections wait for each other. A count of one row can be negative. Rows of
 * closed streams are folded into stream 0.
 *
 * `stored_events` and `stored_bytes` are what the store holds now: rows of `events`, and bytes of
 * bodies and quarantined requests.
 */
export const CUSTOMER_TABLES = `
CREATE TABLE profiles (
  destination text NOT NULL,
  lane text NOT NULL,
  state bytea NOT NULL,
  PRIMARY KEY (destination, lane)
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE TABLE aliases (
  destination text NOT NULL,
  lane text NOT NULL,
  target text NOT NULL,
  PRIMARY KEY (destination, lane)
);
CREATE INDEX aliases_target ON aliases (destination, target);

CREATE TABLE contacts (
  destination text NOT NULL,
  key bigint NOT NULL,
  customer bigint NOT NULL,
  PRIMARY KEY (destination, key, customer)
);
CREATE INDEX contacts_customer ON contacts (destination, customer);
CREATE TABLE contact_totals (
  destination text PRIMARY KEY,
  counted bigint NOT NULL DEFAULT 0,
  shared bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 30);
CREATE TABLE shared_contacts (
  destination text NOT NULL,
  key bigint NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  masked text NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (destination, key)
);

CREATE TABLE quarantine (
  receipt uuid PRIMARY KEY,
  source text NOT NULL,
  received_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ip text NOT NULL,
  reasons text[] NOT NULL,
  headers bytea NOT NULL,
  body bytea NOT NULL,
  bytes integer NOT NULL
);
CREATE INDEX quarantine_source ON quarantine (source, receipt);
CREATE INDEX quarantine_expires ON quarantine (expires_at);

CREATE TABLE counts (
  stream integer NOT NULL,
  source text NOT NULL,
  destination text NOT NULL,
  accepted bigint NOT NULL DEFAULT 0,
  pending bigint NOT NULL DEFAULT 0,
  replaying bigint NOT NULL DEFAULT 0,
  delivered bigint NOT NULL DEFAULT 0,
  ignored bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0,
  malformed bigint NOT NULL DEFAULT 0,
  quarantined bigint NOT NULL DEFAULT 0,
  quarantined_bytes bigint NOT NULL DEFAULT 0,
  stored_events bigint NOT NULL DEFAULT 0,
  stored_bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (stream, source, destination)
) WITH (
  fillfactor = 20,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE pauses (
  destination text PRIMARY KEY,
  by text NOT NULL,
  at bigint NOT NULL
);
CREATE TABLE programs (
  org_id bigint PRIMARY KEY,
  json text NOT NULL
);
CREATE TABLE replay_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at bigint NOT NULL,
  by text NOT NULL,
  as_new boolean NOT NULL,
  shown text NOT NULL,
  filter bytea,
  runner uuid,
  stepped timestamptz NOT NULL DEFAULT clock_timestamp(),
  next text,
  until text,
  matched bigint NOT NULL DEFAULT 0,
  replayed bigint NOT NULL DEFAULT 0,
  finished_at bigint
);
`;
