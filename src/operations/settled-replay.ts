import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EventFilter,
  EventRecord,
  EventState,
  Journal,
  ReplayJob,
  StartedReplay,
  StoredEvent,
} from '../journal/journal.ts';
import { type ActionDetails, IS_PENDING, MAX_LISTED, NO_BODY, problemsOf } from './receipt-problems.ts';
import type { ReceiptProblem } from './receipt-problems.ts';
import { type ReplayWarning, warningsOf } from './replay-warnings.ts';

/** The states from which events can be replayed. */
export const SETTLED_STATES = ['delivered', 'ignored', 'dead'] as const satisfies readonly EventState[];

export type SettledState = (typeof SETTLED_STATES)[number];

/** How long a caller waits for a replay to finish; one of many events continues after that. */
const MAX_WAIT_MS = 5_000;

export interface SettledReplayParts {
  readonly journal: Pick<Journal, 'count' | 'list' | 'find' | 'listQuarantined' | 'startReplay' | 'replays'>;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface SettledReplay {
  readonly filter: Omit<EventFilter, 'states' | 'hasBody'>;
  readonly states: readonly SettledState[];
  /** Assigns a new `_id`, so that Profile takes the events as others than those it has. */
  readonly asNew: boolean;
  /** Asks Capillary's API again, instead of using what it answered the first time. */
  readonly refetch: boolean;
  readonly by: string;
}

/** What a replay would do. */
export interface SettledReplayPreview extends ActionDetails<StoredEvent> {
  readonly matched: number;
  readonly warnings: readonly ReplayWarning[];
}

/** A replay that was started, as far as it has come. */
export type SettledReplayResult =
  | {
      readonly outcome: 'started';
      readonly matched: number;
      /** Events that are pending again. */
      readonly replayed: number;
      readonly done: boolean;
      /** Id of the job; absent if nothing matched, which starts none. */
      readonly replay?: number;
      /** Of a filter only once it is done. */
      readonly problems: readonly ReceiptProblem[];
    }
  /** Another job with the same filter has not finished. */
  | { readonly outcome: 'already-running'; readonly replay: number };

/**
 * The events of a filter are those that were settled when it was applied. Otherwise, events that
 * are delivered while a long replay runs would be sent again too.
 */
function selectionOf({ filter, states }: Pick<SettledReplay, 'filter' | 'states'>, now: number): EventFilter {
  const isBounded = filter.receipts !== undefined || filter.settledUntil !== undefined;
  return { ...filter, states, ...(isBounded ? {} : { settledUntil: now + 1 }) };
}

function problemIn(states: readonly EventState[]): (record: EventRecord) => string | undefined {
  return ({ event: { state }, body }) => {
    if (state === 'pending') return IS_PENDING;
    if (state === 'malformed')
      return 'it is a malformed body, which is parsed again by dead-letters replay, or by events replay of this receipt alone';
    if (!states.includes(state)) return `it is ${state}, and only ${states.join(' or ')} events are replayed`;
    return body === undefined ? NO_BODY : undefined;
  };
}

/** The newest events of a filter that have no body. */
async function bodilessEvents(
  { list }: Pick<Journal, 'list'>,
  selection: EventFilter,
): Promise<readonly ReceiptProblem[]> {
  const { items } = await list({ ...selection, hasBody: false }, { limit: MAX_LISTED });
  return items.map(({ receipt }) => ({ receipt, detail: NO_BODY }));
}

/** Counts what a replay would do, and changes nothing. */
export async function previewSettledReplay(
  { journal, now }: SettledReplayParts,
  request: Pick<SettledReplay, 'filter' | 'states' | 'asNew'>,
): Promise<SettledReplayPreview> {
  const selection = selectionOf(request, now());
  const replayable: EventFilter = { ...selection, hasBody: true };
  const matched = await journal.count(selection);
  const eligible = matched === 0 ? 0 : await journal.count(replayable);
  const { receipts } = request.filter;
  const [given, bodiless] = await Promise.all([
    problemsOf(journal, receipts, problemIn(request.states)),
    receipts === undefined && eligible < matched ? bodilessEvents(journal, selection) : [],
  ]);
  const { items } = eligible === 0 ? { items: [] } : await journal.list(replayable, { limit: MAX_LISTED });
  return {
    matched,
    problems: [...given, ...bodiless],
    warnings: await warningsOf(journal, { selection: replayable, eligible, ...request }),
    dryRun: { eligible, sample: items },
  };
}

/** Fields in one order; `settledUntil` is left out, because it can be the time of the request. */
function comparable({ settledUntil: _settledUntil, ...filter }: EventFilter): string {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A request that is repeated, because its answer was lost, would send everything twice. */
function runningTwin(
  jobs: readonly ReplayJob[],
  selection: EventFilter,
  asNew: boolean,
): ReplayJob | undefined {
  return jobs.find(
    (job) =>
      !job.done &&
      job.narrowedBy.length === 0 &&
      job.asNew === asNew &&
      comparable(job.filter) === comparable(selection),
  );
}

async function waitFor({ stopped }: StartedReplay, maxWaitMs: number): Promise<void> {
  const waiting = new AbortController();
  const timeout = sleep(maxWaitMs, undefined, { signal: waiting.signal, ref: false });
  await Promise.race([stopped, timeout.catch(() => undefined)]);
  waiting.abort();
}

/**
 * Replays settled events by a job, which continues by itself after this has returned, after a
 * failure of the store, and after a restart.
 * @param maxWaitMs how long to wait for the end of the job
 * @throws StoreError if the journal fails. What was started continues.
 */
export async function replaySettled(
  { journal, now }: SettledReplayParts,
  request: SettledReplay,
  maxWaitMs = MAX_WAIT_MS,
): Promise<SettledReplayResult> {
  const { filter, states, asNew, by, refetch } = request;
  const selection = selectionOf(request, now());
  const twin = runningTwin(await journal.replays(), selection, asNew);
  if (twin !== undefined) return { outcome: 'already-running', replay: twin.id };

  const given = await problemsOf(journal, filter.receipts, problemIn(states));
  const matched = await journal.count(selection);
  // A replay of nothing would only lengthen the list of replays.
  if (matched === 0) return { outcome: 'started', matched, replayed: 0, done: true, problems: given };
  const started = await journal.startReplay({
    filter: selection,
    asNew,
    by,
    ...(refetch ? { refetch: true } : {}),
  });
  await waitFor(started, maxWaitMs);
  const job = (await journal.replays()).find(({ id }) => id === started.id);
  const { replayed = 0, done = false } = job ?? {};
  const isIncomplete = filter.receipts === undefined && done && replayed < matched;
  return {
    outcome: 'started',
    matched,
    replayed,
    done,
    replay: started.id,
    problems: isIncomplete ? await bodilessEvents(journal, selection) : given,
  };
}
