import {
  type EventFilter,
  type Page,
  type PageRequest,
  StoreError,
  type StoredEvent,
} from '../../journal.ts';
import { cursorAt, MAX_PAGE_BYTES, startOf } from '../../pages.ts';
import { RECEIPT } from '../../receipts.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { type StoredRow, toStoredEvent } from '../engine/stored-events.ts';
import { countEvents, type Query, scanEvents } from './event-scan.ts';

/** Executes statements one by one, each as a transaction of its own. */
export function queryOf({ sessions }: PostgresEngine): Query {
  return (statement, params) => sessions.query('work', statement, params);
}

/** Called before each step of a call of many steps. @throws StoreError if the journal closes */
export function assertOpen(closing: AbortSignal): void {
  if (closing.aborted) throw new StoreError('the store is closing; the call was not completed');
}

/**
 * Reads one event more than the page holds, to know whether it is the last page. A page that is
 * ended early because of its size can be followed by an empty one.
 */
export async function listEvents(
  engine: PostgresEngine,
  filter: EventFilter,
  page: PageRequest,
  closing: AbortSignal,
): Promise<Page<StoredEvent>> {
  let after = startOf('events', page, RECEIPT);
  const found: StoredRow[] = [];
  let bytes = 0;
  do {
    assertOpen(closing);
    const size = { limit: page.limit + 1 - found.length, maxBytes: MAX_PAGE_BYTES - bytes };
    const answer = await scanEvents(queryOf(engine), { direction: 'descending', filter, after }, size);
    found.push(...answer.rows);
    bytes += answer.bytes;
    after = answer.next;
  } while (after !== undefined && found.length <= page.limit && bytes < MAX_PAGE_BYTES);
  const rows = found.slice(0, page.limit);
  const last = rows.at(-1);
  const isLastPage = found.length <= page.limit && bytes < MAX_PAGE_BYTES;
  const items = rows.map(toStoredEvent);
  return last === undefined || isLastPage ? { items } : { items, cursor: cursorAt('events', last.receipt) };
}

export async function countAll(
  engine: PostgresEngine,
  filter: EventFilter,
  closing: AbortSignal,
): Promise<number> {
  let sum = 0;
  let after: string | undefined;
  do {
    assertOpen(closing);
    const { count, next } = await countEvents(queryOf(engine), filter, after);
    sum += count;
    after = next;
  } while (after !== undefined);
  return sum;
}
