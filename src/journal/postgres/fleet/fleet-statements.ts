import type { ReplicaReport } from '../../fleet.ts';
import type { Statement } from '../sessions/session.ts';

/** Whether a replica `r` is alive, also if a clock was set back; `$2` is the lease in ms. */
const IS_ALIVE = `r.seen BETWEEN clock_timestamp() - $2::float8 * interval '1 ms'
  AND clock_timestamp() + $2::float8 * interval '1 ms'`;

/** Whether this process may take a row with this owner. `$3`: also from the dead. */
function mayTake(owner: string): string {
  return `(${owner} IS NULL OR
    ($3::boolean AND NOT EXISTS (SELECT FROM replicas r WHERE r.id = ${owner} AND ${IS_ALIVE})))`;
}

/** What a heartbeat answers; the texts are JSON. */
export interface HeartbeatRow {
  /** Epoch ms by the database's clock. */
  readonly now: number;
  /** ms since the server was started. */
  readonly uptime: number;
  /** Differs after each start of the server, and between servers. */
  readonly server: string;
  readonly others: string;
  readonly slots: string;
  readonly tasks: string;
}

/** An element of `others`. */
export interface OtherReplica {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly since: number;
  readonly silentFor: number;
  readonly destinations: readonly string[];
  readonly report: ReplicaReport;
}

/** An element of `slots`: the slots of one owner; each slot with its epoch if they are our own. */
export interface OwnedSlots {
  readonly destination: string;
  readonly owner: string | null;
  readonly count: number;
  readonly own: readonly (readonly [slot: number, epoch: number])[] | null;
}

/** An element of `tasks`. */
export interface TaskRow {
  readonly name: string;
  readonly owner: string | null;
  readonly epoch: number;
}

/**
 * A sign of life, which brings back a row that was removed, and what it reads of the others.
 * Parameters: replica, lease in ms, name, version, since, destinations, report.
 */
export const HEARTBEAT: Statement = {
  name: 'fleet_heartbeat',
  text: `
WITH beat AS (
  INSERT INTO replicas AS own (id, name, version, since, seen, destinations, report)
  VALUES ($1::uuid, $3::text, $4::text, $5::bigint, clock_timestamp(), $6::text[], $7::text::jsonb)
  ON CONFLICT (id) DO UPDATE SET seen = clock_timestamp(), destinations = excluded.destinations,
    report = excluded.report
)
SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
  extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 AS uptime,
  extract(epoch FROM pg_postmaster_start_time())::text AS server,
  (SELECT coalesce(json_agg(json_build_object('id', r.id, 'name', r.name, 'version', r.version,
      'since', r.since, 'destinations', r.destinations, 'report', r.report, 'silentFor',
      greatest(0, extract(epoch FROM clock_timestamp() - r.seen) * 1000))), '[]')::text
    FROM replicas r WHERE r.id <> $1 AND ${IS_ALIVE}) AS others,
  (SELECT coalesce(json_agg(json_build_object('destination', s.destination, 'owner', s.owner,
      'count', s.count, 'own', s.own)), '[]')::text
    FROM (SELECT destination, owner, count(*) AS count,
        CASE WHEN owner = $1 THEN json_agg(json_build_array(slot, epoch)) END AS own
      FROM slots GROUP BY destination, owner) s) AS slots,
  (SELECT coalesce(json_agg(json_build_object('name', name, 'owner', owner, 'epoch', epoch)), '[]')::text
    FROM tasks) AS tasks`,
};

/** Parameters: destination, number of slots. */
export const CREATE_SLOTS: Statement = {
  name: 'fleet_create_slots',
  text: `
INSERT INTO slots (destination, slot)
SELECT $1::text, slot FROM generate_series(0, $2::integer - 1) AS slot
ON CONFLICT (destination, slot) DO NOTHING`,
};

/**
 * Takes free slots. The lock for update conflicts with the key-share locks of settlements, and the
 * condition is checked again on what is locked.
 * Parameters: replica, lease in ms, whether also from the dead, destination, most slots.
 */
export const TAKE_SLOTS: Statement = {
  name: 'fleet_take_slots',
  text: `
WITH free AS (
  SELECT slot FROM slots s WHERE s.destination = $4::text AND ${mayTake('s.owner')}
  ORDER BY slot LIMIT $5::integer FOR UPDATE SKIP LOCKED
)
UPDATE slots s SET owner = $1::uuid, epoch = s.epoch + 1 FROM free
WHERE s.destination = $4::text AND s.slot = free.slot
RETURNING s.slot, s.epoch`,
};

/** Parameters: replica, destination, slots. */
export const RETURN_SLOTS: Statement = {
  name: 'fleet_return_slots',
  text: `
WITH own AS (
  SELECT slot FROM slots
  WHERE destination = $2::text AND owner = $1::uuid AND slot = ANY($3::smallint[])
  ORDER BY slot FOR UPDATE
)
UPDATE slots s SET owner = NULL, epoch = s.epoch + 1 FROM own
WHERE s.destination = $2::text AND s.slot = own.slot
RETURNING s.slot`,
};

/** Parameter: the names. */
export const CREATE_TASKS: Statement = {
  name: 'fleet_create_tasks',
  text: `
INSERT INTO tasks (name) SELECT name FROM unnest($1::text[]) AS name ORDER BY name
ON CONFLICT (name) DO NOTHING`,
};

/** Parameters: replica, lease in ms, whether also from the dead, names. */
export const TAKE_TASKS: Statement = {
  name: 'fleet_take_tasks',
  text: `
WITH free AS (
  SELECT name FROM tasks t WHERE t.name = ANY($4::text[]) AND ${mayTake('t.owner')}
  ORDER BY name FOR UPDATE SKIP LOCKED
)
UPDATE tasks t SET owner = $1::uuid, epoch = t.epoch + 1 FROM free
WHERE t.name = free.name
RETURNING t.name, t.epoch`,
};

/** Gives everything back at once. Parameters: replica, channel, payload for the others. */
export const LEAVE: Statement = {
  name: 'fleet_leave',
  text: `
WITH own AS (
  SELECT destination, slot FROM slots WHERE owner = $1::uuid ORDER BY destination, slot FOR UPDATE
), returned AS (
  UPDATE slots s SET owner = NULL, epoch = s.epoch + 1 FROM own
  WHERE s.destination = own.destination AND s.slot = own.slot
), led AS (
  SELECT name FROM tasks WHERE owner = $1::uuid ORDER BY name FOR UPDATE
), resigned AS (
  UPDATE tasks t SET owner = NULL, epoch = t.epoch + 1 FROM led WHERE t.name = led.name
), gone AS (
  DELETE FROM replicas WHERE id = $1::uuid
)
SELECT pg_notify($2::text, $3::text)`,
};

/** Rows of replicas that stopped without a word. Parameter: ms of silence. */
export const REMOVE_REPLICAS: Statement = {
  name: 'fleet_remove_replicas',
  text: `DELETE FROM replicas WHERE seen < clock_timestamp() - $1::float8 * interval '1 ms'`,
};

/** Parameters: replica, name, text. */
export const POST_REPORT: Statement = {
  name: 'fleet_post_report',
  text: `
INSERT INTO replica_reports (replica, name, json) VALUES ($1::uuid, $2::text, $3::text)
ON CONFLICT (replica, name) DO UPDATE SET json = excluded.json`,
};

/** Parameters: replica, lease in ms, name. */
export const OTHER_REPORTS: Statement = {
  name: 'fleet_other_reports',
  text: `
SELECT p.json FROM replica_reports p JOIN replicas r ON r.id = p.replica
WHERE p.name = $3::text AND r.id <> $1::uuid AND ${IS_ALIVE}
ORDER BY r.since, r.id`,
};

/** Parameters: channel, payload. */
export const NOTIFY: Statement = {
  name: 'fleet_notify',
  text: 'SELECT pg_notify($1::text, $2::text)',
};
