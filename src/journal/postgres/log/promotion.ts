import { addToQueueSql } from '../engine/queue-insertion.ts';
import { assertIdentity } from '../../valid-identity.ts';
import { type Appended, type NewEvent, RefusedError, StoreError } from '../../journal.ts';
import { PROMOTED } from '../../operator-actions.ts';
import { isReceipt } from '../../receipts.ts';
import { type EventRow, storedInteger } from '../engine/append-statement.ts';
import { addCounts, NO_DESTINATION } from '../engine/count-changes.ts';
import { dayOf } from '../engine/days.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { writeSurely } from '../engine/event-insertion.ts';
import { duplicateOf, firstCopiesOf, isNearOtherDay, otherDayOf } from '../engine/first-copies.ts';
import { pinHeads } from '../engine/head-pins.ts';
import { keyOrNull, laneKeyOf } from '../engine/lane-keys.ts';
import { STATE_CODES, type StateCode } from '../engine/stored-events.ts';
import { storedText, storedTextOrNull } from '../engine/stored-text.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { type Placement, placementsOf } from './placements.ts';

/*
 * A malformed body becomes an event. Its row moves to the day of the event, where its copies are
 * looked for; receipt and place in the order of acceptance remain.
 */

const LOCK: Statement = {
  name: 'promote_lock',
  text: `SELECT seq, day, source, state, encode(identity, 'hex') AS identity
    FROM events WHERE receipt = $1 FOR UPDATE`,
};

/** The history stays: a duplicate's is deleted. */
const REMOVE: Statement = {
  name: 'promote_remove',
  text: `WITH body AS (
      DELETE FROM bodies WHERE seq = $1 AND day = $2 RETURNING octet_length(body) AS bytes
    ),
    letter AS (DELETE FROM dead_letters WHERE receipt = $3),
    event AS (DELETE FROM events WHERE receipt = $3 AND day = $2)
    SELECT coalesce((SELECT bytes FROM body), 0) AS bytes`,
};
const FORGET: Statement = { name: 'promote_forget', text: 'DELETE FROM actions WHERE seq = $1' };

const INSERT: Statement = {
  name: 'promote_insert',
  text: `WITH added AS (
      INSERT INTO events (day, seq, receipt, source, destination, identity, lane, own_lane, lane_key,
        customer_id, customer_key, event_id, event_key, org_id, event_name, created_at, received_at,
        verified_by, traceparent, body_bytes, due_at)
      VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
      ON CONFLICT (identity, source, day) DO NOTHING
      RETURNING *
    ),
    payload AS (INSERT INTO bodies (day, seq, body) SELECT day, seq, $23 FROM added),
    queued AS (
      ${addToQueueSql('added', { isReplay: 'false', position: "nextval('positions')", dueAt: 'due_at' })}
    ),
    recorded AS (INSERT INTO actions (seq, at, by, action) SELECT seq, due_at, $24, '${PROMOTED}' FROM added)
    SELECT seq FROM added`,
};

interface Malformed {
  readonly seq: number;
  readonly day: number;
  readonly source: string;
  readonly state: StateCode;
  readonly identity: string | null;
}

function insertParams(
  { row, placement, seq }: { readonly row: EventRow; readonly placement: Placement; readonly seq: number },
  at: number,
  by: string,
): Param[] {
  const { event, receipt, day, sealed, bodyBytes } = row;
  return [
    day,
    seq,
    receipt,
    storedText(event.source),
    storedText(event.destination),
    Buffer.from(event.identity, 'hex'),
    placement.lane,
    placement.own_lane,
    placement.lane_key,
    storedTextOrNull(event.customerId),
    keyOrNull(event.customerId),
    storedTextOrNull(event.eventId),
    keyOrNull(event.eventId),
    storedInteger(event.orgId) ?? 0,
    storedText(event.eventName),
    event.createdAt === undefined ? null : storedInteger(event.createdAt),
    storedInteger(event.receivedAt) ?? at,
    storedText(event.verifiedBy),
    storedTextOrNull(event.traceparent),
    bodyBytes,
    at,
    Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength),
    storedText(by),
  ];
}

/** The answer for an event that is known; undefined if it is new. */
async function knownCopy(
  engine: PostgresEngine,
  session: Session,
  row: EventRow,
): Promise<Appended | undefined> {
  for (const day of isNearOtherDay(row) ? [otherDayOf(row), row.day] : [row.day]) {
    const first = (await firstCopiesOf(session, [row], () => day)).get(row);
    if (first !== undefined) return duplicateOf(engine, row, first);
  }
  return undefined;
}

async function remove(session: Session, { seq, day, source }: Malformed, receipt: string): Promise<void> {
  const [row] = await session.query<{ bytes: number }>(REMOVE, [seq, day, receipt]);
  await addCounts(
    session,
    { source, destination: NO_DESTINATION },
    { malformed: -1, stored_events: -1, stored_bytes: -(row?.bytes ?? 0) },
  );
}

/** @returns false if an equal event was appended in the meantime */
async function insert(
  { now }: PostgresEngine,
  session: Session,
  row: EventRow,
  { seq, by }: { readonly seq: number; readonly by: string },
): Promise<boolean> {
  const { event, sealed } = row;
  const { destination } = event;
  const original = event.lane ?? null;
  const laneKey = laneKeyOf(original, event.identity);
  const [placement] = await placementsOf(session, [{ destination, original, laneKey }]);
  const { lane, lane_key } = placement as Placement;
  const joining = { destination, laneKey: lane_key, isReplay: false, seq };
  await pinHeads(session, lane === null ? [] : [{ ...joining, lane }]);
  const params = insertParams({ row, placement: placement as Placement, seq }, now(), by);
  const added = await session.query(INSERT, [session.stream, ...params]);
  if (added.length === 0) return false;
  await addCounts(
    session,
    { source: event.source, destination },
    { accepted: 1, pending: 1, stored_events: 1, stored_bytes: sealed.byteLength },
  );
  return true;
}

/** What an attempt whose outcome is unknown has left behind; undefined if it did nothing. */
async function promotedBefore(
  engine: PostgresEngine,
  session: Session,
  row: EventRow,
  stored: Malformed | undefined,
): Promise<Appended | undefined> {
  if (stored === undefined) return knownCopy(engine, session, row);
  return stored.identity === row.event.identity ? { receipt: row.receipt, duplicate: false } : undefined;
}

async function promoteRow(
  engine: PostgresEngine,
  session: Session,
  row: EventRow,
  { by, isRepeated }: { readonly by: string; readonly isRepeated: boolean },
): Promise<Appended | undefined> {
  const { receipt } = row;
  const [stored] = await session.query<Malformed>(LOCK, [receipt]);
  if (stored?.state !== STATE_CODES.malformed)
    return isRepeated ? promotedBefore(engine, session, row, stored) : undefined;
  const { seq } = stored;
  const known = await knownCopy(engine, session, row);
  await remove(session, stored, receipt);
  if (known === undefined && (await insert(engine, session, row, { seq, by })))
    return { receipt, duplicate: false };
  await session.query(FORGET, [seq]);
  const first = known ?? (await knownCopy(engine, session, row));
  if (first === undefined) throw new StoreError('an equal event was removed at the same time; try again');
  return first;
}

/** The new body replaces the stored one: an operator may have corrected it. */
export async function promote(
  engine: PostgresEngine,
  receipt: string,
  { body, ...event }: NewEvent,
  by: string,
): Promise<Appended> {
  assertIdentity(event.identity);
  const sealed = engine.cipher.encrypt(body);
  const row = { event, receipt, day: dayOf(event.createdAt), sealed, bodyBytes: body.byteLength };
  let attempts = 0;
  const promoteOnce = (): Promise<Appended | undefined> => {
    attempts += 1;
    const isRepeated = attempts > 1;
    return engine.sessions.transaction('work', (session) =>
      promoteRow(engine, session, row, { by, isRepeated }),
    );
  };
  const answer = isReceipt(receipt) ? await writeSurely(promoteOnce) : undefined;
  if (answer === undefined) throw new RefusedError(`there is no malformed body ${receipt}`);
  if (!answer.duplicate) engine.notifyClaimable(event.destination);
  return answer;
}
