import type { EventFilter, Journal } from '../journal/journal.ts';
import { deadLetterFilter } from './dead-letter-filter.ts';

/** `matched` is counted before anything is done. */
export interface Discarded {
  readonly matched: number;
  readonly discarded: number;
}

/**
 * Gives up dead letters: buried events become `ignored`, malformed bodies are removed. A dry run only counts.
 * @throws StoreError when the journal fails midway; what was discarded stays so, and calling again does the rest
 */
export async function discardDeadLetters(
  parts: { readonly journal: Pick<Journal, 'count' | 'discard'>; readonly now: () => number },
  request: { readonly filter: EventFilter; readonly by: string; readonly dryRun: boolean },
): Promise<Discarded> {
  const filter = deadLetterFilter(request.filter);
  const matched = await parts.journal.count(filter);
  if (request.dryRun) return { matched, discarded: 0 };
  const { discarded } = await parts.journal.discard(filter, request.by, parts.now());
  return { matched, discarded };
}
