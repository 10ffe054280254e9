import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import type { EventState } from '../../src/journal/journal.ts';
import { createPayloadCipher, type Unreadable } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { keyOfText, keyOrNull, laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { STATE_CODES } from '../../src/journal/postgres/engine/stored-events.ts';
import { createEventLog, type PostgresEventLog } from '../../src/journal/postgres/log/postgres-event-log.ts';
import { newReceipt } from '../../src/journal/receipts.ts';
import { T0 } from '../contract/samples.ts';
import { executeSql, freshSchema } from '../helpers/postgres-server.ts';
import { openTestSessions } from './postgres-rig.ts';

/** An event as a test stores it. */
export interface Stored {
  readonly state: EventState;
  readonly source: string;
  readonly destination: string;
  readonly lane: string | null;
  readonly eventName: string;
  readonly eventId: string;
  readonly customerId: string | null;
  readonly day: number;
  readonly receivedAt: number;
  /** Null for none. */
  readonly body: Buffer | null;
}

export interface LogRig {
  readonly engine: PostgresEngine;
  readonly log: PostgresEventLog;
  readonly clock: { now: number };
  readonly closing: AbortController;
  /** Destinations of `notifyClaimable` and of `lanesMoved`. */
  readonly notified: string[];
  readonly moved: string[];
  readonly unreadable: (readonly [what: string, why: Unreadable])[];
  /** Executes SQL in the schema. */
  readonly sql: (text: string) => Promise<Record<string, unknown>[]>;
  /** @returns the receipts, in ascending order */
  readonly store: (events: readonly Partial<Stored>[]) => Promise<string[]>;
  /** The event log of another replica. */
  readonly another: () => Promise<LogRig>;
}

const STORE = `WITH event AS (
    INSERT INTO events (day, seq, receipt, source, destination, identity, lane, lane_key, customer_id,
      customer_key, event_id, event_key, event_name, received_at, verified_by, body_bytes, state, due_at,
      reason, detail, settled_at)
    SELECT $2, nextval('positions'), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'test', 1,
      $15::"char", $14, CASE WHEN $15 IN ('x', 'i', 'm') THEN 'a reason' END, CASE WHEN $15 = 'x' THEN 'a detail' END, CASE WHEN $15 <> 'p' THEN $14::bigint END
    RETURNING *
  ),
  body AS (INSERT INTO bodies (day, seq, body) SELECT day, seq, $16 FROM event WHERE $16::bytea IS NOT NULL),
  pending AS (
    INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
      received_at, body_bytes, due_at)
    SELECT destination, false, $1, seq, seq, day, receipt, source, lane, lane_key, received_at, 1, due_at
    FROM event WHERE state = 'p'
  ),
  letter AS (
    INSERT INTO dead_letters (receipt, day, seq, is_malformed, source, destination, since)
    SELECT receipt, day, seq, state = 'm', source, destination, received_at FROM event WHERE state IN ('x', 'm')
  ),
  messages AS (
    INSERT INTO sent (seq, n, kind, json) SELECT seq, 0, 'event', ''::bytea FROM event WHERE state = 'x'
  )
  INSERT INTO counts (stream, source, destination, accepted, pending, delivered, ignored, dead, malformed,
    stored_events, stored_bytes)
  SELECT $1, source, CASE WHEN state = 'm' THEN '' ELSE destination END, (state <> 'm')::int, (state = 'p')::int,
    (state = 'd')::int, (state = 'i')::int, (state = 'x')::int, (state = 'm')::int, 1,
    coalesce(octet_length($16::bytea), 0)
  FROM event
  ON CONFLICT (stream, source, destination) DO UPDATE SET accepted = counts.accepted + excluded.accepted,
    pending = counts.pending + excluded.pending, delivered = counts.delivered + excluded.delivered,
    ignored = counts.ignored + excluded.ignored, dead = counts.dead + excluded.dead,
    malformed = counts.malformed + excluded.malformed, stored_events = counts.stored_events + 1,
    stored_bytes = counts.stored_bytes + excluded.stored_bytes`;

async function openRig(url: string, schema: string, keys: readonly Uint8Array[]): Promise<LogRig> {
  const replica = randomUUID();
  const sessions = await openTestSessions({ url: () => url, schema, replica });
  onTestFinished(() => sessions.close());
  const clock = { now: T0 };
  const notified: string[] = [];
  const moved: string[] = [];
  const unreadable: LogRig['unreadable'] = [];
  const closing = new AbortController();
  const cipher = createPayloadCipher(keys);
  const engine: PostgresEngine = {
    sessions,
    cipher,
    replica,
    now: () => clock.now,
    reportUnreadable: (what, why) => void unreadable.push([what, why]),
    notifyClaimable: (destination) => void notified.push(destination),
  };
  const claims = {
    lanesMoved: (destination: string) => void moved.push(destination),
    claimedHead: () => undefined,
  };
  const storeOne = async (each: Partial<Stored>): Promise<string> => {
    const receipt = newReceipt();
    const event: Stored = {
      state: 'pending',
      source: 'acme',
      destination: 'aep',
      lane: null,
      eventName: 'name',
      eventId: receipt,
      customerId: null,
      day: 20_000,
      receivedAt: clock.now,
      body: Buffer.from('{}'),
      ...each,
    };
    const identity = Buffer.from(receipt.replaceAll('-', '').repeat(2), 'hex');
    await sessions.queryAs('work', { name: 'test_store', text: STORE }, [
      event.day,
      receipt,
      event.source,
      event.destination,
      identity,
      event.lane,
      laneKeyOf(event.lane, identity.toString('hex')),
      event.customerId,
      keyOrNull(event.customerId ?? undefined),
      event.eventId,
      keyOfText(event.eventId),
      event.eventName,
      event.receivedAt,
      STATE_CODES[event.state],
      event.body && Buffer.from(cipher.encrypt(event.body)),
    ]);
    return receipt;
  };
  return {
    engine,
    log: createEventLog(engine, { closing: closing.signal, claims }),
    clock,
    closing,
    notified,
    moved,
    unreadable,
    sql: (text) => executeSql(`${url}?options=-csearch_path%3D${schema}`, text),
    // On one connection, so in this order.
    store: (events) => Promise.all(events.map(storeOne)),
    another: () => openRig(url, schema, keys),
  };
}

/** An event log over a schema of its own, with connections as of a running relay. */
export async function logRig(keys: readonly Uint8Array[] = []): Promise<LogRig> {
  const { url, schema, drop } = await freshSchema();
  onTestFinished(drop);
  return openRig(url, schema, keys);
}

/** What the counts must be, by what is in the tables. */
export async function requireCounts({ sql }: Pick<LogRig, 'sql'>): Promise<void> {
  const [counts] = await sql(`SELECT sum(pending)::int AS pending, sum(replaying)::int AS replaying,
      sum(delivered)::int AS delivered, sum(ignored)::int AS ignored, sum(dead)::int AS dead,
      sum(malformed)::int AS malformed, sum(stored_events)::int AS events, sum(stored_bytes)::int AS bytes,
      sum(quarantined)::int AS quarantined, sum(quarantined_bytes)::int AS quarantined_bytes FROM counts`);
  const [stored] = await sql(`SELECT (SELECT count(*)::int FROM queue) AS pending,
      (SELECT count(*)::int FROM queue WHERE is_replay) AS replaying,
      count(*) FILTER (WHERE state = 'd')::int AS delivered, count(*) FILTER (WHERE state = 'i')::int AS ignored,
      count(*) FILTER (WHERE state = 'x')::int AS dead, count(*) FILTER (WHERE state = 'm')::int AS malformed,
      count(*)::int AS events,
      (coalesce((SELECT sum(octet_length(body)) FROM bodies), 0)
        + coalesce((SELECT sum(octet_length(body) + octet_length(headers)) FROM quarantine), 0))::int AS bytes,
      (SELECT count(*)::int FROM quarantine) AS quarantined,
      coalesce((SELECT sum(bytes)::int FROM quarantine), 0) AS quarantined_bytes
    FROM events`);
  expect(counts).toEqual(stored);
}
