import type { RecordedAttempt, StoredEvent } from '../../journal.ts';
import { type AttemptRow, failedAttempt, inOrderOfTime } from '../../sent-in.ts';
import type { AnswerOf, RequestOf, WireRecord } from './calls.ts';
import { differingCopiesOf } from './differing-copies.ts';
import type { Engine } from './sqlite-engine.ts';
import { ALL_POSITIONS, BLOCK_SQL, BLOCKS_SQL, EVENT_ID_EQUALS, eventIdValues } from './filter-sql.ts';
import { readBody, readNotes, readSentMessages } from './payloads.ts';
import { type EventRow, rowOfReceipt, toStoredEvent } from './rows.ts';
import { refreshOf } from './refresh-table.ts';
import { countRange, scanDescending } from './scan.ts';
import { hasBody } from './sweeps.ts';

function attemptsOf({ db, requests }: Engine, { seq, sent_in }: EventRow): readonly RecordedAttempt[] {
  const failed = db.all('SELECT * FROM attempts WHERE seq = ? ORDER BY n', seq) as AttemptRow[];
  return inOrderOfTime(failed.map(failedAttempt), requests.attemptsOf(sent_in));
}

function bodyOf(engine: Engine, row: EventRow): Buffer | undefined {
  if (!hasBody(engine, row)) return undefined;
  const body = readBody(engine, row.seq);
  if (body !== undefined && typeof body !== 'string') return body;
  engine.reportUnreadable('the body of an event', body ?? 'missing', row.receipt);
  return undefined;
}

function newestWithEventId({ db }: Engine, eventId: string): EventRow | undefined {
  return db.one(
    `SELECT * FROM events INDEXED BY events_event_id
     WHERE ${BLOCK_SQL} IN ${BLOCKS_SQL} AND ${EVENT_ID_EQUALS} ORDER BY seq DESC LIMIT 1`,
    ALL_POSITIONS.from,
    ALL_POSITIONS.to,
    ...eventIdValues(eventId),
  ) as EventRow | undefined;
}

export function find(engine: Engine, receiptOrEventId: string): WireRecord | undefined {
  const row = rowOfReceipt(engine, receiptOrEventId) ?? newestWithEventId(engine, receiptOrEventId);
  if (row === undefined) return undefined;
  return {
    event: toStoredEvent(row),
    attempts: attemptsOf(engine, row),
    body: bodyOf(engine, row),
    sent: readSentMessages(engine, row),
    notes: readNotes(engine, row),
    differingCopies: differingCopiesOf(engine, row.seq),
    refresh: refreshOf(engine, row.seq),
    actions: engine.db.all(
      'SELECT at, by, action FROM actions WHERE seq = ? ORDER BY id',
      row.seq,
    ) as WireRecord['actions'],
  };
}

export function list(engine: Engine, { filter, limit, maxBytes, step }: RequestOf<'list'>): AnswerOf<'list'> {
  const { rows, ...stepped } = scanDescending(engine, filter, { limit, maxBytes }, step);
  return {
    items: rows.map(toStoredEvent) satisfies StoredEvent[],
    positions: rows.map(({ seq }) => seq),
    ...stepped,
  };
}

export function count(engine: Engine, { filter, step }: RequestOf<'count'>): AnswerOf<'count'> {
  return countRange(engine, filter, step);
}
