import type { Appended } from '../../journal.ts';
import { isReceipt } from '../../receipts.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { APPEND, appendParams, type EventRow } from './append-statement.ts';
import type { PostgresEngine } from './engine.ts';
import { TAKE_POSITIONS, writeSurely } from './event-insertion.ts';
import { duplicateOf, firstCopiesOf, isNearOtherDay, otherDayOf } from './first-copies.ts';
import { storedText } from './stored-text.ts';

/* Events that leave the quarantine. They are rare, so they are appended one after the other. */

const LOCK_RECEIPT: Statement = {
  name: 'lock_receipt',
  text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
};
const STATE_OF_RECEIPT: Statement = {
  name: 'state_of_receipt',
  text: 'SELECT state FROM events WHERE receipt = $1',
};
const RECORD_RELEASE: Statement = {
  name: 'record_release',
  text: `INSERT INTO actions (seq, at, by, action) VALUES ($1, $2, $3, 'released from quarantine')`,
};

/** The state of the event with this receipt, which no other transaction can take until the end. */
export async function lockReceipt(session: Session, receipt: string): Promise<string | undefined> {
  await session.query(LOCK_RECEIPT, [receipt]);
  const rows = await session.query<{ readonly state: string }>(STATE_OF_RECEIPT, [receipt]);
  return rows[0]?.state;
}

/** Adds the release to the history of a stored event. */
export async function recordRelease(session: Session, seq: number, at: number, by: string): Promise<void> {
  await session.query(RECORD_RELEASE, [seq, at, storedText(by)]);
}

async function receiptFor(session: Session, { event, receipt }: EventRow): Promise<string> {
  const { released } = event;
  if (released === undefined || !isReceipt(released.receipt)) return receipt;
  return (await lockReceipt(session, released.receipt)) === undefined ? released.receipt : receipt;
}

async function appendOne(
  { now }: PostgresEngine,
  session: Session,
  row: EventRow,
): Promise<Appended | undefined> {
  const receipt = await receiptFor(session, row);
  const base = (await session.query<{ n: number }>(TAKE_POSITIONS, [1]))[0]?.n ?? null;
  const at = now();
  const params = appendParams([{ row: { ...row, receipt }, offset: 0 }], at, base);
  const added = await session.query(APPEND, [session.stream, ...params]);
  if (added.length === 0 || base === null) return undefined;
  const { released } = row.event;
  if (released !== undefined) await recordRelease(session, base, at, released.by);
  return { receipt, duplicate: false };
}

async function knownCopy(
  engine: PostgresEngine,
  session: Session,
  row: EventRow,
  day: number,
): Promise<Appended | undefined> {
  const first = (await firstCopiesOf(session, [row], () => day)).get(row);
  return first && duplicateOf(engine, row, first);
}

async function appendRow(engine: PostgresEngine, session: Session, row: EventRow): Promise<Appended> {
  const other = isNearOtherDay(row) ? await knownCopy(engine, session, row, otherDayOf(row)) : undefined;
  const answer =
    other ?? (await appendOne(engine, session, row)) ?? (await knownCopy(engine, session, row, row.day));
  // Its first copy was removed between the two statements.
  return answer ?? appendRow(engine, session, row);
}

/**
 * Appends events of one call, of which some or all are released, in one transaction. The first of
 * them that is stored takes the receipt.
 */
export async function appendReleased(
  engine: PostgresEngine,
  rows: readonly EventRow[],
): Promise<readonly Appended[]> {
  let attempts = 0;
  const answers = await writeSurely(() => {
    attempts += 1;
    return engine.sessions.transaction('append', async (session) => {
      const all: Appended[] = [];
      for (const row of rows) all.push(await appendRow(engine, session, row));
      return all;
    });
  });
  for (const [index, { duplicate }] of answers.entries())
    if (!duplicate) engine.notifyClaimable((rows[index] as EventRow).event.destination);
  return attempts === 1
    ? answers
    : answers.map((answer, index) => ownAnswer(rows[index] as EventRow, answer));
}

/** Of a repeated transaction: what has the receipt of the row was stored by the first one. */
function ownAnswer({ receipt, event }: EventRow, answer: Appended): Appended {
  const isOwn = answer.receipt === receipt || answer.receipt === event.released?.receipt;
  return isOwn ? { receipt: answer.receipt, duplicate: false } : answer;
}
