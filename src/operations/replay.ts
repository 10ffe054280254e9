import type { SourceTable } from '../sources/source-table.ts';
import type { EventFilter, Journal } from '../journal/journal.ts';
import { deadLetterFilter } from './dead-letter-filter.ts';
import { pagesOf } from './pages.ts';
import { promote, reread } from './promotion.ts';

/** Malformed bodies in memory at once. */
const PAGE = 20;

export interface ReplayParts {
  readonly journal: Pick<Journal, 'count' | 'list' | 'find' | 'replay' | 'promote'>;
  readonly sources: Pick<SourceTable, 'get'>;
  readonly now: () => number;
}

export interface ReplayOrder {
  readonly filter: EventFilter;
  /** A new `_id`, so that Profile takes the corrected event as a new one. */
  readonly asNew: boolean;
  readonly by: string;
  readonly dryRun: boolean;
}

/** What is in `matched` and in none of the others has no body any more, or was gone before its turn came. */
export interface Replayed {
  readonly matched: number;
  /** Buried events that are pending again, and malformed bodies that are events now. */
  readonly replayed: number;
  /** Malformed bodies that turned out to be events the journal has already: removed. */
  readonly duplicates: number;
  readonly stillMalformed: number;
}

type Reread = 'promoted' | 'duplicate' | 'still-malformed' | 'untouched';

/**
 * Sends dead letters on their way again. Buried events are replayed; malformed bodies are read again under today's configuration
 * and promoted if that makes events of them. A dry run counts, and judges the malformed ones, but changes nothing.
 * @throws StoreError when the journal fails midway; what was replayed stays so. The rest of the buried ones goes on by itself, that of
 *   the malformed ones when called again
 */
export async function replayDeadLetters(parts: ReplayParts, order: ReplayOrder): Promise<Replayed> {
  const matched = await parts.journal.count(deadLetterFilter(order.filter));
  const revived = order.dryRun ? 0 : await replayBuried(parts, order);
  const outcomes = await rereadMalformed(parts, order);
  return {
    matched,
    replayed: revived + outcomes.promoted,
    duplicates: outcomes.duplicate,
    stillMalformed: outcomes['still-malformed'],
  };
}

async function replayBuried({ journal, now }: ReplayParts, order: ReplayOrder): Promise<number> {
  const filter: EventFilter = { ...order.filter, states: ['dead'] };
  const { replayed } = await journal.replay({ filter, asNew: order.asNew, by: order.by, now: now() });
  return replayed;
}

async function rereadMalformed(parts: ReplayParts, order: ReplayOrder): Promise<Record<Reread, number>> {
  const counts = { promoted: 0, duplicate: 0, 'still-malformed': 0, untouched: 0 };
  const filter: EventFilter = { ...order.filter, states: ['malformed'] };
  for await (const events of pagesOf((page) => parts.journal.list(filter, page), PAGE)) {
    const outcomes = await Promise.all(events.map(({ receipt }) => rereadOne(parts, order, receipt)));
    for (const outcome of outcomes) counts[outcome] += 1;
  }
  return counts;
}

async function rereadOne(parts: ReplayParts, order: ReplayOrder, receipt: string): Promise<Reread> {
  const record = await parts.journal.find(receipt);
  if (record === undefined) return 'untouched';
  const reading = reread(parts.sources, record);
  if (!reading.ok) return 'still-malformed';
  if (order.dryRun) return 'untouched';
  const appended = await promote(parts.journal, receipt, reading.event, order.by);
  if (appended === undefined) return 'untouched';
  return appended.duplicate ? 'duplicate' : 'promoted';
}
