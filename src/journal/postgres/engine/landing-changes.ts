import { type Attempt, DELIVERY_SPAN_MS, type MessageKind } from '../../journal.ts';
import { DELIVERED } from '../../sent-in.ts';
import { REFUSED_LATER } from '../../event-reasons.ts';
import type { Session, Statement } from '../sessions/session.ts';

/*
 * What changes with the events that become and were delivered: spans, counts of landings, doubts
 * and watched events. Parts of the statements that change the events.
 *
 * A settlement has its time before its statement, and could commit after that time was confirmed.
 * `confirm` waits for all statements that have the lock on `spans`, and those that come later see
 * what it confirmed: they are settled at the end of that, so they count in a span that is not
 * confirmed (`settledAtSql`). So `confirmed` says of each settled event exactly whether it was
 * counted as landed.
 */

/** Names of the columns of a kind: messages that were acknowledged, and attempts without answer. */
export const ASKED_COLUMNS = {
  events_acknowledged: 'smallint',
  profiles_acknowledged: 'smallint',
  events_unanswered: 'smallint',
  profiles_unanswered: 'smallint',
} as const;
type AskedColumn = keyof typeof ASKED_COLUMNS;
const ASKED = Object.keys(ASKED_COLUMNS) as readonly AskedColumn[];

function isAcknowledged({ outcome }: Attempt): boolean {
  return outcome === DELIVERED;
}

function isUnanswered({ outcome, request }: Attempt): boolean {
  return outcome !== DELIVERED && request.status === undefined;
}

/** How Adobe answered the messages of a settlement. */
export function askedColumns(attempts: readonly Attempt[]): Readonly<Record<AskedColumn, number>> {
  const count = (kind: MessageKind, isCounted: (attempt: Attempt) => boolean): number =>
    attempts.filter((attempt) => attempt.request.kind === kind && isCounted(attempt)).length;
  return {
    events_acknowledged: count('event', isAcknowledged),
    profiles_acknowledged: count('profile', isAcknowledged),
    events_unanswered: count('event', isUnanswered),
    profiles_unanswered: count('profile', isUnanswered),
  };
}

/** SQL of the beginning of the span that has a time. */
function spanSql(at: string): string {
  return `(${at} - ${at} % ${DELIVERY_SPAN_MS})`;
}

/** SQL of the time of a settlement: behind everything that is confirmed at its destination. */
export function settledAtSql(destination: string, now: string): string {
  return `greatest(${now}::bigint, (SELECT max(c.until_at) FROM confirmed AS c
        WHERE c.destination = ${destination} AND c.until_at > ${now}::bigint))`;
}

/** SQL that is true if `settled_at` of a relation is confirmed at its `destination`. */
export function isConfirmedSql(e: string): string {
  return `coalesce((SELECT c.from_at <= ${e}.settled_at FROM confirmed AS c
      WHERE c.destination = ${e}.destination AND c.until_at > ${e}.settled_at
      ORDER BY c.until_at LIMIT 1), false)`;
}

/** SQL that is true if an event is counted in a span, unless its time is confirmed. */
export function hasSpanSql(e: string): string {
  return `${e}.settled_at >= coalesce((SELECT at FROM marks WHERE name = 'spans-since'), 0)`;
}

/** The sums of `ASKED_COLUMNS` of a relation. */
export const ASKED_SUMS = Object.fromEntries(ASKED.map((column) => [column, `sum(${column})`])) as Readonly<
  Record<AskedColumn, string>
>;

type SpanChanges = Readonly<Partial<Record<'events' | 'doubted' | AskedColumn, string>>>;

/**
 * SQL that adds to the spans of each source and destination of a relation. A statement can have it
 * only once, as `addCountsSql`.
 * @param from columns `source`, `destination`, `settled_at`
 * @param changes an aggregate for each count
 */
export function addSpansSql(from: string, changes: SpanChanges): string {
  const columns = Object.keys(changes);
  const sums = Object.values(changes);
  return `INSERT INTO spans (stream, source, destination, at, ${columns.join(', ')})
    SELECT $1::integer, source, destination, ${spanSql('settled_at')}, ${sums.join(', ')}
    FROM ${from} GROUP BY source, destination, ${spanSql('settled_at')}
    HAVING ${sums.map((sum) => `${sum} <> 0`).join(' OR ')}
    ON CONFLICT (destination, at, source, stream) DO UPDATE SET
      ${columns.map((column) => `${column} = spans.${column} + excluded.${column}`).join(', ')}`;
}

/** SQL that adds to the counts of the sources of a relation, each change an aggregate. */
export function addLandingsSql(
  from: string,
  { landed = '0', refusedLater = '0' }: { readonly landed?: string; readonly refusedLater?: string },
): string {
  return `INSERT INTO landings (stream, source, landed, refused_later)
    SELECT $1::integer, source, ${landed}, ${refusedLater} FROM ${from} GROUP BY source
    HAVING ${landed} <> 0 OR ${refusedLater} <> 0
    ON CONFLICT (stream, source) DO UPDATE SET landed = landings.landed + excluded.landed,
      refused_later = landings.refused_later + excluded.refused_later`;
}

/**
 * SQL of the last CTEs of a statement in which events leave the state in which they were settled. A
 * doubt that someone else removes at the same time counts there.
 * @param from columns `receipt`, `source`, `destination` as they were, `settled_at`, `state` and
 *   `reason`
 * @param refused an aggregate of those that become dead with the reason `refused-later`
 */
export function leaveLandingsSql(from: string, refused = '0'): string {
  const wasRefused = `state = 'x' AND reason = '${REFUSED_LATER}'`;
  return `undoubted AS (
      DELETE FROM doubts AS d USING ${from} AS l WHERE d.receipt = l.receipt RETURNING d.receipt
    ),
    unwatched AS (DELETE FROM watched AS w USING ${from} AS l WHERE w.receipt = l.receipt),
    left_landing AS MATERIALIZED (
      SELECT l.*, ${isConfirmedSql('l')} AS is_confirmed,
        l.receipt IN (SELECT receipt FROM undoubted) AS is_doubted
      FROM ${from} AS l
    ),
    unspanned AS (${addSpansSql(
      `(SELECT * FROM left_landing AS l
          WHERE state = 'd' AND NOT is_confirmed AND ${hasSpanSql('l')}) AS unconfirmed`,
      { events: '-count(*)', doubted: '-count(*) FILTER (WHERE is_doubted)' },
    )}),
    unlanded AS (${addLandingsSql('left_landing', {
      landed: "-count(*) FILTER (WHERE state = 'd' AND is_confirmed AND NOT is_doubted)",
      refusedLater: `${refused} - count(*) FILTER (WHERE ${wasRefused})`,
    })})`;
}

const LOCK_LANDINGS: Statement = {
  name: 'lock_landings',
  text: 'LOCK TABLE spans IN ROW EXCLUSIVE MODE',
};

/** No range is confirmed until the transaction ends, and later statements see what is. */
export async function lockLandings(session: Session): Promise<void> {
  await session.query(LOCK_LANDINGS);
}
