import { type Doubt, type Landings, type RecordedDoubt, RefusedError } from '../../journal.ts';
import { isReceipt } from '../../receipts.ts';
import { arrayRelation } from '../engine/array-relation.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import {
  addLandingsSql,
  addSpansSql,
  hasSpanSql,
  isConfirmedSql,
  lockLandings,
} from '../engine/landing-changes.ts';
import { STATE_CODES } from '../engine/stored-events.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Statement } from '../sessions/session.ts';
import { locateEvents, type LocatedEvent } from './located-events.ts';

/* Doubts about delivered events, and events that are to be read back. */

/** Before the lock on the counts, as whoever replays them has it. */
const LOCK_DELIVERED: Statement = {
  name: 'landing_lock_delivered',
  text: `SELECT e.receipt, e.day FROM unnest($1::uuid[], $2::integer[]) AS i (receipt, day)
      JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    WHERE e.state = '${STATE_CODES.delivered}' AND e.destination = $3 ORDER BY e.seq FOR NO KEY UPDATE OF e`,
};

const DOUBTS = arrayRelation(3, { receipt: 'uuid', day: 'integer', code: 'text', detail: 'text' });

/**
 * SQL of CTEs that count doubts.
 * @param from columns `source`, `destination`, `settled_at`, `is_confirmed`
 * @param sign `-` if they end
 */
function countDoubtsSql(from: string, sign: '' | '-'): string {
  return `unlanded AS (${addLandingsSql(from, {
    landed: `${sign === '' ? '-' : ''}count(*) FILTER (WHERE is_confirmed)`,
  })}),
    spanned AS (${addSpansSql(
      `(SELECT * FROM ${from} AS d WHERE NOT is_confirmed AND ${hasSpanSql('d')}) AS unconfirmed`,
      { doubted: `${sign}count(*)` },
    )})`;
}

/** Only a new doubt changes the counts: `xmax` of a row that was inserted is 0. */
const DOUBT: Statement = {
  name: 'landing_doubt',
  text: `WITH input AS MATERIALIZED (
      SELECT i.code, i.detail, e.receipt, e.source, e.destination, e.settled_at, e.event_name, e.event_id
      FROM ${DOUBTS.as('i')} JOIN events AS e ON e.receipt = i.receipt AND e.day = i.day
    ),
    written AS (
      INSERT INTO doubts (receipt, source, destination, settled_at, event_name, event_id, code, detail, at)
      SELECT receipt, source, destination, settled_at, event_name, event_id, code, detail, $2 FROM input
      ON CONFLICT (receipt) DO UPDATE SET code = excluded.code, detail = excluded.detail, at = excluded.at
      RETURNING source, destination, settled_at, xmax = 0 AS is_new
    ),
    doubted AS MATERIALIZED (SELECT w.*, ${isConfirmedSql('w')} AS is_confirmed FROM written AS w WHERE is_new),
    ${countDoubtsSql('doubted', '')}
    SELECT count(*)::integer AS doubted FROM input`,
};

/** See Landings. */
export async function doubt(
  { sessions, now }: Pick<PostgresEngine, 'sessions' | 'now'>,
  destination: string,
  all: readonly Doubt[],
): Promise<{ readonly doubted: number }> {
  // The last one of an event counts.
  const byReceipt = new Map(all.map((each) => [each.receipt, each]));
  return sessions.transaction('work', async (session) => {
    const located = await locateEvents(session, byReceipt.keys());
    if (located.length === 0) return { doubted: 0 };
    const locked = await session.query<LocatedEvent>(LOCK_DELIVERED, [
      located.map(({ receipt }) => receipt),
      located.map(({ day }) => day),
      storedText(destination),
    ]);
    if (locked.length === 0) return { doubted: 0 };
    await lockLandings(session);
    const rows = locked.map(({ receipt, day }) => {
      const { code, detail } = byReceipt.get(receipt) as Doubt;
      return { receipt, day, code: storedText(code), detail: storedText(detail) };
    });
    const params = [session.stream, now(), ...DOUBTS.params(rows)];
    const [row] = await session.query<{ doubted: number }>(DOUBT, params);
    return { doubted: row?.doubted ?? 0 };
  });
}

/** Only delivered events have doubts. */
const CLEAR: Statement = {
  name: 'landing_clear_doubts',
  text: `WITH gone AS (
      DELETE FROM doubts WHERE receipt = ANY ($2::uuid[]) RETURNING source, destination, settled_at
    ),
    cleared AS MATERIALIZED (SELECT g.*, ${isConfirmedSql('g')} AS is_confirmed FROM gone AS g),
    ${countDoubtsSql('cleared', '-')}
    SELECT count(*)::integer AS cleared FROM cleared`,
};

/** See Landings. */
export async function clearDoubts(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  receipts: readonly string[],
): Promise<void> {
  const possible = receipts.filter(isReceipt);
  if (possible.length === 0) return;
  await sessions.transaction('work', async (session) => {
    await lockLandings(session);
    await session.query(CLEAR, [session.stream, possible]);
  });
}

const COUNT_DOUBTS: Statement = {
  name: 'landing_count_doubts',
  text: 'SELECT code, count(*)::integer AS count FROM doubts WHERE destination = $1 GROUP BY code ORDER BY code',
};
const NEWEST_DOUBTS: Statement = {
  name: 'landing_newest_doubts',
  text: `SELECT receipt, code, detail, source, destination, event_name AS "eventName", event_id AS "eventId", at
    FROM doubts WHERE destination = $1 ORDER BY at DESC, receipt DESC LIMIT $2`,
};
/** Most doubts of a list, and most watched events of a page. */
const MAX_DOUBTS = 500;
const MAX_WATCHED = 1_000;

type DoubtRow = Omit<RecordedDoubt, 'eventId'> & { readonly eventId: string | null };

/** See Landings. */
export async function doubts(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  limit: number,
): ReturnType<Landings['doubts']> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DOUBTS)
    throw new RefusedError(`the limit of doubts must be 1 to ${MAX_DOUBTS}`);
  const stored = storedText(destination);
  const [counted, rows] = await Promise.all([
    sessions.query<Pick<DoubtRow, 'code'> & { readonly count: number }>('work', COUNT_DOUBTS, [stored]),
    sessions.query<DoubtRow>('work', NEWEST_DOUBTS, [stored, limit]),
  ]);
  const newest = rows.map(({ receipt, eventId, at, ...texts }) => ({
    receipt,
    code: textOf(texts.code),
    detail: textOf(texts.detail),
    source: textOf(texts.source),
    destination: textOf(texts.destination),
    eventName: textOf(texts.eventName),
    ...(eventId === null ? {} : { eventId: textOf(eventId) }),
    at,
  }));
  return { counts: Object.fromEntries(counted.map(({ code, count }) => [textOf(code), count])), newest };
}

const WATCHED: Statement = {
  name: 'landing_watched',
  text: `SELECT receipt FROM watched WHERE destination = $1 AND settled_at < $2
    ORDER BY settled_at, receipt LIMIT $3`,
};
const UNWATCH: Statement = {
  name: 'landing_unwatch',
  text: 'DELETE FROM watched WHERE receipt = ANY ($1::uuid[])',
};

/** See Landings. */
export async function watched(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  destination: string,
  { until, limit }: { readonly until: number; readonly limit: number },
): Promise<readonly string[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_WATCHED)
    throw new RefusedError(`the limit of watched events must be 1 to ${MAX_WATCHED}`);
  const params = [storedText(destination), until, limit];
  const rows = await sessions.query<{ receipt: string }>('work', WATCHED, params);
  return rows.map(({ receipt }) => receipt);
}

/** See Landings. */
export async function unwatch(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  receipts: readonly string[],
): Promise<void> {
  const possible = receipts.filter(isReceipt);
  if (possible.length > 0) await sessions.query('work', UNWATCH, [possible]);
}
