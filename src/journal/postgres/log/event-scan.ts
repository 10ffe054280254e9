import type { EventFilter, EventState } from '../../journal.ts';
import { isReceipt } from '../../receipts.ts';
import { keyOfText } from '../engine/lane-keys.ts';
import { type StoredRow, storedColumns } from '../engine/stored-events.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import { FILTER_PARAMS, filterParams, filterSql, idsOf } from './filter-conditions.ts';

/*
 * Calls over many events go through them in the order of their receipts, which begin with the time.
 * A statement reads one window: a bounded number of events, of which it returns those that match.
 * So a filter that matches nothing takes many short statements and none that lasts.
 *
 * What the filter names decides how a window is read: by the receipts, by the keys of an event id
 * or a customer, through `dead_letters` or `queue`, or else through all events. This is decided
 * here and not by the planner, which cannot know that an event id is rarer than a source.
 */
type Way = 'receipts' | 'event-id' | 'customer' | 'dead' | 'pending' | 'all';

export type Direction = 'descending' | 'ascending';

/** Before and after all receipts. */
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Events of a window. Those of `all` are read in the order in which they are stored. */
const WINDOW: Readonly<Record<Way, number>> = {
  receipts: 200,
  'event-id': 2_000,
  customer: 2_000,
  dead: 2_000,
  pending: 2_000,
  all: 10_000,
};

/** So many pending events are sorted faster than a window of all events is read. */
const MAX_SORTED_PENDING = 50_000;

/** Bytes of an event besides its texts. */
const FIXED_BYTES = 500;
const BYTES_SQL = `${FIXED_BYTES} + octet_length(e.event_name) + coalesce(octet_length(e.event_id), 0)
  + coalesce(octet_length(e.detail), 0) + coalesce(octet_length(e.traceparent), 0)`;

/** Of each window: `$1` and `$2` are its bounds, `$3` how many events and `$4` bytes it returns. */
const FIRST_FILTER_PARAM = 5;
/** What the way looks for: receipts or keys. */
const SOUGHT = `$${FIRST_FILTER_PARAM + FILTER_PARAMS}`;

interface Order {
  readonly by: 'ASC' | 'DESC';
  /** The events between the bounds: the first exclusive, the second inclusive. */
  readonly range: (receipt: string) => string;
}

const ORDERS: Readonly<Record<Direction, Order>> = {
  ascending: { by: 'ASC', range: (receipt) => `${receipt} > $1::uuid AND ${receipt} <= $2::uuid` },
  descending: { by: 'DESC', range: (receipt) => `${receipt} < $1::uuid AND ${receipt} >= $2::uuid` },
};

/** SQL for the keys of a window, and for the events of these keys. OFFSET 0 keeps them apart. */
function windowSql(way: Way, { by, range }: Order): { readonly keys: string; readonly rows: string } {
  const limited = `ORDER BY receipt ${by} LIMIT ${WINDOW[way]}`;
  const whole = (keys: string) => ({ keys: `${keys} ${limited}`, rows: 'SELECT * FROM keys' });
  const through = (keys: string, day: string) => ({
    keys: `${keys} ${limited}`,
    rows: `SELECT e.* FROM keys AS k, LATERAL (
      SELECT * FROM events AS s WHERE s.receipt = k.receipt${day} OFFSET 0) AS e`,
  });
  const byKey = (column: string) =>
    whole(`SELECT * FROM (SELECT e.* FROM events AS e
      WHERE e.${column} = ANY (${SOUGHT}::integer[]) AND ${range('e.receipt')} OFFSET 0) AS found`);
  switch (way) {
    case 'receipts':
      return through(
        `SELECT receipt FROM unnest(${SOUGHT}::uuid[]) AS sought (receipt) WHERE ${range('receipt')}`,
        '',
      );
    case 'event-id':
      return byKey('event_key');
    case 'customer':
      return byKey('customer_key');
    case 'dead':
    case 'pending': {
      const table = way === 'dead' ? 'dead_letters' : 'queue';
      return through(`SELECT receipt, day FROM ${table} WHERE ${range('receipt')}`, ' AND s.day = k.day');
    }
    case 'all':
      return whole(`SELECT * FROM events WHERE ${range('receipt')}`);
  }
}

function withSql(way: Way, direction: Direction): string {
  const order = ORDERS[direction];
  const { keys, rows } = windowSql(way, order);
  // A join, so that a row is returned for a window in which nothing matches.
  return `WITH keys AS MATERIALIZED (${keys}), e AS (${rows}),
    read AS (SELECT (SELECT count(*)::integer FROM keys) AS seen,
      (SELECT receipt FROM keys ORDER BY receipt ${order.by === 'ASC' ? 'DESC' : 'ASC'} LIMIT 1) AS edge)`;
}

function listSql(way: Way, direction: Direction): string {
  const { by } = ORDERS[direction];
  return `${withSql(way, direction)},
    matching AS (
      SELECT e.*, ${BYTES_SQL} AS bytes FROM e
      WHERE ${filterSql('e', FIRST_FILTER_PARAM)} ORDER BY receipt ${by} LIMIT $3::integer
    ),
    summed AS (SELECT *, sum(bytes) OVER (ORDER BY receipt ${by})::bigint AS upto FROM matching)
    SELECT read.seen, read.edge, s.upto, ${storedColumns('s')}
    FROM read LEFT JOIN summed AS s ON s.upto - s.bytes < $4::integer ORDER BY s.receipt ${by}`;
}

function countSql(way: Way): string {
  return `${withSql(way, 'descending')},
    n AS (SELECT count(*)::integer AS matching FROM e
      WHERE $3::integer IS NULL AND $4::integer IS NULL AND ${filterSql('e', FIRST_FILTER_PARAM)})
    SELECT seen, edge, matching FROM read, n`;
}

const WAYS: readonly Way[] = ['receipts', 'event-id', 'customer', 'dead', 'pending', 'all'];

function statements(name: string, text: (way: Way) => string): Readonly<Record<Way, Statement>> {
  return Object.fromEntries(
    WAYS.map((way) => [way, { name: `${name}_${way.replace('-', '_')}`, text: text(way) }]),
  ) as Record<Way, Statement>;
}

const LISTS: Readonly<Record<Direction, Readonly<Record<Way, Statement>>>> = {
  ascending: statements('events_up', (way) => listSql(way, 'ascending')),
  descending: statements('events_down', (way) => listSql(way, 'descending')),
};
const COUNTS = statements('events_count', countSql);

const PENDING: Statement = {
  name: 'pending_events',
  text: 'SELECT coalesce(sum(pending), 0)::bigint AS pending FROM counts',
};

const DEAD_STATES: readonly EventState[] = ['dead', 'malformed'];

/** Executes a statement, in a transaction or on its own. */
export type Query = Session['query'];

async function wayFor(query: Query, filter: EventFilter): Promise<Way> {
  const { receipts, eventId, customerId, states } = filter;
  if (receipts !== undefined) return 'receipts';
  if (eventId !== undefined) return 'event-id';
  if (customerId !== undefined) return 'customer';
  if (states?.every((state) => DEAD_STATES.includes(state)) === true) return 'dead';
  if (states?.every((state) => state === 'pending') !== true) return 'all';
  const [row] = await query<{ pending: number }>(PENDING);
  return (row?.pending ?? 0) <= MAX_SORTED_PENDING ? 'pending' : 'all';
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

interface Window {
  readonly seen: number;
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
  const { seen = 0, edge = null } = found[0] ?? {};
  return edge === null || seen < WINDOW[way] ? { rows, bytes } : { rows, bytes, next: edge };
}

/** Counts the events of one window, from the newest to the oldest. */
export async function countEvents(
  query: Query,
  filter: EventFilter,
  after: string | undefined,
): Promise<{ readonly count: number; readonly next?: string }> {
  if (isNeverTrue(filter)) return { count: 0 };
  const way = await wayFor(query, filter);
  const scan: Scan = { direction: 'descending', filter, after };
  const [row] = await query<Window & { readonly matching: number }>(COUNTS[way], [
    ...boundsOf(scan),
    null,
    null,
    ...filterParams(filter),
    ...soughtBy(way, scan),
  ]);
  const { seen = 0, edge = null, matching: count = 0 } = row ?? {};
  return edge === null || seen < WINDOW[way] ? { count } : { count, next: edge };
}
