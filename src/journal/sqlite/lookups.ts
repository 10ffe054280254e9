import type { Attempt, EventFilter, SentMessage, StoredEvent } from '../journal.ts';
import { BLOCK, BLOCKS, EVENT_ID_IS, EVERYWHERE } from './blocks.ts';
import { readBody } from './bodies.ts';
import type { Engine } from './engine.ts';
import { notesOf } from './notes.ts';
import type { AnswerOf, RequestOf, Step, Stepped, WireRecord } from './protocol.ts';
import { type EventRow, rowOfReceipt, toStoredEvent } from './rows.ts';
import { fall, tally } from './stretch.ts';

interface AttemptRow {
  readonly at: number;
  readonly kind: Attempt['kind'];
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string | null;
  readonly xaction_id: string | null;
  readonly duration_ms: number;
  readonly batch_size: number;
}

function attemptsOf({ db }: Engine, seq: number): Attempt[] {
  return (db.all('SELECT * FROM attempts WHERE seq = ? ORDER BY n', seq) as AttemptRow[]).map((row) => ({
    at: row.at,
    kind: row.kind,
    outcome: row.outcome,
    status: row.status ?? undefined,
    detail: row.detail ?? undefined,
    xactionId: row.xaction_id ?? undefined,
    durationMs: row.duration_ms,
    batchSize: row.batch_size,
  }));
}

function sentOf(engine: Engine, row: EventRow): SentMessage[] {
  return (
    engine.db.all('SELECT kind, json FROM sent WHERE seq = ? ORDER BY id', row.seq) as {
      kind: SentMessage['kind'];
      json: Uint8Array;
    }[]
  ).flatMap(({ kind, json }) => {
    const plain = engine.seal.open(json);
    if (plain !== undefined) return [{ kind, json: plain.toString('utf8') }];
    engine.reportUnreadable('a sent message', row.receipt);
    return [];
  });
}

function bodyOf(engine: Engine, row: EventRow): Buffer | undefined {
  if (row.kept === 0) return undefined;
  const body = readBody(engine, row.seq);
  if (body === undefined) engine.reportUnreadable('the body of an event', row.receipt);
  return body;
}

function newestOfEventId({ db }: Engine, eventId: string): EventRow | undefined {
  return db.one(
    `SELECT * FROM events INDEXED BY events_event_id WHERE ${BLOCK} IN ${BLOCKS} AND ${EVENT_ID_IS} ORDER BY seq DESC LIMIT 1`,
    EVERYWHERE.from,
    EVERYWHERE.to,
    eventId,
    eventId,
  ) as EventRow | undefined;
}

export function find(engine: Engine, receiptOrEventId: string): WireRecord | undefined {
  const row = rowOfReceipt(engine, receiptOrEventId) ?? newestOfEventId(engine, receiptOrEventId);
  if (row === undefined) return undefined;
  return {
    event: toStoredEvent(row),
    attempts: attemptsOf(engine, row.seq),
    body: bodyOf(engine, row),
    sent: sentOf(engine, row),
    notes: notesOf(engine, row),
    actions: engine.db.all(
      'SELECT at, by, action FROM actions WHERE seq = ? ORDER BY id',
      row.seq,
    ) as WireRecord['actions'],
  };
}

export function list(engine: Engine, { filter, limit, step }: RequestOf<'list'>): AnswerOf<'list'> {
  const { rows, ...stepped } = fall(engine, filter, limit, step);
  return { items: rows.map(toStoredEvent) satisfies StoredEvent[], ...stepped };
}

export function count(
  engine: Engine,
  { filter, step }: { readonly filter: EventFilter; readonly step: Step },
): Stepped & { readonly count: number } {
  return tally(engine, filter, step);
}
