import type { EventFilter, EventState, Journal } from '../journal/journal.ts';
import { pagesOf } from './journal-pages.ts';
import { promoteBody, type Promotion, type PromotionParts } from './malformed-body.ts';

const DEAD_LETTER_STATES: readonly EventState[] = ['dead', 'malformed'];

/** Narrows a filter to dead letters: dead events and malformed bodies. */
export function deadLetterFilter(filter: EventFilter): EventFilter {
  return {
    ...filter,
    states: DEAD_LETTER_STATES,
  };
}

/** Malformed bodies in memory at once. */
const PAGE_SIZE = 20;

export interface ReplayParts extends PromotionParts {
  readonly journal: PromotionParts['journal'] & Pick<Journal, 'count' | 'list' | 'find' | 'replay'>;
  readonly now: () => number;
}

export interface DeadLetterReplay {
  readonly filter: EventFilter;
  /**
   * Assigns a new `_id` to the messages, so that Profile accepts the corrected event as a new one.
   */
  readonly asNew: boolean;
  readonly by: string;
  readonly dryRun: boolean;
}

/** A match missing from the other counts has lost its body or changed its state in the meantime. */
export interface ReplayResult {
  readonly matched: number;
  /** Dead events that are pending again, and malformed bodies that have become events. */
  readonly replayed: number;
  /** Malformed bodies that are events the journal already has; they were removed. */
  readonly duplicates: number;
  readonly stillMalformed: number;
}

type ReparseOutcome = Promotion['outcome'];

/**
 * Replays dead events, and parses malformed bodies again with the current configuration, promoting
 * those that are events now. A dry run counts and parses, but changes nothing.
 * @throws StoreError if the journal fails midway. What was replayed remains replayed. The rest of
 *   the dead events continues by itself, the rest of the malformed bodies when called again.
 */
export async function replayDeadLetters(
  parts: ReplayParts,
  request: DeadLetterReplay,
): Promise<ReplayResult> {
  const matched = await parts.journal.count(deadLetterFilter(request.filter));
  const replayed = request.dryRun ? 0 : await replayDeadEvents(parts, request);
  const outcomes = await reparseMalformed(parts, request);
  return {
    matched,
    replayed: replayed + outcomes.promoted,
    duplicates: outcomes.duplicate,
    stillMalformed: outcomes['still-malformed'],
  };
}

async function replayDeadEvents({ journal, now }: ReplayParts, request: DeadLetterReplay): Promise<number> {
  const filter: EventFilter = { ...request.filter, states: ['dead'] };
  const { replayed } = await journal.replay({ filter, asNew: request.asNew, by: request.by, now: now() });
  return replayed;
}

async function reparseMalformed(
  parts: ReplayParts,
  request: DeadLetterReplay,
): Promise<Record<ReparseOutcome, number>> {
  const counts = { promoted: 0, duplicate: 0, 'still-malformed': 0, unchanged: 0 };
  const filter: EventFilter = { ...request.filter, states: ['malformed'] };
  for await (const events of pagesOf((page) => parts.journal.list(filter, page), PAGE_SIZE)) {
    const outcomes = await Promise.all(events.map(({ receipt }) => reparseOne(parts, request, receipt)));
    for (const outcome of outcomes) counts[outcome] += 1;
  }
  return counts;
}

async function reparseOne(
  parts: ReplayParts,
  request: DeadLetterReplay,
  receipt: string,
): Promise<ReparseOutcome> {
  const record = await parts.journal.find(receipt);
  // A body that was promoted since the listing is an event now.
  if (record?.event.state !== 'malformed') return 'unchanged';
  return (await promoteBody(parts, record, request)).outcome;
}

/** `matched` is counted before anything is discarded. */
export interface DiscardResult {
  readonly matched: number;
  readonly discarded: number;
}

/**
 * Discards dead letters: dead events become `ignored`, malformed bodies are removed. A dry run only
 * counts.
 * @throws StoreError if the journal fails midway. What was discarded remains discarded, and calling
 *   again discards the rest.
 */
export async function discardDeadLetters(
  parts: { readonly journal: Pick<Journal, 'count' | 'discard'>; readonly now: () => number },
  request: { readonly filter: EventFilter; readonly by: string; readonly dryRun: boolean },
): Promise<DiscardResult> {
  const filter = deadLetterFilter(request.filter);
  const matched = await parts.journal.count(filter);
  if (request.dryRun) return { matched, discarded: 0 };
  const { discarded } = await parts.journal.discard(filter, request.by, parts.now());
  return { matched, discarded };
}
