import { storedColumns } from '../engine/stored-events.ts';
import type { Statement } from '../sessions/session.ts';
import { FILTER_PARAMS, filterSql } from './filter-conditions.ts';

/*
 * Calls over many events go through them in the order of their receipts, which begin with the time.
 * A statement reads one window: a bounded number of events, of which it returns those that match.
 * So a filter that matches nothing takes many short statements and none that lasts.
 *
 * What the filter names decides how a window is read: by the receipts, by the keys of an event id
 * or a customer, through `dead_letters` or `queue`, or else through all events. This is decided
 * here and not by the planner, which cannot know that an event id is rarer than a source.
 */
export type Way = 'receipts' | 'event-id' | 'customer' | 'dead' | 'pending' | 'all';

export type Direction = 'descending' | 'ascending';

/** Events of a window. Those of `all` are read in the order in which they are stored. */
export const WINDOW: Readonly<Record<Way, number>> = {
  receipts: 200,
  'event-id': 2_000,
  customer: 2_000,
  dead: 2_000,
  pending: 2_000,
  all: 10_000,
};

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

/** SQL of a window. */
interface WindowSql {
  /** Its events as `e`, null where one is gone, in the order of `receipt`. */
  readonly from: string;
  readonly receipt: string;
  /** A relation with the receipts of everything that follows the first bound. */
  readonly keys: string;
}

/** OFFSET 0 keeps the planner from reading all events in the order of the receipts. */
function windowSql(way: Way, { by, range }: Order): WindowSql {
  const limited = `ORDER BY receipt ${by} LIMIT ${WINDOW[way]}`;
  const whole = (keys: string): WindowSql => ({
    from: `(SELECT * FROM ${keys} ${limited}) AS e`,
    receipt: 'e.receipt',
    keys,
  });
  const through = (keys: string, day: string): WindowSql => ({
    from: `(SELECT * FROM ${keys} ${limited}) AS k LEFT JOIN LATERAL
      (SELECT * FROM events AS s WHERE s.receipt = k.receipt${day} OFFSET 0) AS e ON true`,
    receipt: 'k.receipt',
    keys,
  });
  const byKey = (column: string): WindowSql =>
    whole(`(SELECT * FROM events AS s
      WHERE s.${column} = ANY (${SOUGHT}::integer[]) AND ${range('s.receipt')} OFFSET 0) AS found`);
  switch (way) {
    case 'receipts':
      return through(`unnest(${SOUGHT}::uuid[]) AS sought (receipt) WHERE ${range('receipt')}`, '');
    case 'event-id':
      return byKey('event_key');
    case 'customer':
      return byKey('customer_key');
    case 'dead':
      return through(`dead_letters WHERE ${range('receipt')}`, ' AND s.day = k.day');
    case 'pending':
      return through(`queue WHERE ${range('receipt')}`, ' AND s.day = k.day');
    case 'all':
      return whole(`events WHERE ${range('receipt')}`);
  }
}

const MATCHES = `e.seq IS NOT NULL AND ${filterSql('e', FIRST_FILTER_PARAM)}`;

/** A join, so that a row is returned for a window in which nothing matches. */
function listSql(way: Way, direction: Direction): string {
  const order = ORDERS[direction];
  const { from, receipt, keys } = windowSql(way, order);
  return `WITH matching AS MATERIALIZED (
      SELECT e.*, ${BYTES_SQL} AS bytes FROM ${from}
      WHERE ${MATCHES} ORDER BY ${receipt} ${order.by} LIMIT $3::integer
    ),
    summed AS (SELECT *, sum(bytes) OVER (ORDER BY receipt ${order.by})::bigint AS upto FROM matching),
    read AS (SELECT CASE WHEN (SELECT count(*) FROM matching) < $3::integer THEN
      (SELECT receipt FROM ${keys} ORDER BY receipt ${order.by} OFFSET ${WINDOW[way] - 1} LIMIT 1) END AS edge)
    SELECT read.edge, s.upto, ${storedColumns('s')}
    FROM read LEFT JOIN summed AS s ON s.upto - s.bytes < $4::bigint ORDER BY s.receipt ${order.by}`;
}

/** Of the two parameters of the size nothing is used. */
function countSql(way: Way): string {
  const { from, receipt } = windowSql(way, ORDERS.descending);
  return `SELECT count(*) FILTER (WHERE ${MATCHES})::integer AS matching,
      CASE WHEN count(*) = ${WINDOW[way]} THEN min(${receipt}::text COLLATE "C") END AS edge
    FROM ${from} WHERE $3::integer IS NULL AND $4::integer IS NULL`;
}

const WAYS: readonly Way[] = ['receipts', 'event-id', 'customer', 'dead', 'pending', 'all'];

function statements(name: string, text: (way: Way) => string): Readonly<Record<Way, Statement>> {
  return Object.fromEntries(
    WAYS.map((way) => [way, { name: `${name}_${way.replace('-', '_')}`, text: text(way) }]),
  ) as Record<Way, Statement>;
}

export const LISTS: Readonly<Record<Direction, Readonly<Record<Way, Statement>>>> = {
  ascending: statements('events_up', (way) => listSql(way, 'ascending')),
  descending: statements('events_down', (way) => listSql(way, 'descending')),
};
export const COUNTS = statements('events_count', countSql);
