import type { NewMalformed } from '../../journal.ts';
import { isReceipt, newReceipt } from '../../receipts.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { storedInteger } from './append-statement.ts';
import { addCountsSql, NO_DESTINATION } from './count-changes.ts';
import { dayOf } from './days.ts';
import type { PostgresEngine } from './engine.ts';
import { writeSurely } from './event-insertion.ts';
import { keyOfText } from './lane-keys.ts';
import { lockReceipt, recordRelease } from './released-events.ts';
import { storedText } from './stored-text.ts';

/* What arrives besides new events: bodies that are no events, and copies that differ. */

/** Its day is that of the receipt, so that the same call has the same one again. */
const APPEND_MALFORMED: Statement = {
  name: 'append_malformed',
  text: `WITH added AS (
      INSERT INTO events (day, seq, receipt, source, destination, lane_key, received_at, verified_by,
        body_bytes, state, due_at, reason, detail)
      SELECT $2, nextval('positions'), $3, $4, $5, $6, $7, $8, $9, 'm', $10, 'malformed', $11
      ON CONFLICT (receipt, day) DO NOTHING
      RETURNING day, seq, receipt, source, destination, received_at
    ),
    payloads AS (INSERT INTO bodies (day, seq, body) SELECT day, seq, $12::bytea FROM added),
    letters AS (
      INSERT INTO dead_letters (receipt, day, seq, is_malformed, source, destination, since)
      SELECT receipt, day, seq, true, source, destination, received_at FROM added
    ),
    counted AS (${addCountsSql(
      `(SELECT source, '${NO_DESTINATION}' AS destination FROM added) AS malformed`,
      { malformed: 'count(*)', stored_events: 'count(*)', stored_bytes: 'count(*) * length($12::bytea)' },
    )})
    SELECT seq FROM added`,
};

function malformedParams({ cipher }: PostgresEngine, malformed: NewMalformed, at: number): MalformedParams {
  const receivedAt = storedInteger(malformed.receivedAt) ?? at;
  const sealed = cipher.encrypt(malformed.body);
  const payload = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const { source, destination, verifiedBy, body, detail } = malformed;
  return (receipt) => [
    dayOf(receivedAt),
    receipt,
    storedText(source),
    storedText(destination),
    keyOfText(receipt),
    receivedAt,
    storedText(verifiedBy),
    body.byteLength,
    at,
    storedText(detail),
    payload,
  ];
}

/** The parameters of `APPEND_MALFORMED` after the stream. */
type MalformedParams = (receipt: string) => readonly Param[];

async function appendReleased(
  session: Session,
  { receipt, by }: NonNullable<NewMalformed['released']>,
  { params, at, fresh }: { readonly params: MalformedParams; readonly at: number; readonly fresh: string },
): Promise<string> {
  const state = isReceipt(receipt) ? await lockReceipt(session, receipt) : 'none';
  // The relay or its connection ended between this call and the removal from the quarantine.
  if (state === 'm') return receipt;
  const own = state === undefined ? receipt : fresh;
  const [row] = await session.query<{ readonly seq: number }>(APPEND_MALFORMED, [
    session.stream,
    ...params(own),
  ]);
  if (row !== undefined) await recordRelease(session, row.seq, at, by);
  return own;
}

export async function appendMalformed(
  engine: PostgresEngine,
  malformed: NewMalformed,
): Promise<{ readonly receipt: string }> {
  const { sessions } = engine;
  const { released } = malformed;
  const at = engine.now();
  const fresh = newReceipt();
  const params = malformedParams(engine, malformed, at);
  const receipt = await writeSurely(async () => {
    if (released === undefined) {
      await sessions.queryAs('append', APPEND_MALFORMED, params(fresh));
      return fresh;
    }
    return sessions.transaction('append', (session) =>
      appendReleased(session, released, { params, at, fresh }),
    );
  });
  return { receipt };
}

const RECORD_DIFFERING_COPY: Statement = {
  name: 'record_differing_copy',
  text: `INSERT INTO differing_copies (seq, copies, last_at) SELECT seq, 1, $2 FROM events WHERE receipt = $1
    ON CONFLICT (seq) DO UPDATE SET copies = differing_copies.copies + 1,
      last_at = greatest(differing_copies.last_at, excluded.last_at)`,
};

export async function recordDifferingCopy({ sessions, now }: PostgresEngine, receipt: string): Promise<void> {
  if (isReceipt(receipt)) await sessions.query('append', RECORD_DIFFERING_COPY, [receipt, now()]);
}
