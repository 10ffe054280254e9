import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import {
  type Appended,
  type NewEvent,
  type NewMalformed,
  RefusedError,
  type Release,
} from '../../journal.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { identityKey } from './index-keys.ts';
import { claimHead, enqueue, enqueueExisting, placementFor } from './lanes.ts';
import { recordAction, removeMalformed } from './operator-changes.ts';
import { deletePayloads, insertBody, readableBody } from './payloads.ts';
import { type EventRow, rowOfReceipt } from './rows.ts';

/** Random bytes that one receipt needs. */
const RECEIPT_BYTES = 16;
/** Filled for many receipts at once, because each call for random bytes has a high fixed cost. */
const randomPool = new Uint8Array(256 * RECEIPT_BYTES);
let usedBytes = randomPool.length;

function nextRandomBytes(): Uint8Array {
  if (usedBytes === randomPool.length) {
    randomFillSync(randomPool);
    usedBytes = 0;
  }
  usedBytes += RECEIPT_BYTES;
  return randomPool.subarray(usedBytes - RECEIPT_BYTES, usedBytes);
}

let lastMs = Number.NEGATIVE_INFINITY;
let counter = 0;

/**
 * Creates a version 7 UUID. Each is greater than the one before: within a millisecond, or while the
 * clock is behind, a counter is incremented.
 */
export function newReceipt(): string {
  const random = nextRandomBytes();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = Buffer.from(random.buffer, random.byteOffset).readUInt32BE(6) & 0x7f_ff_ff_ff;
  } else {
    counter = (counter + 1) | 0;
    if (counter === 0) lastMs += 1;
  }
  return v7({ random, msecs: lastMs, seq: counter });
}

/**
 * The identity in its stored form.
 * @throws RefusedError unless it is 64 hex digits: truncated, two events could be taken for one
 */
function identityBytes(identity: string): Buffer {
  if (!/^[0-9a-f]{64}$/u.test(identity))
    throw new RefusedError('an identity must be 64 lower-case hex digits');
  return Buffer.from(identity, 'hex');
}

/** The answer for a duplicate; undefined if no event of this identity is known. */
function duplicateOf(engine: Engine, identity: Buffer, { source, body }: NewEvent): Appended | undefined {
  for (const seq of engine.indexes.identities.positionsOf(identityKey(identity))) {
    const row = engine.db.one(
      'SELECT receipt, kept FROM events WHERE seq = ? AND identity = ? AND source = ?',
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

function insertEvent(engine: Engine, receipt: string, identity: Buffer, event: NewEvent): number {
  const { lane, own_lane } = placementFor(engine, event.destination, event.lane ?? null);
  const queue = { destination: event.destination, lane, replay: 0 };
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, identity, lane, own_lane, customer_id, org_id,
         event_name, event_id, created_at, received_at, verified_by, state, head, due_at, body_bytes,
         traceparent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)`,
    )
    .run(
      receipt,
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
    );
  const seq = Number(lastInsertRowid);
  insertBody(engine, seq, event.body);
  engine.indexes.identities.insert(identityKey(identity), seq);
  enqueue(engine, queue, seq);
  return seq;
}

/** A new receipt, or that of a released request unless an event has it already. */
function receiptFor(engine: Engine, released: Release | undefined): string {
  if (released === undefined) return newReceipt();
  return rowOfReceipt(engine, released.receipt) === undefined ? released.receipt : newReceipt();
}

function recordRelease(engine: Engine, seq: number, { by }: Release): void {
  recordAction(engine, seq, { at: engine.now(), by, action: 'released from quarantine' });
}

function appendOne(engine: Engine, event: NewEvent): Appended {
  const identity = identityBytes(event.identity);
  const duplicate = duplicateOf(engine, identity, event);
  if (duplicate !== undefined) return duplicate;
  const { released } = event;
  const receipt = receiptFor(engine, released);
  const seq = insertEvent(engine, receipt, identity, event);
  if (released !== undefined) recordRelease(engine, seq, released);
  addCounts(engine, event.source, { accepted: 1, pending: 1 });
  addBacklog(engine, event.destination, { pending: 1 });
  return { receipt, duplicate: false };
}

export function append(engine: Engine, events: RequestOf<'append'>): AnswerOf<'append'> {
  return events.map((event) => appendOne(engine, event));
}

export function appendMalformed(engine: Engine, malformed: NewMalformed): { receipt: string } {
  const { released } = malformed;
  // A crash came between this call and the removal from the quarantine.
  if (released !== undefined && rowOfReceipt(engine, released.receipt)?.state === 'malformed')
    return { receipt: released.receipt };
  const receipt = receiptFor(engine, released);
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, received_at, verified_by, state, reason, detail,
         due_at, body_bytes)
       VALUES (?, ?, ?, ?, ?, 'malformed', 'malformed', ?, ?, ?)`,
    )
    .run(
      receipt,
      malformed.source,
      malformed.destination,
      malformed.receivedAt,
      malformed.verifiedBy,
      malformed.detail,
      engine.now(),
      malformed.body.byteLength,
    );
  const seq = Number(lastInsertRowid);
  insertBody(engine, seq, malformed.body);
  engine.indexes.identities.skip(seq);
  engine.indexes.queues.skip(seq);
  addCounts(engine, malformed.source, { malformed: 1 });
  if (released !== undefined) recordRelease(engine, seq, released);
  return { receipt };
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
  engine.indexes.identities.insertExisting(identityKey(identity), row.seq);
  enqueueExisting(engine, queue, row.seq);
}

export function promote(engine: Engine, { receipt, event, by }: RequestOf<'promote'>): Appended {
  const identity = identityBytes(event.identity);
  const row = rowOfReceipt(engine, receipt);
  if (row?.state !== 'malformed') throw new RefusedError(`there is no malformed body ${receipt}`);
  const duplicate = duplicateOf(engine, identity, event);
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
  recordAction(engine, row.seq, { at: engine.now(), by, action: 'promoted' });
  return { receipt, duplicate: false };
}
