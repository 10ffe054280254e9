import type { SQLInputValue } from 'node:sqlite';
import type { EventFilter, EventState } from '../journal.ts';
import { BLOCK, BLOCKS, EVENT_ID_IS } from './blocks.ts';

/** A filter as SQL: the table with the index to go by, and the condition. */
export interface Where {
  readonly from: string;
  readonly condition: string;
  readonly values: readonly SQLInputValue[];
}

interface Positions {
  readonly from: number;
  readonly to: number;
}

/** What a scan of the journal itself can ask for besides. */
export interface ScanFilter extends EventFilter {
  readonly notDestination?: string;
}

/*
 * The index is named, the choice is not left to the planner: without statistics of the data it cannot know that an event id says more than
 * a source. Each of these begins with the block or is followed by the position, so a step can look at a stretch of it.
 */
function indexFor(filter: EventFilter): { readonly table: string; readonly byBlock?: true } {
  if (filter.receipts !== undefined) return { table: 'events INDEXED BY events_receipt' };
  if (filter.eventId !== undefined) return { table: 'events INDEXED BY events_event_id', byBlock: true };
  if (filter.customerId !== undefined) return { table: 'events INDEXED BY events_customer', byBlock: true };
  if (filter.states !== undefined) return { table: 'events INDEXED BY events_state' };
  return { table: 'events NOT INDEXED' };
}

const LISTS = { receipts: 'receipt', states: 'state' } as const;
const EQUALS = {
  source: 'source',
  destination: 'destination',
  eventName: 'event_name',
  reason: 'reason',
  customerId: 'customer_id',
} as const;
const BOUNDS = { since: 'received_at >= ?', until: 'received_at < ?' } as const;

/** Turns a filter and the positions to look at into SQL; what a caller gave goes in as values only. */
export function whereOf(filter: ScanFilter, { from, to }: Positions): Where {
  const { table, byBlock = false } = indexFor(filter);
  const terms = ['seq BETWEEN ? AND ?'];
  const values: SQLInputValue[] = [from, to];
  if (byBlock) {
    terms.push(`${BLOCK} IN ${BLOCKS}`);
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
    terms.push(EVENT_ID_IS);
    values.push(filter.eventId, filter.eventId);
  }
  for (const key of ['source', 'destination', 'eventName', 'reason', 'customerId'] as const) {
    const value = filter[key];
    if (value !== undefined) add(`${EQUALS[key]} = ?`, value);
  }
  if (filter.notDestination !== undefined) add('destination <> ?', filter.notDestination);
  for (const key of ['since', 'until'] as const) {
    const value = filter[key];
    if (value !== undefined) add(BOUNDS[key], value);
  }
  return { from: table, condition: terms.join(' AND '), values };
}

/** The filter, for these states only. */
export function within(filter: EventFilter, states: readonly EventState[]): EventFilter {
  return {
    ...filter,
    states: filter.states === undefined ? states : states.filter((state) => filter.states?.includes(state)),
  };
}
