import type { Appended } from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import type { Session, Statement } from '../sessions/session.ts';
import type { EventRow } from './append-statement.ts';
import { ArrayParam } from './array-params.ts';
import { dayOf, NO_DAY } from './days.ts';
import type { PostgresEngine } from './engine.ts';
import { storedText } from './stored-text.ts';

/* The stored event of which another one is a duplicate. */

/** Copies of one query: their bodies are in memory at the same time. */
const MAX_COPIES = 128;

/** One partition, which is found by `$1` before the first row is read. */
const FIRST_COPIES: Statement = {
  name: 'first_copies',
  text: `SELECT i.n, e.receipt, (SELECT b.body FROM bodies AS b WHERE b.day = $1 AND b.seq = e.seq) AS body
    FROM unnest($2::integer[], $3::bytea[], $4::text[]) AS i (n, identity, source),
      LATERAL (SELECT receipt, seq FROM events
        WHERE day = $1 AND identity = i.identity AND source = i.source LIMIT 1) AS e`,
};

/**
 * The identity of an event that has an id does not cover `createdAt`, and a router that sends its
 * own time instead gives each attempt another one. So a copy that was sent again around midnight
 * UTC can have the day before or after. Senders give up within minutes; this is more than that, and
 * little enough that most events need no second look-up. A copy that is further away in `createdAt`
 * and has another day is a new event.
 */
const NEAR_MIDNIGHT_MS = 3_600_000;

/** The day that a copy of the event can have because it was sent again; mostly its own. */
export function otherDayOf({ event: { createdAt }, day }: EventRow): number {
  if (createdAt === undefined) return day;
  const before = dayOf(createdAt - NEAR_MIDNIGHT_MS);
  return before === day ? dayOf(createdAt + NEAR_MIDNIGHT_MS) : before;
}

export function isNearOtherDay(row: EventRow): boolean {
  const other = otherDayOf(row);
  return other !== row.day && other !== NO_DAY;
}

/** An event of the same source and identity. */
export interface FirstCopy {
  readonly receipt: string;
  /** In its stored form; null if it is gone. */
  readonly body: Uint8Array | null;
}

async function readCopies(
  { query }: Pick<Session, 'query'>,
  rows: readonly EventRow[],
  day: number,
  found: Map<EventRow, FirstCopy>,
): Promise<void> {
  const places = new ArrayParam('int4', 8 * rows.length);
  const identities = new ArrayParam('bytea', 36 * rows.length);
  const sources = new ArrayParam('text', 64 * rows.length);
  for (const [n, { event }] of rows.entries()) {
    places.addInt4(n);
    identities.addHex(event.identity);
    sources.addText(storedText(event.source));
  }
  const copies = await query<FirstCopy & { readonly n: number }>(FIRST_COPIES, [
    day,
    places.take(),
    identities.take(),
    sources.take(),
  ]);
  for (const { n, receipt, body } of copies) found.set(rows[n] as EventRow, { receipt, body });
}

/**
 * The stored event of each row that has one.
 * @param dayOfRow where it may be
 */
export async function firstCopiesOf(
  session: Pick<Session, 'query'>,
  rows: readonly EventRow[],
  dayOfRow: (row: EventRow) => number,
): Promise<Map<EventRow, FirstCopy>> {
  const found = new Map<EventRow, FirstCopy>();
  for (const [day, ofDay] of Map.groupBy(rows, dayOfRow)) {
    for (let begin = 0; begin < ofDay.length; begin += MAX_COPIES)
      await readCopies(session, ofDay.slice(begin, begin + MAX_COPIES), day, found);
  }
  return found;
}

/** The answer for a row whose source and identity are known. */
export function duplicateOf({ cipher }: PostgresEngine, row: EventRow, first: FirstCopy): Appended {
  const { receipt, body } = first;
  const plain = body && cipher.decrypt(body);
  // One that cannot be read is reported when the event is claimed or looked at.
  if (plain === null || !isReadable(plain)) return { receipt, duplicate: true };
  const own = cipher.decrypt(row.sealed);
  return { receipt, duplicate: true, sameBody: isReadable(own) && own.equals(plain) };
}
