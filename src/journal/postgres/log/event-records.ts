import type {
  DifferingCopies,
  EventRecord,
  MessageKind,
  RecordedAttempt,
  RecordedNote,
  RecordedRefresh,
  SentMessage,
} from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import { isReceipt } from '../../receipts.ts';
import {
  type AttemptRow,
  failedAttempt,
  inOrderOfTime,
  parseSentIn,
  type RequestRow,
  sentAttempt,
} from '../../sent-in.ts';
import { notesOf } from '../../stored-notes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { keyOfText } from '../engine/lane-keys.ts';
import { isOverSql } from '../engine/refresh-state.ts';
import { type StoredRow, storedColumns, toStoredEvent } from '../engine/stored-events.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Param, Statement } from '../sessions/session.ts';
import { idsOf } from './filter-conditions.ts';

type FoundRow = StoredRow & { readonly notes: Buffer | null };

const BY_RECEIPT: Statement = {
  name: 'event_by_receipt',
  text: `SELECT ${storedColumns('e')}, e.notes FROM events AS e WHERE e.receipt = $1`,
};
/** OFFSET 0, so that the events of the id are sorted and not all events read in this order. */
const BY_EVENT_ID: Statement = {
  name: 'event_by_event_id',
  text: `SELECT * FROM (
      SELECT ${storedColumns('e')}, e.notes FROM events AS e
      WHERE e.event_key = ANY ($1::integer[]) AND e.event_id = ANY ($2::text[]) OFFSET 0
    ) AS found ORDER BY receipt DESC LIMIT 1`,
};
const BODY: Statement = {
  name: 'event_body',
  text: 'SELECT body FROM bodies WHERE seq = $1 AND day = $2',
};
const SENT: Statement = {
  name: 'event_sent',
  text: 'SELECT kind, json FROM sent WHERE seq = $1 ORDER BY n',
};
const ATTEMPTS: Statement = {
  name: 'event_attempts',
  text: `SELECT at, kind, outcome, status, detail, xaction_id, duration_ms, batch_size
    FROM attempts WHERE seq = $1 ORDER BY id`,
};
const REQUESTS: Statement = {
  name: 'event_requests',
  text: `SELECT id, at, kind, status, xaction, duration_ms, batch_size
    FROM requests WHERE id = ANY ($1::bigint[])`,
};
const COPIES: Statement = {
  name: 'event_copies',
  text: 'SELECT copies AS count, last_at AS "lastAt" FROM differing_copies WHERE seq = $1',
};
const REFRESH: Statement = {
  name: 'event_refresh',
  text: `SELECT customer, bill, due_at AS "dueAt", attempts, is_running AS "isRunning" FROM refreshes AS r
    WHERE receipt = $1 AND NOT ${isOverSql('r')}`,
};
const ACTIONS: Statement = {
  name: 'event_actions',
  text: 'SELECT at, by, action FROM actions WHERE seq = $1 ORDER BY id',
};

interface SentRow {
  readonly kind: MessageKind;
  readonly json: Buffer;
}

function read<Row>({ sessions }: PostgresEngine, statement: Statement, params: Param[]) {
  return sessions.query<Row>('work', statement, params);
}

async function rowOf(engine: PostgresEngine, receiptOrEventId: string): Promise<FoundRow | undefined> {
  const [row] = isReceipt(receiptOrEventId)
    ? await read<FoundRow>(engine, BY_RECEIPT, [receiptOrEventId])
    : [];
  if (row !== undefined) return row;
  const ids = idsOf(receiptOrEventId);
  return (await read<FoundRow>(engine, BY_EVENT_ID, [ids.map(keyOfText), ids.map(storedText)]))[0];
}

async function bodyOf(engine: PostgresEngine, { seq, day, receipt }: FoundRow): Promise<Buffer | undefined> {
  const [row] = await read<{ body: Buffer }>(engine, BODY, [seq, day]);
  if (row === undefined) return undefined;
  const body = engine.cipher.decrypt(row.body);
  if (isReadable(body)) return body;
  engine.reportUnreadable('the body of an event', body, receipt);
  return undefined;
}

/** Messages that cannot be read are omitted and reported. */
async function sentOf(engine: PostgresEngine, { seq, receipt }: FoundRow): Promise<SentMessage[]> {
  const rows = await read<SentRow>(engine, SENT, [seq]);
  return rows.flatMap(({ kind, json }) => {
    const plain = engine.cipher.decrypt(json);
    if (isReadable(plain)) return [{ kind, json: plain.toString('utf8') }];
    engine.reportUnreadable('a sent message', plain, receipt);
    return [];
  });
}

/** Notes that cannot be read are omitted and reported. */
function notesIn(engine: PostgresEngine, { notes, receipt }: FoundRow): RecordedNote[] {
  if (notes === null) return [];
  const readable = notesOf(engine.cipher.decrypt(notes));
  if (typeof readable !== 'string') return readable;
  engine.reportUnreadable('the notes of an event', readable, receipt);
  return [];
}

function withTexts(attempt: RecordedAttempt): RecordedAttempt {
  const { detail, xactionId } = attempt;
  return {
    ...attempt,
    ...(detail === undefined ? {} : { detail: textOf(detail) }),
    ...(xactionId === undefined ? {} : { xactionId: textOf(xactionId) }),
  };
}

async function attemptsOf(
  engine: PostgresEngine,
  { seq, sent_in }: FoundRow,
): Promise<readonly RecordedAttempt[]> {
  const entries = parseSentIn(sent_in);
  const [failed, requests] = await Promise.all([
    read<AttemptRow>(engine, ATTEMPTS, [seq]),
    entries.length === 0
      ? []
      : read<RequestRow & { readonly id: number }>(engine, REQUESTS, [entries.map(({ row }) => row)]),
  ]);
  const byId = new Map(requests.map((request) => [request.id, request]));
  const delivered = entries.flatMap((entry) => {
    const request = byId.get(entry.row);
    return request === undefined ? [] : [sentAttempt(entry, request)];
  });
  return inOrderOfTime(failed.map(failedAttempt), delivered).map(withTexts);
}

/** The record of a receipt, or of the newest event with this event id. */
export async function findRecord(
  engine: PostgresEngine,
  receiptOrEventId: string,
): Promise<EventRecord | undefined> {
  const row = await rowOf(engine, receiptOrEventId);
  if (row === undefined) return undefined;
  const { seq } = row;
  const [attempts, body, sent, copies, refreshes, actions] = await Promise.all([
    attemptsOf(engine, row),
    bodyOf(engine, row),
    sentOf(engine, row),
    read<DifferingCopies>(engine, COPIES, [seq]),
    read<RecordedRefresh>(engine, REFRESH, [row.receipt]),
    read<EventRecord['actions'][number]>(engine, ACTIONS, [seq]),
  ]);
  const [differingCopies] = copies;
  const [refresh] = refreshes;
  return {
    event: toStoredEvent(row),
    attempts,
    body,
    sent,
    notes: notesIn(engine, row),
    ...(differingCopies === undefined ? {} : { differingCopies }),
    ...(refresh === undefined ? {} : { refresh }),
    actions: actions.map(({ at, by, action }) => ({ at, by: textOf(by), action: textOf(action) })),
  };
}
