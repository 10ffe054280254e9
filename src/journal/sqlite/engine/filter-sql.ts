import type { SQLInputValue } from 'node:sqlite';
import { shortId } from '../../../capillary/event-id.ts';
import { EQUAL_COLUMNS } from '../../event-columns.ts';
import type { EventFilter, EventState } from '../../journal.ts';
import { HAS_BODY } from './sweep-schema.ts';

/*
 * Lookup indexes are ordered by block of 512 positions first, and within a block by the value, for
 * example `(seq >> 9, customer_id)`. An append therefore writes to the few pages of the newest
 * block, whereas an index on the value alone would write a random page for each event. A lookup
 * searches each block, which takes some µs per block.
 */

/** Positions are grouped into blocks of 2^9; the indexes in migrations.ts use the same number. */
const BLOCK_BITS = 9;

/** SQL for the block of an event, exactly as in the indexes. */
export const BLOCK_SQL = `seq >> ${BLOCK_BITS}`;

/** SQL for all blocks with events between two positions, which are its two parameters. */
export const BLOCKS_SQL = `(
  WITH RECURSIVE ends (first, last) AS (
    SELECT (SELECT min(seq) FROM events WHERE seq >= ?) >> ${BLOCK_BITS},
      (SELECT max(seq) FROM events WHERE seq <= ?) >> ${BLOCK_BITS}
  ), block (n) AS (
    SELECT first FROM ends UNION ALL SELECT n + 1 FROM block, ends WHERE n < last
  ) SELECT n FROM block
)`;

/** The parameters of BLOCKS_SQL that select every block. */
export const ALL_POSITIONS = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;

/** SQL for the events of a lane; its index holds the first 8 characters only. */
export function laneEquals(lane: string): string {
  return `substr(lane, 1, 8) = substr(${lane}, 1, 8) AND lane = ${lane}`;
}

/** SQL for the events with an event id; its index holds the last 12 characters. */
export const EVENT_ID_EQUALS =
  'substr(event_id, -12) IN (substr(?, -12), substr(?, -12)) AND event_id IN (?, ?)';

/** The parameters of EVENT_ID_EQUALS. An earlier version stored long ids completely. */
export function eventIdValues(eventId: string): readonly string[] {
  const short = shortId(eventId);
  return [eventId, short, eventId, short];
}

/** A filter as SQL: the table with the index to use, and the condition. */
export interface SqlFilter {
  readonly from: string;
  readonly condition: string;
  readonly values: readonly SQLInputValue[];
}

/** A range of positions, both inclusive. */
export interface Positions {
  readonly from: number;
  readonly to: number;
}

/** Adds what only the engine's own scans filter by. */
export interface ScanFilter extends EventFilter {
  readonly notDestination?: string;
}

/** The states that have an index. */
const DEAD_STATES: readonly EventState[] = ['dead', 'malformed'];
const DEAD_SQL = "state IN ('dead', 'malformed')";

/*
 * The index is chosen here and not by the query planner, which has no statistics and cannot know
 * that an event id is more selective than a source. Each index starts with the block or ends with
 * the position, so a step can search a range of positions.
 */
function indexFor(filter: EventFilter): {
  readonly table: string;
  readonly byBlock?: true;
  /** What a partial index needs to be used. */
  readonly term?: string;
} {
  if (filter.receipts !== undefined) return { table: 'events INDEXED BY events_receipt' };
  if (filter.eventId !== undefined) return { table: 'events INDEXED BY events_event_id', byBlock: true };
  if (filter.customerId !== undefined) return { table: 'events INDEXED BY events_customer', byBlock: true };
  if (filter.states?.every((state) => DEAD_STATES.includes(state)) === true)
    return { table: 'events INDEXED BY events_state', term: DEAD_SQL };
  return { table: 'events NOT INDEXED' };
}

const LISTS = { receipts: 'receipt', states: 'state' } as const;
const BOUNDS = {
  since: 'received_at >= ?',
  until: 'received_at < ?',
  settledSince: 'settled_at >= ?',
  settledUntil: 'settled_at < ?',
} as const;

/**
 * Converts a filter and a range of positions to SQL. Values from callers are bound, never embedded.
 */
export function toSql(filter: ScanFilter, { from, to }: Positions): SqlFilter {
  const { table, byBlock = false, term: indexed } = indexFor(filter);
  const terms = ['seq BETWEEN ? AND ?', ...(indexed === undefined ? [] : [indexed])];
  const values: SQLInputValue[] = [from, to];
  if (byBlock) {
    terms.push(`${BLOCK_SQL} IN ${BLOCKS_SQL}`);
    values.push(from, to);
  }
  const add = (term: string, value: SQLInputValue): void => {
    terms.push(term);
    values.push(value);
  };
  for (const key of ['receipts', 'states'] as const) {
    const list = filter[key];
    if (list !== undefined) add(`${LISTS[key]} IN (SELECT value FROM json_each(?))`, JSON.stringify(list));
  }
  if (filter.eventId !== undefined) {
    terms.push(EVENT_ID_EQUALS);
    values.push(...eventIdValues(filter.eventId));
  }
  for (const [key, column] of EQUAL_COLUMNS) {
    const value = filter[key];
    if (value !== undefined) add(`${column} = ?`, value);
  }
  if (filter.hasBody !== undefined) add(`${HAS_BODY} = ?`, filter.hasBody ? 1 : 0);
  if (filter.notDestination !== undefined) add('destination <> ?', filter.notDestination);
  for (const key of ['since', 'until', 'settledSince', 'settledUntil'] as const) {
    const value = filter[key];
    if (value !== undefined) add(BOUNDS[key], value);
  }
  return { from: table, condition: terms.join(' AND '), values };
}
