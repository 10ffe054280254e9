import type { EventFilter, EventState } from '../../journal.ts';
import { isReceipt } from '../../receipts.ts';
import { keyOfText } from '../engine/lane-keys.ts';
import type { StoredRow } from '../engine/stored-events.ts';
import { storedTextOrNull } from '../engine/stored-text.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { filterParams, idsOf } from './filter-conditions.ts';
import { COUNTS, type Direction, LISTS, type Way, WINDOW } from './scan-statements.ts';

/* Scans of the events that match a filter, one window for each call: see scan-statements.ts. */

/** Before and after all receipts. */
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** So many pending events are sorted faster than a window of all events is read. */
const MAX_SORTED_PENDING = 50_000;

const PENDING: Statement = {
  name: 'pending_events',
  text: `SELECT coalesce(sum(pending), 0)::bigint AS pending FROM counts
    WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR destination = $2)`,
};

const DEAD_STATES: readonly EventState[] = ['dead', 'malformed'];

/** Executes a statement, in a transaction or on its own. */
export type Query = Session['query'];

async function pendingAt(query: Query, source?: string, destination?: string): Promise<number> {
  const texts = [source, destination].map(storedTextOrNull);
  const [row] = await query<{ pending: number }>(PENDING, texts);
  return row?.pending ?? 0;
}

async function wayFor(query: Query, filter: EventFilter): Promise<Way> {
  const { receipts, eventId, customerId, states } = filter;
  if (receipts !== undefined) return 'receipts';
  if (eventId !== undefined) return 'event-id';
  if (customerId !== undefined) return 'customer';
  if (states?.every((state) => DEAD_STATES.includes(state)) === true) return 'dead';
  if (states?.every((state) => state === 'pending') !== true) return 'all';
  return (await pendingAt(query)) <= MAX_SORTED_PENDING ? 'pending' : 'all';
}

/** A scan of the events that match a filter. */
export interface Scan {
  readonly direction: Direction;
  readonly filter: EventFilter;
  /** Exclusive: the scan begins after this receipt. */
  readonly after?: string | undefined;
  /** Inclusive: it ends with this one. */
  readonly until?: string | undefined;
}

function boundsOf({ direction, after, until }: Scan): [string, string] {
  return direction === 'ascending' ? [after ?? FIRST, until ?? LAST] : [after ?? LAST, until ?? FIRST];
}

/** The receipts of the next window, in order. */
function nextReceipts(scan: Scan): readonly string[] {
  const [after, until] = boundsOf(scan);
  const isAscending = scan.direction === 'ascending';
  const [low, high] = isAscending ? [after, until] : [until, after];
  const sought = [...new Set(scan.filter.receipts)]
    .filter((receipt) => isReceipt(receipt) && receipt >= low && receipt <= high && receipt !== after)
    .toSorted();
  return (isAscending ? sought : sought.toReversed()).slice(0, WINDOW.receipts);
}

/** The values that the way looks for; none for a way that goes through a table. */
function soughtBy(way: Way, scan: Scan): Param[] {
  const { eventId = '', customerId = '' } = scan.filter;
  switch (way) {
    case 'receipts':
      return [nextReceipts(scan)];
    case 'event-id':
      return [idsOf(eventId).map(keyOfText)];
    case 'customer':
      return [[keyOfText(customerId)]];
    case 'dead':
    case 'pending':
    case 'all':
      return [];
  }
}

/** The end of a window; null if nothing follows. */
interface Window {
  readonly edge: string | null;
}

/** The events that a window returned, and the receipt after which the next one begins. */
export interface ScannedEvents {
  readonly rows: readonly StoredRow[];
  readonly bytes: number;
  /** Absent if nothing follows. */
  readonly next?: string;
}

function isNeverTrue({ receipts, states }: EventFilter): boolean {
  return receipts?.length === 0 || states?.length === 0;
}

/** Reads one window of a scan. */
export async function scanEvents(
  query: Query,
  scan: Scan,
  size: { readonly limit: number; readonly maxBytes: number },
): Promise<ScannedEvents> {
  const { direction, filter } = scan;
  if (isNeverTrue(filter)) return { rows: [], bytes: 0 };
  const way = await wayFor(query, filter);
  const found = await query<Window & StoredRow & { readonly upto: number | null }>(LISTS[direction][way], [
    ...boundsOf(scan),
    size.limit,
    size.maxBytes,
    ...filterParams(filter),
    ...soughtBy(way, scan),
  ]);
  const rows = found.filter(({ upto }) => upto !== null);
  const last = rows.at(-1);
  const bytes = last?.upto ?? 0;
  if (last !== undefined && (rows.length >= size.limit || bytes >= size.maxBytes))
    return { rows, bytes, next: last.receipt };
  const edge = found[0]?.edge ?? null;
  return edge === null ? { rows, bytes } : { rows, bytes, next: edge };
}

/** Undefined unless the counts say how many events match: a start asks for what is pending. */
async function countedBy(query: Query, filter: EventFilter): Promise<number | undefined> {
  const { states, source, destination, ...rest } = filter;
  const isPending = states?.length === 1 && states[0] === 'pending';
  if (!isPending || Object.values(rest).some((value) => value !== undefined)) return undefined;
  return pendingAt(query, source, destination);
}

/** Counts the events of one window, from the newest to the oldest. */
export async function countEvents(
  query: Query,
  filter: EventFilter,
  after: string | undefined,
): Promise<{ readonly count: number; readonly next?: string }> {
  if (isNeverTrue(filter)) return { count: 0 };
  const counted = await countedBy(query, filter);
  if (counted !== undefined) return { count: counted };
  const way = await wayFor(query, filter);
  const scan: Scan = { direction: 'descending', filter, after };
  const [row] = await query<Window & { readonly matching: number }>(COUNTS[way], [
    ...boundsOf(scan),
    null,
    null,
    ...filterParams(filter),
    ...soughtBy(way, scan),
  ]);
  const { edge = null, matching: count = 0 } = row ?? {};
  return edge === null ? { count } : { count, next: edge };
}
