import {
  type Appended,
  type NewEvent,
  type NewMalformed,
  RefusedError,
  type Release,
} from '../../journal.ts';
import { PROMOTED } from '../../operator-actions.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './sqlite-engine.ts';
import { identityKey } from './index-keys.ts';
import { claimHead, enqueue, enqueueExisting, placementFor } from './lanes.ts';
import { recordAction, removeMalformed } from './operator-changes.ts';
import type { IntakeRecord, RecordKind } from './intake-records.ts';
import { type UnpackedEvent, unpackEvents } from './packed-events.ts';
import { assertIdentity } from '../../valid-identity.ts';
import { newReceipt } from '../../receipts.ts';
import { deletePayloads, insertBody, insertSealedBody, readableBody } from './payloads.ts';
import { insertQuarantined, type QuarantineHead, toQuarantineEntry } from './quarantine-table.ts';
import { insertDifferingCopy } from './differing-copies.ts';
import { type EventRow, rowOfReceipt } from './rows.ts';
import { HAS_BODY } from './sweep-schema.ts';

/** Approximate size of the changed pages of an event's row and its index entries. */
const EVENT_ROW_BYTES = 700;

/** The identity in its stored form. @throws RefusedError if it is none */
function identityBytes(identity: string): Buffer {
  assertIdentity(identity);
  return Buffer.from(identity, 'hex');
}

/** The answer for a duplicate; undefined if no event of this identity is known. */
function duplicateOf(
  engine: Engine,
  identity: Buffer,
  { source }: Pick<NewEvent, 'source'>,
  body: Uint8Array,
): Appended | undefined {
  for (const seq of engine.indexes.identities.positionsOf(identityKey(identity))) {
    const row = engine.db.one(
      `SELECT receipt, ${HAS_BODY} AS kept FROM events WHERE seq = ? AND identity = ? AND source = ?`,
      seq,
      identity,
      source,
    ) as { receipt: string; kept: number } | undefined;
    if (row === undefined) continue;
    const first = row.kept === 1 ? readableBody(engine, seq) : undefined;
    const sameBody = first && first.equals(body);
    return { receipt: row.receipt, duplicate: true, ...(sameBody === undefined ? {} : { sameBody }) };
  }
  return undefined;
}

/** What the intake log holds of an event besides its body. */
type EventHead = Omit<NewEvent, 'body'> & { readonly receipt: string; readonly bodyBytes: number };

/** An event with its receipt, and its body in the stored form. */
interface StoredBody<Head> {
  readonly head: Head;
  readonly sealed: Uint8Array;
  /** Epoch ms by the engine's clock. */
  readonly at: number;
}

function insertEvent(engine: Engine, identity: Buffer, { head, sealed, at }: StoredBody<EventHead>): void {
  const { lane, own_lane } = placementFor(engine, head.destination, head.lane ?? null);
  const queue = { destination: head.destination, lane, replay: 0 };
  const isHead = claimHead(engine, queue);
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, identity, lane, own_lane, customer_id, org_id,
         event_name, event_id, created_at, received_at, verified_by, state, head, due_at, body_bytes,
         traceparent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)`,
    )
    .run(
      head.receipt,
      head.source,
      head.destination,
      identity,
      lane,
      own_lane,
      head.customerId ?? null,
      head.orgId,
      head.eventName,
      head.eventId ?? null,
      head.createdAt ?? null,
      head.receivedAt,
      head.verifiedBy,
      isHead,
      at,
      head.bodyBytes,
      head.traceparent ?? null,
    );
  const seq = Number(lastInsertRowid);
  if (isHead === 1) engine.frontiers.add({ ...queue, source: head.source }, { seq, dueAt: at });
  insertSealedBody(engine, seq, sealed);
  engine.indexes.identities.insert(identityKey(identity), seq);
  enqueue(engine, queue, seq);
  if (head.released !== undefined) recordRelease(engine, seq, head.released, at);
  addCounts(engine, head.source, { accepted: 1, pending: 1 });
  addBacklog(engine, head.destination, { pending: 1 });
  engine.tables.noteChange(sealed.byteLength + EVENT_ROW_BYTES);
}

/** A new receipt, or that of a released request unless an event has it already. */
function receiptFor(engine: Engine, released: Release | undefined): string {
  if (released === undefined) return newReceipt();
  return rowOfReceipt(engine, released.receipt) === undefined ? released.receipt : newReceipt();
}

function recordRelease(engine: Engine, seq: number, { by }: Release, at: number): void {
  recordAction(engine, seq, { at, by, action: 'released from quarantine' });
}

/** Adds to the intake log what has just been written to the tables. */
function log(engine: Engine, kind: RecordKind, { head, sealed, at }: StoredBody<object>): void {
  engine.log.add({ kind, at, head: Buffer.from(JSON.stringify(head), 'utf8'), payload: sealed });
}

/** The head that the log stores: that of the caller, and what the engine adds. */
function headJson(json: string, receipt: string, bodyBytes: number): Buffer {
  return Buffer.from(`{"receipt":"${receipt}","bodyBytes":${bodyBytes},${json.slice(1)}`, 'utf8');
}

function appendOne(engine: Engine, { head, json, body }: UnpackedEvent, identity: Buffer): Appended {
  const duplicate = duplicateOf(engine, identity, head, body);
  if (duplicate !== undefined) return duplicate;
  const receipt = receiptFor(engine, head.released);
  const bodyBytes = body.byteLength;
  const sealed = engine.cipher.encrypt(body);
  const at = engine.now();
  insertEvent(engine, identity, { head: { ...head, receipt, bodyBytes }, sealed, at });
  engine.log.add({ kind: 'event', at, head: headJson(json, receipt, bodyBytes), payload: sealed });
  return { receipt, duplicate: false };
}

export function append(engine: Engine, packed: RequestOf<'append'>): AnswerOf<'append'> {
  const events = unpackEvents(packed);
  // All of them before the first is written: a refused call has written nothing.
  const identities = events.map(({ head }) => identityBytes(head.identity));
  return events.map((event, index) => appendOne(engine, event, identities[index] as Buffer));
}

type MalformedHead = Omit<NewMalformed, 'body'> & { readonly receipt: string; readonly bodyBytes: number };

function insertMalformed(engine: Engine, { head, sealed, at }: StoredBody<MalformedHead>): void {
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, received_at, verified_by, state, reason, detail,
         due_at, body_bytes)
       VALUES (?, ?, ?, ?, ?, 'malformed', 'malformed', ?, ?, ?)`,
    )
    .run(
      head.receipt,
      head.source,
      head.destination,
      head.receivedAt,
      head.verifiedBy,
      head.detail,
      at,
      head.bodyBytes,
    );
  const seq = Number(lastInsertRowid);
  insertSealedBody(engine, seq, sealed);
  engine.indexes.identities.skip(seq);
  engine.indexes.queues.skip(seq);
  addCounts(engine, head.source, { malformed: 1 });
  if (head.released !== undefined) recordRelease(engine, seq, head.released, at);
  engine.tables.noteChange(sealed.byteLength + EVENT_ROW_BYTES);
}

export function appendMalformed(engine: Engine, malformed: NewMalformed): { receipt: string } {
  const { body, ...rest } = malformed;
  const { released } = malformed;
  // A crash came between this call and the removal from the quarantine.
  if (released !== undefined && rowOfReceipt(engine, released.receipt)?.state === 'malformed')
    return { receipt: released.receipt };
  const receipt = receiptFor(engine, released);
  const head: MalformedHead = { ...rest, receipt, bodyBytes: body.byteLength };
  const stored = { head, sealed: engine.cipher.encrypt(body), at: engine.now() };
  insertMalformed(engine, stored);
  log(engine, 'malformed', stored);
  return { receipt };
}

export function quarantine(
  engine: Engine,
  { request, bounds }: RequestOf<'quarantine'>,
): AnswerOf<'quarantine'> {
  const entry = toQuarantineEntry(engine, request, bounds);
  if (entry === undefined) return { receipt: newReceipt(), evicted: 0 };
  const { head, sealed, at } = entry;
  const stored = { head: { ...head, receipt: newReceipt() }, sealed, at };
  const evicted = insertQuarantined(engine, stored);
  log(engine, 'quarantined', stored);
  return { receipt: stored.head.receipt, evicted };
}

export function recordDifferingCopy(engine: Engine, receipt: RequestOf<'recordDifferingCopy'>): void {
  const stored = { head: { receipt }, sealed: new Uint8Array(), at: engine.now() };
  insertDifferingCopy(engine, stored);
  log(engine, 'differingCopy', stored);
}

/** Applies a record of the intake log to tables that lack it. */
export function applyRecord(engine: Engine, { kind, at, head: json, payload: sealed }: IntakeRecord): void {
  const head: unknown = JSON.parse(Buffer.from(json).toString('utf8'));
  switch (kind) {
    case 'event': {
      const event = head as EventHead;
      insertEvent(engine, identityBytes(event.identity), { head: event, sealed, at });
      break;
    }
    case 'malformed':
      insertMalformed(engine, { head: head as MalformedHead, sealed, at });
      break;
    case 'quarantined':
      insertQuarantined(engine, { head: head as QuarantineHead, sealed, at });
      break;
    case 'differingCopy':
      insertDifferingCopy(engine, { head: head as { receipt: string }, at });
  }
}

function becomeEvent(engine: Engine, row: EventRow, identity: Buffer, event: NewEvent): void {
  const { lane, own_lane } = placementFor(engine, event.destination, event.lane ?? null);
  const queue = { destination: event.destination, lane, replay: 0 };
  engine.db.run(
    `UPDATE events SET source = ?, destination = ?, identity = ?, lane = ?, own_lane = ?,
       customer_id = ?, org_id = ?, event_name = ?, event_id = ?, created_at = ?, received_at = ?,
       verified_by = ?, state = 'pending', reason = NULL, detail = NULL, head = ?, due_at = ?,
       body_bytes = ?, kept = 1, traceparent = ? WHERE seq = ?`,
    event.source,
    event.destination,
    identity,
    lane,
    own_lane,
    event.customerId ?? null,
    event.orgId,
    event.eventName,
    event.eventId ?? null,
    event.createdAt ?? null,
    event.receivedAt,
    event.verifiedBy,
    claimHead(engine, queue),
    engine.now(),
    event.body.byteLength,
    event.traceparent ?? null,
    row.seq,
  );
  engine.frontiers.reset();
  engine.indexes.identities.insertExisting(identityKey(identity), row.seq);
  enqueueExisting(engine, queue, row.seq);
}

export function promote(engine: Engine, { receipt, event, by }: RequestOf<'promote'>): Appended {
  const identity = identityBytes(event.identity);
  const row = rowOfReceipt(engine, receipt);
  if (row?.state !== 'malformed') throw new RefusedError(`there is no malformed body ${receipt}`);
  const duplicate = duplicateOf(engine, identity, event, event.body);
  if (duplicate !== undefined) {
    removeMalformed(engine, row);
    return duplicate;
  }
  // The new body replaces the stored one: an operator may have corrected it.
  deletePayloads(engine, row.seq);
  insertBody(engine, row.seq, event.body);
  becomeEvent(engine, row, identity, event);
  addCounts(engine, row.source, { malformed: -1 });
  addCounts(engine, event.source, { accepted: 1, pending: 1 });
  addBacklog(engine, event.destination, { pending: 1 });
  recordAction(engine, row.seq, { at: engine.now(), by, action: PROMOTED });
  return { receipt, duplicate: false };
}
