import { type Appended, type NewEvent, RefusedError } from '../journal.ts';
import { placeAt } from './aliases.ts';
import { identityBytes, knownReceipt } from './append.ts';
import { dropPayloads, insertBody } from './bodies.ts';
import { addBacklog, addCounts } from './counts.ts';
import { removeMalformed } from './discard.ts';
import type { Engine } from './engine.ts';
import { identityKey } from './index-keys.ts';
import { joinLane, queueUpAgain } from './lanes.ts';
import type { RequestOf } from './protocol.ts';
import { recordAction } from './replay.ts';
import { type EventRow, rowOfReceipt } from './rows.ts';

function becomeEvent(engine: Engine, row: EventRow, identity: Buffer, event: NewEvent): void {
  const { lane, own_lane } = placeAt(engine, event.destination, event.lane ?? null);
  const queue = { destination: event.destination, lane, replay: 0 };
  engine.db.run(
    `UPDATE events SET source = ?, destination = ?, identity = ?, lane = ?, own_lane = ?, customer_id = ?, org_id = ?, event_name = ?, event_id = ?,
       created_at = ?, received_at = ?, verified_by = ?, state = 'pending', reason = NULL, detail = NULL, head = ?, due_at = ?,
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
    joinLane(engine, queue),
    event.receivedAt,
    event.body.byteLength,
    event.traceparent ?? null,
    row.seq,
  );
  engine.indexes.identities.insertOlder(identityKey(identity), row.seq);
  queueUpAgain(engine, queue, row.seq);
}

export function promote(engine: Engine, { receipt, event, by }: RequestOf<'promote'>): Appended {
  const identity = identityBytes(event.identity);
  const row = rowOfReceipt(engine, receipt);
  if (row?.state !== 'malformed') throw new RefusedError(`there is no malformed body ${receipt}`);
  const first = knownReceipt(engine, event.source, identity);
  if (first !== undefined) {
    removeMalformed(engine, row);
    return { receipt: first, duplicate: true };
  }
  // The body as it is now: an operator can have mended it.
  dropPayloads(engine, row.seq);
  insertBody(engine, row.seq, event.body);
  becomeEvent(engine, row, identity, event);
  addCounts(engine, row.source, { malformed: -1 });
  addCounts(engine, event.source, { accepted: 1, pending: 1 });
  addBacklog(engine, event.destination, { pending: 1 });
  recordAction(engine, row.seq, { at: Date.now(), by, action: 'promoted' });
  return { receipt, duplicate: false };
}
