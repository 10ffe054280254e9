import { REFUSED_LATER } from '../../event-reasons.ts';
import { type Landings, type MessageKind, RefusedError, type RefusedRecord } from '../../journal.ts';
import { bitsOf } from '../../message-kinds.ts';
import { MAX_DETAIL_LENGTH } from '../../sent-in.ts';
import { arrayRelation } from '../engine/array-relation.ts';
import { addCountsSql } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { leaveLandingsSql } from '../engine/landing-changes.ts';
import { STATE_CODES } from '../engine/stored-events.ts';
import { storedText } from '../engine/stored-text.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { locateEvents, type LocatedEvent } from './located-events.ts';

/* Delivered events that become dead letters, because AEP has refused a record of them. */

const LOCK: Statement = {
  name: 'landing_lock_refused',
  text: `SELECT e.receipt, e.day, e.seq, e.source, e.id_suffix AS "idSuffix", e.settled_at AS "settledAt"
    FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    WHERE e.state = '${STATE_CODES.delivered}' AND e.destination = $3 ORDER BY e.seq FOR UPDATE OF e`,
};

const REFUSED = arrayRelation(4, {
  receipt: 'uuid',
  day: 'integer',
  seq: 'bigint',
  source: 'text',
  settled_at: 'bigint',
  detail: 'text',
  kinds: 'smallint',
});

/** `$1` stream, `$2` time, `$3` destination. */
const REFUSE: Statement = {
  name: 'landing_refuse',
  text: `WITH input AS MATERIALIZED (
      SELECT i.*, $3::text AS destination, '${STATE_CODES.delivered}' AS state, NULL::text AS reason
      FROM ${REFUSED.as('i')}
    ),
    changed AS (
      UPDATE events AS e SET state = '${STATE_CODES.dead}', reason = '${REFUSED_LATER}', detail = i.detail,
        settled_at = $2, delivered = e.delivered & ~i.kinds
      FROM input AS i WHERE e.receipt = i.receipt AND e.day = i.day
    ),
    letters AS (
      INSERT INTO dead_letters (receipt, day, seq, is_malformed, source, destination, since)
      SELECT receipt, day, seq, false, source, destination, $2 FROM input
      ON CONFLICT (receipt) DO UPDATE SET since = excluded.since
    ),
    refreshed AS (DELETE FROM refreshes AS r USING input AS i WHERE r.receipt = i.receipt),
    ${leaveLandingsSql('input', 'count(*)')},
    counted AS (${addCountsSql('input', { delivered: '-count(*)', dead: 'count(*)' })})
    SELECT receipt FROM input`,
};

const KEEP_SENT: Statement = {
  name: 'landing_keep_sent',
  text: `INSERT INTO sent (seq, n, kind, json)
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bytea[])
    ON CONFLICT (seq, n) DO UPDATE SET kind = excluded.kind, json = excluded.json`,
};

const OTHERS = arrayRelation(2, {
  receipt: 'uuid',
  day: 'integer',
  id_suffix: 'text',
  kinds: 'smallint',
});

/** The other records of events that are dead letters by their first ones; `$1` destination. */
const REFUSE_OTHERS: Statement = {
  name: 'landing_refuse_others',
  text: `UPDATE events AS e SET delivered = e.delivered & ~i.kinds
    FROM ${OTHERS.as('i')}
    WHERE e.receipt = i.receipt AND e.day = i.day AND e.destination = $1 AND e.id_suffix = i.id_suffix
      AND e.state = '${STATE_CODES.dead}' AND e.reason = '${REFUSED_LATER}' AND e.delivered & i.kinds <> 0
    RETURNING e.receipt, e.seq`,
};

const KINDS: readonly MessageKind[] = ['event', 'profile'];

interface LockedRow extends LocatedEvent {
  readonly seq: number;
  readonly source: string;
  readonly idSuffix: string;
  readonly settledAt: number;
}

/** A delivered event with the records of it that were refused. */
interface RefusedEvent extends Pick<LockedRow, 'receipt' | 'seq'> {
  readonly records: readonly RefusedRecord[];
}

function refusedOf(
  row: LockedRow,
  records: readonly RefusedRecord[],
): LockedRow & Pick<RefusedEvent, 'records'> {
  const isOfRow = ({ receipt, idSuffix, refusedAt }: RefusedRecord): boolean =>
    receipt === row.receipt && idSuffix === row.idSuffix && row.settledAt <= refusedAt;
  const own = records.filter(isOfRow);
  // A record can be in several files of a batch.
  const isFirst = ({ kind }: RefusedRecord, index: number): boolean =>
    own.findIndex((other) => other.kind === kind) === index;
  return { ...row, records: own.filter(isFirst) };
}

async function keepSent(
  { cipher }: Pick<PostgresEngine, 'cipher'>,
  session: Session,
  events: readonly RefusedEvent[],
  firstPlace = 0,
): Promise<void> {
  const sent = events.flatMap(({ seq, records }) =>
    records
      .filter(({ json }) => json !== undefined)
      .map(({ kind, json = '' }, n) => ({
        seq,
        n: firstPlace + n,
        kind,
        json: cipher.encrypt(Buffer.from(json, 'utf8')),
      })),
  );
  if (sent.length === 0) return;
  await session.query(KEEP_SENT, [
    sent.map(({ seq }) => seq),
    sent.map(({ n }) => n),
    sent.map(({ kind }) => kind),
    sent.map(({ json }) => Buffer.from(json.buffer, json.byteOffset, json.byteLength)) as Param,
  ]);
}

async function refuseOthers(
  engine: Pick<PostgresEngine, 'cipher'>,
  session: Session,
  destination: string,
  located: readonly LocatedEvent[],
  byReceipt: ReadonlyMap<string, readonly RefusedRecord[]>,
): Promise<void> {
  const input = located.flatMap(({ receipt, day }) =>
    (byReceipt.get(receipt) ?? []).map(({ idSuffix: id_suffix, kind }) => ({
      receipt,
      day,
      id_suffix,
      kinds: bitsOf([kind]),
    })),
  );
  // An update of a row by several rows would take one of them only.
  for (const kind of KINDS) {
    const own = input.filter(({ kinds }) => kinds === bitsOf([kind]));
    if (own.length === 0) continue;
    const rows = await session.query<{ receipt: string; seq: number }>(REFUSE_OTHERS, [
      destination,
      ...OTHERS.params(own),
    ]);
    const recordsOf = (receipt: string) =>
      (byReceipt.get(receipt) ?? []).filter((record) => record.kind === kind).slice(0, 1);
    const events = rows.map(({ receipt, seq }) => ({ receipt, seq, records: recordsOf(receipt) }));
    await keepSent(engine, session, events, 1);
  }
}

/** See Landings. */
export async function refuse(
  engine: Pick<PostgresEngine, 'sessions' | 'cipher' | 'now'>,
  destination: string,
  records: readonly RefusedRecord[],
): ReturnType<Landings['refuse']> {
  if (!records.every(({ kind }) => KINDS.includes(kind)))
    throw new RefusedError('a refused record is an event or a profile');
  const stored = storedText(destination);
  const byReceipt = Map.groupBy(records, ({ receipt }) => receipt);
  const refused = await engine.sessions.transaction('work', async (session) => {
    const located = await locateEvents(session, byReceipt.keys());
    if (located.length === 0) return [];
    // Before this call makes dead letters itself.
    await refuseOthers(engine, session, stored, located, byReceipt);
    const rows = await session.query<LockedRow>(LOCK, [
      located.map(({ receipt }) => receipt),
      located.map(({ day }) => day),
      stored,
    ]);
    const events = rows
      .map((row) => refusedOf(row, byReceipt.get(row.receipt) ?? []))
      .filter((event) => event.records.length > 0);
    if (events.length === 0) return [];
    const input = events.map(({ records: of, settledAt: settled_at, receipt, day, seq, source }) => ({
      receipt,
      day,
      seq,
      source,
      settled_at,
      detail: storedText((of[0] as RefusedRecord).detail.slice(0, MAX_DETAIL_LENGTH)),
      kinds: bitsOf(of.map(({ kind }) => kind)),
    }));
    await session.query(REFUSE, [session.stream, engine.now(), stored, ...REFUSED.params(input)]);
    await keepSent(engine, session, events);
    return events.map(({ receipt }) => receipt);
  });
  const isRefused = new Set(refused);
  return { refused: [...byReceipt.keys()].filter((receipt) => isRefused.has(receipt)) };
}
