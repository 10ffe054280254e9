import type { EventFilter, EventRecord, EventState, Journal, StoredEvent } from '../journal/journal.ts';
import { pagesOf } from './journal-pages.ts';
import { promoteBody, type Promotion, type PromotionParts } from './malformed-body.ts';
import {
  type ActionDetails,
  type DryRun,
  IS_PENDING,
  MAX_LISTED,
  NO_BODY,
  problemsOf,
  type ReceiptProblem,
} from './receipt-problems.ts';

export const DEAD_LETTER_STATES: readonly EventState[] = ['dead', 'malformed'];

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
  readonly journal: PromotionParts['journal'] &
    Pick<Journal, 'count' | 'list' | 'find' | 'replay' | 'listQuarantined'>;
  readonly now: () => number;
}

export interface DeadLetterReplay {
  readonly filter: EventFilter;
  /**
   * Assigns a new `_id` to the messages, so that Profile accepts the corrected event as a new one.
   */
  readonly asNew: boolean;
  /** Asks Capillary's API again, instead of using what it answered the first time. */
  readonly refetch?: boolean;
  readonly by: string;
  readonly dryRun: boolean;
}

/** A match missing from the other counts has lost its body or changed its state in the meantime. */
export interface ReplayResult extends ActionDetails<StoredEvent> {
  readonly matched: number;
  /** Dead events that are pending again, and malformed bodies that have become events. */
  readonly replayed: number;
  /** Malformed bodies that are events the journal already has; they were removed. */
  readonly duplicates: number;
  readonly stillMalformed: number;
}

/** What became of the malformed bodies of a replay. */
interface Reparsed {
  readonly counts: Record<Promotion['outcome'], number>;
  /** The first that remain malformed, and why. */
  readonly problems: readonly ReceiptProblem[];
  /** The newest that a dry run found readable. */
  readonly readable: readonly StoredEvent[];
}

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
  const { journal } = parts;
  const { filter } = request;
  const matched = await journal.count(deadLetterFilter(filter));
  const unusable =
    filter.receipts === undefined
      ? await bodilessEvents(journal, filter)
      : await problemsOf(journal, filter.receipts, replayProblem);
  const replayed = request.dryRun ? 0 : await replayDeadEvents(parts, request);
  const { counts, problems, readable } = await reparseMalformed(parts, request);
  return {
    matched,
    replayed: replayed + counts.promoted,
    duplicates: counts.duplicate,
    stillMalformed: counts['still-malformed'],
    problems: [...unusable, ...problems],
    ...(request.dryRun ? { dryRun: await previewReplay(journal, filter, counts.readable, readable) } : {}),
  };
}

/** Why a replay of dead letters leaves this event as it is; of a malformed body its parser says. */
function replayProblem({ event, body }: EventRecord): string | undefined {
  const { state } = event;
  if (state === 'pending') return IS_PENDING;
  if (state === 'delivered' || state === 'ignored')
    return `it is ${state} and no dead letter: replay it by itself (events replay)`;
  return body === undefined && state === 'dead' ? NO_BODY : undefined;
}

async function bodilessEvents(
  journal: Pick<Journal, 'list'>,
  filter: EventFilter,
): Promise<readonly ReceiptProblem[]> {
  const { items } = await journal.list(
    { ...filter, states: ['dead'], hasBody: false },
    { limit: MAX_LISTED },
  );
  return items.map(({ receipt }) => ({ receipt, detail: NO_BODY }));
}

/** Receipts increase with time. */
function newestFirst(a: StoredEvent, b: StoredEvent): number {
  return a.receipt < b.receipt ? 1 : -1;
}

/** `readable`: the newest malformed bodies that can be read now, and the number of all of them. */
async function previewReplay(
  journal: Pick<Journal, 'count' | 'list'>,
  filter: EventFilter,
  readableCount: number,
  readable: readonly StoredEvent[],
): Promise<DryRun<StoredEvent>> {
  const dead: EventFilter = { ...filter, states: ['dead'], hasBody: true };
  const { items } = await journal.list(dead, { limit: MAX_LISTED });
  const newest = [...items, ...readable].toSorted(newestFirst);
  return { eligible: (await journal.count(dead)) + readableCount, sample: newest.slice(0, MAX_LISTED) };
}

async function replayDeadEvents({ journal }: ReplayParts, request: DeadLetterReplay): Promise<number> {
  const filter: EventFilter = { ...request.filter, states: ['dead'] };
  // A replay of nothing would only lengthen the list of replays.
  if ((await journal.count(filter)) === 0) return 0;
  const { replayed } = await journal.replay({
    filter,
    asNew: request.asNew,
    by: request.by,
    ...(request.refetch === true ? { refetch: true } : {}),
  });
  return replayed;
}

async function reparseMalformed(parts: ReplayParts, request: DeadLetterReplay): Promise<Reparsed> {
  const counts = { promoted: 0, duplicate: 0, 'still-malformed': 0, readable: 0, unchanged: 0 };
  const problems: ReceiptProblem[] = [];
  const readable: StoredEvent[] = [];
  const maxProblems = request.filter.receipts?.length ?? MAX_LISTED;
  const filter: EventFilter = { ...request.filter, states: ['malformed'] };
  for await (const events of pagesOf((page) => parts.journal.list(filter, page), PAGE_SIZE)) {
    const promotions = await Promise.all(events.map((event) => reparseOne(parts, request, event)));
    for (const { event, promotion } of promotions) {
      counts[promotion.outcome] += 1;
      if (promotion.outcome === 'still-malformed' && problems.length < maxProblems)
        problems.push({ receipt: event.receipt, detail: `it is still malformed: ${promotion.detail}` });
      if (promotion.outcome === 'readable' && readable.length < MAX_LISTED) readable.push(event);
    }
  }
  return { counts, problems, readable };
}

async function reparseOne(
  parts: ReplayParts,
  request: DeadLetterReplay,
  event: StoredEvent,
): Promise<{ readonly event: StoredEvent; readonly promotion: Promotion }> {
  const record = await parts.journal.find(event.receipt);
  // A body that was promoted since the listing is an event now.
  if (record?.event.state !== 'malformed') return { event, promotion: { outcome: 'unchanged' } };
  return { event, promotion: await promoteBody(parts, record, request) };
}

/** `matched` is counted before anything is discarded. */
export interface DiscardResult extends ActionDetails<StoredEvent> {
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
  parts: {
    readonly journal: Pick<Journal, 'count' | 'discard' | 'find' | 'list' | 'listQuarantined'>;
    readonly now: () => number;
  },
  request: { readonly filter: EventFilter; readonly by: string; readonly dryRun: boolean },
): Promise<DiscardResult> {
  const { journal } = parts;
  const filter = deadLetterFilter(request.filter);
  const problems = await problemsOf(journal, filter.receipts, discardProblem);
  const matched = await journal.count(filter);
  if (request.dryRun) {
    const { items } = await journal.list(filter, { limit: MAX_LISTED });
    return { matched, discarded: 0, problems, dryRun: { eligible: matched, sample: items } };
  }
  const { discarded } = await journal.discard(filter, request.by);
  return { matched, discarded, problems };
}

function discardProblem({ event: { state } }: EventRecord): string | undefined {
  return DEAD_LETTER_STATES.includes(state) ? undefined : `it is ${state} and no dead letter`;
}
