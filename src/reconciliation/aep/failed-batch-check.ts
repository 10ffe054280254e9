import {
  isFailed,
  listFailedBatches,
  readBatch,
  type FailedBatchPage,
  type FailedBatchPosition,
} from '../../adobe/platform/batches.ts';
import type { PlatformClient, PlatformResult } from '../../adobe/platform/platform-client.ts';
import type { DestinationConfig } from '../../config/destination-config.ts';
import type { EventLog } from '../../journal/event-log.ts';
import type { Landings } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { ReconciliationObserver } from '../reconcile-run.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import { type BatchReport, batchReport } from './batch-differences.ts';
import { type BatchNote, type BatchNotes, createBatchNotes } from './batch-notes.ts';
import { type BatchResult, processBatch } from './batch-processing.ts';
import { platformProblem } from './platform-problem.ts';
import { addTallies, EMPTY_TALLY, type RecordTally } from './record-refusals.ts';

/** The keys of a destination that the check needs. */
export type CheckedDestination = Pick<DestinationConfig, 'name' | 'format' | 'events' | 'profile'> & {
  readonly reconcile?: Pick<NonNullable<DestinationConfig['reconcile']>, 'lakeDelay'> | undefined;
};

export interface FailedBatchParts {
  readonly destination: CheckedDestination;
  /** Names of the relay's other destinations, which can write to the same dataset. */
  readonly others?: () => readonly string[];
  readonly client: Pick<PlatformClient, 'get' | 'download' | 'clockAheadMs'>;
  readonly journal: Pick<
    Landings,
    'sentEvents' | 'refuse' | 'reconciliationNotes' | 'saveReconciliationNotes'
  > &
    Pick<EventLog, 'find' | 'count' | 'list'>;
  readonly observer: Pick<ReconciliationObserver, 'found' | 'called'>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What a check has done. */
export interface FailedBatchResult {
  /** Why it is not complete; the next one goes on. */
  readonly problem?: CheckProblem;
  /** Batches of which every record was judged. */
  readonly batches: number;
  /** What became of their records. */
  readonly tally: RecordTally;
}

/** What became of one batch. */
export type BatchOutcome =
  | BatchResult
  /** It has no refused records, at least not yet. */
  | { readonly state: 'not-failed'; readonly status: string }
  /** Catalog does not know it, or it is of another dataset. */
  | { readonly state: 'absent' };

/**
 * Finds what AEP has acknowledged and refused afterwards, by its failed batches, and makes dead
 * letters of it. A batch is read once; an interrupted check is continued by the next one. Two
 * checks at the same time do no harm.
 * Source: docs/platforms/adobe.md#batches
 */
export interface FailedBatchCheck {
  /**
   * Reads the batches that have failed since the last check, and those that were left.
   * @param since epoch ms: looks for batches that were created after it once more
   * @throws the reason of the signal, and what the journal throws
   */
  check(signal: AbortSignal, since?: number): Promise<FailedBatchResult>;
  /** Reads one batch that Adobe has reported. It throws as `check` does. */
  checkBatch(datasetId: string, batchId: string, signal: AbortSignal): Promise<BatchOutcome>;
  /** From the journal. */
  report(): Promise<BatchReport>;
}

/** How far back the first check looks. */
const FIRST_WINDOW_MS = 7 * 86_400_000;
/** Batches can fail long after they were created. */
const MIN_OVERLAP_MS = 3_600_000;
/** Batches with differences are remembered as long as spans are. */
const REMEMBERED_MS = 35 * 86_400_000;
const MAX_REMEMBERED = 1_000;

interface Target {
  readonly datasetId: string;
  readonly kind: MessageKind;
}

function targetsOf({ events, profile }: CheckedDestination): Target[] {
  const own: Target[] = [{ datasetId: events.datasetId, kind: 'event' }];
  if (profile !== undefined && profile.write !== 'off')
    own.push({ datasetId: profile.datasetId, kind: 'profile' });
  return own;
}

function isDifference({ tally }: BatchNote): boolean {
  return tally.refused + tally.unknown + tally.foreign > 0;
}

/** Batches that no list will have again, and that need not be shown. */
function forgettable({ batches }: BatchNotes, datasetId: string, listedFrom: number, now: number): string[] {
  const over = [...batches]
    .filter(([, note]) => note.datasetId === datasetId && note.doneAt !== undefined)
    .filter(([, { createdAt }]) => createdAt <= listedFrom)
    .toSorted(([, left], [, right]) => right.createdAt - left.createdAt);
  const shown = over.filter(([, note]) => isDifference(note) && note.createdAt > now - REMEMBERED_MS);
  const kept = new Set(shown.slice(0, MAX_REMEMBERED).map(([id]) => id));
  return over.flatMap(([id]) => (kept.has(id) ? [] : [id]));
}

/** The sums of one check, and why it ended. */
interface Course {
  batches: number;
  tally: RecordTally;
  problem?: CheckProblem;
}

/** @returns whether the check can go on */
function add(course: Course, result: BatchResult): boolean {
  if (result.state === 'done') {
    course.batches += 1;
    course.tally = addTallies(course.tally, result.tally);
  } else if (result.problem !== undefined) course.problem = result.problem;
  return course.problem === undefined;
}

export function createFailedBatchCheck(parts: FailedBatchParts): FailedBatchCheck {
  const { destination, client, journal, observer, now } = parts;
  const { name } = destination;
  const notes = createBatchNotes(journal, name);
  const overlapMs = Math.max(MIN_OVERLAP_MS, 3 * (destination.reconcile?.lakeDelay ?? 0));

  const called = <T>(result: PlatformResult<T>): PlatformResult<T> => {
    observer.called('aep', name, result.ok ? 'ok' : result.error.kind);
    return result;
  };

  /** Reads what is new of a dataset. Batches that were left before come later. */
  const checkDataset = async (
    target: Target,
    known: BatchNotes,
    course: Course,
    signal: AbortSignal,
    since: number | undefined,
  ): Promise<void> => {
    const { datasetId } = target;
    const mark = known.marks.get(datasetId);
    const first = mark === undefined ? now() + client.clockAheadMs() - FIRST_WINDOW_MS : mark - overlapMs;
    const listedFrom = Math.min(first, since ?? first);
    let until = 0;
    // Where two pages meet, batches are listed twice.
    const seen = new Set<string>();
    for (let place: FailedBatchPosition | undefined = { createdAfter: listedFrom, start: 0 }; place; ) {
      signal.throwIfAborted();
      const startedAt = now();
      const page: PlatformResult<FailedBatchPage> = called(await listFailedBatches(client, datasetId, place));
      if (!page.ok) {
        course.problem = platformProblem(page.error);
        return;
      }
      if (until === 0) until = startedAt + client.clockAheadMs();
      for (const batch of page.value.batches) {
        if (known.batches.has(batch.id) || seen.has(batch.id)) continue;
        seen.add(batch.id);
        const found = { ...target, batch, known: undefined, progress: known.progress.get(batch.id) };
        if (!add(course, await processBatch({ ...parts, notes }, found, signal))) return;
      }
      place = page.value.next;
    }
    const forget = forgettable(known, datasetId, Math.max(mark ?? 0, until) - overlapMs, until);
    await notes.saveMark(datasetId, Math.max(mark ?? 0, until), forget);
  };

  const checkOne = async (
    { datasetId, kind }: Target,
    batchId: string,
    known: BatchNotes,
    signal: AbortSignal,
  ): Promise<BatchOutcome> => {
    const note = known.batches.get(batchId);
    if (note?.doneAt !== undefined) return { state: 'done', tally: note.tally };
    const read = called(await readBatch(client, batchId));
    if (!read.ok) return { state: 'left', problem: platformProblem(read.error) };
    const batch = read.value;
    if (batch === undefined) return { state: 'absent' };
    if (!isFailed(batch)) return { state: 'not-failed', status: batch.status };
    const found = { batch, datasetId, kind, known: note, progress: known.progress.get(batchId) };
    return processBatch({ ...parts, notes }, found, signal);
  };

  /** Adobe has deleted the batch, or the configuration names another dataset now. */
  const giveUp = async (id: string, note: BatchNote): Promise<void> => {
    const tally = { ...note.tally, unknown: note.tally.unknown + 1 };
    await notes.saveBatch(id, { ...note, doneAt: now(), tally });
    observer.found({ side: 'aep', name, kind: 'unknown-record', cause: 'unknown', count: 1 });
  };

  /** Batches that could not be read completely, the oldest first. */
  const checkLeft = async (known: BatchNotes, course: Course, signal: AbortSignal): Promise<void> => {
    const left = [...known.batches].filter(([, { doneAt }]) => doneAt === undefined);
    for (const [id, note] of left.toSorted(([, one], [, other]) => one.createdAt - other.createdAt)) {
      signal.throwIfAborted();
      const target = targetsOf(destination).find(({ datasetId }) => datasetId === note.datasetId);
      const outcome: BatchOutcome =
        target === undefined ? { state: 'absent' } : await checkOne(target, id, known, signal);
      if (outcome.state === 'absent') await giveUp(id, note);
      if ((outcome.state === 'done' || outcome.state === 'left') && !add(course, outcome)) return;
    }
  };

  return {
    async check(signal, since) {
      signal.throwIfAborted();
      const known = await notes.load();
      const course: Course = { batches: 0, tally: EMPTY_TALLY };
      for (const target of targetsOf(destination)) {
        if (course.problem === undefined) await checkDataset(target, known, course, signal, since);
      }
      if (course.problem === undefined) await checkLeft(known, course, signal);
      return course;
    },
    async checkBatch(datasetId, batchId, signal) {
      signal.throwIfAborted();
      const target = targetsOf(destination).find((one) => one.datasetId === datasetId);
      if (target === undefined) return { state: 'absent' };
      return checkOne(target, batchId, await notes.load(), signal);
    },
    async report() {
      return batchReport(journal, name, (await notes.load()).batches, now());
    },
  };
}
