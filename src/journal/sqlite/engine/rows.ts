import { storedEventOf } from '../../event-columns.ts';
import type { StoredEvent } from '../../journal.ts';
import type { Engine } from './sqlite-engine.ts';
import type { EventRow, QueueRow } from './event-row.ts';

export type { EventRow, QueueRow } from './event-row.ts';

export function rowOfReceipt({ db }: Engine, receipt: string): EventRow | undefined {
  return db.one('SELECT * FROM events WHERE receipt = ?', receipt) as EventRow | undefined;
}

export function queueRowOfReceipt({ db }: Engine, receipt: string): QueueRow | undefined {
  return db.one(
    `SELECT seq, source, destination, lane, state, head, replay, due_at FROM events
     WHERE receipt = ?`,
    receipt,
  ) as QueueRow | undefined;
}

/** The columns of EventRow, in the order of `rowOfSeq`. */
const COLUMNS = `seq, receipt, source, destination, identity, lane, customer_id, org_id, event_name,
  event_id, created_at, received_at, verified_by, state, reason, detail, settled_at, head, due_at,
  failures, charged, delivered, id_suffix, replays, body_bytes, kept, replay, own_lane, traceparent,
  sent_in, late`;

/** Written out, because objects with computed keys are slow. */
export function rowOfSeq({ db }: Engine, seq: number): EventRow | undefined {
  const row = db.values(`SELECT ${COLUMNS} FROM events WHERE seq = ?`, seq);
  if (row === undefined) return undefined;
  return {
    seq: row[0],
    receipt: row[1],
    source: row[2],
    destination: row[3],
    identity: row[4],
    lane: row[5],
    customer_id: row[6],
    org_id: row[7],
    event_name: row[8],
    event_id: row[9],
    created_at: row[10],
    received_at: row[11],
    verified_by: row[12],
    state: row[13],
    reason: row[14],
    detail: row[15],
    settled_at: row[16],
    head: row[17],
    due_at: row[18],
    failures: row[19],
    charged: row[20],
    delivered: row[21],
    id_suffix: row[22],
    replays: row[23],
    body_bytes: row[24],
    kept: row[25],
    replay: row[26],
    own_lane: row[27],
    traceparent: row[28],
    sent_in: row[29],
    late: row[30],
  } as unknown as EventRow;
}

export function toStoredEvent(row: EventRow): StoredEvent {
  return storedEventOf(row, row.state, row.replay === 1);
}
