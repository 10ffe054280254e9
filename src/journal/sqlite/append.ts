import { type Appended, type NewEvent, type NewMalformed, RefusedError } from '../journal.ts';
import { placeAt } from './aliases.ts';
import { insertBody } from './bodies.ts';
import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { newReceipt } from './receipts.ts';
import { identityKey } from './index-keys.ts';
import { joinLane, queueUp } from './lanes.ts';

/**
 * The identity as it is stored.
 * @throws RefusedError for what is not 64 hex digits: cut short, two events could be taken for one.
 */
export function identityBytes(identity: string): Buffer {
  if (!/^[0-9a-f]{64}$/u.test(identity))
    throw new RefusedError('an identity must be 64 lower-case hex digits');
  return Buffer.from(identity, 'hex');
}

/** The receipt under which an event of this identity is known. */
export function knownReceipt({ db, indexes }: Engine, source: string, identity: Buffer): string | undefined {
  for (const seq of indexes.identities.of(identityKey(identity))) {
    const row = db.one(
      'SELECT receipt FROM events WHERE seq = ? AND identity = ? AND source = ?',
      seq,
      identity,
      source,
    ) as { receipt: string } | undefined;
    if (row !== undefined) return row.receipt;
  }
  return undefined;
}

function insertEvent(engine: Engine, receipt: string, identity: Buffer, event: NewEvent): void {
  const { lane, own_lane } = placeAt(engine, event.destination, event.lane ?? null);
  const queue = { destination: event.destination, lane, replay: 0 };
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, identity, lane, own_lane, customer_id, org_id, event_name, event_id, created_at,
         received_at, verified_by, state, head, due_at, body_bytes, traceparent)
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
      joinLane(engine, queue),
      event.receivedAt,
      event.body.byteLength,
      event.traceparent ?? null,
    );
  const seq = Number(lastInsertRowid);
  insertBody(engine, seq, event.body);
  engine.indexes.identities.insert(identityKey(identity), seq);
  queueUp(engine, queue, seq);
}

export function append(engine: Engine, event: NewEvent): Appended {
  const identity = identityBytes(event.identity);
  const first = knownReceipt(engine, event.source, identity);
  if (first !== undefined) return { receipt: first, duplicate: true };
  const receipt = newReceipt();
  insertEvent(engine, receipt, identity, event);
  addCounts(engine, event.source, { accepted: 1, pending: 1 });
  addBacklog(engine, event.destination, { pending: 1 });
  return { receipt, duplicate: false };
}

export function appendMalformed(engine: Engine, malformed: NewMalformed): { receipt: string } {
  const receipt = newReceipt();
  const { lastInsertRowid } = engine.db
    .sql(
      `INSERT INTO events (receipt, source, destination, received_at, verified_by, state, reason, detail, due_at, body_bytes)
       VALUES (?, ?, ?, ?, ?, 'malformed', 'malformed', ?, ?, ?)`,
    )
    .run(
      receipt,
      malformed.source,
      malformed.destination,
      malformed.receivedAt,
      malformed.verifiedBy,
      malformed.detail,
      malformed.receivedAt,
      malformed.body.byteLength,
    );
  const seq = Number(lastInsertRowid);
  insertBody(engine, seq, malformed.body);
  engine.indexes.identities.pass(seq);
  engine.indexes.queues.pass(seq);
  addCounts(engine, malformed.source, { malformed: 1 });
  return { receipt };
}
