/*
 * The replicas and what each of them owns.
 *
 * A replica writes `seen` every second by the database's clock; one whose `seen` is older than the
 * lease is dead. `slots.epoch` grows with each change of the owner. A settlement takes a key-share
 * lock on the slots of its events and compares their epochs, and whoever takes a slot locks it for
 * update, so a settlement either precedes a change of the owner or is stale.
 *
 * `replica_reports` has what replicas show each other that is too large for each heartbeat.
 *
 * `streams` has a row for each connection that has written (streams.ts). `tasks` are leased like
 * slots, one owner each.
 */
export const FLEET_TABLES = `
CREATE TABLE replicas (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  version text NOT NULL,
  since bigint NOT NULL,
  seen timestamptz NOT NULL,
  destinations text[] NOT NULL DEFAULT '{}',
  report jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CREATE TABLE replica_reports (
  replica uuid NOT NULL REFERENCES replicas ON DELETE CASCADE,
  name text NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (replica, name)
);
CREATE TABLE slots (
  destination text NOT NULL,
  slot smallint NOT NULL,
  owner uuid,
  epoch bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (destination, slot)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE TABLE tasks (
  name text PRIMARY KEY,
  owner uuid,
  epoch bigint NOT NULL DEFAULT 0,
  progress jsonb
);
CREATE TABLE streams (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  replica uuid NOT NULL,
  backend integer NOT NULL,
  backend_started timestamptz NOT NULL,
  opened timestamptz NOT NULL DEFAULT clock_timestamp()
);
`;
