import type { Batch } from '../../adobe/platform/batches.ts';
import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { PlatformErrorKind } from '../../adobe/platform/platform-error.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { ReconciliationObserver } from '../reconcile-run.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import type { BatchNote, BatchNoteStore, BatchProgress } from './batch-notes.ts';
import { readFailedBatch } from './batch-reading.ts';
import { platformProblem } from './platform-problem.ts';
import { EMPTY_TALLY, type RecordTally, type RefusalJournal } from './record-refusals.ts';

export interface BatchProcessingParts {
  readonly destination: { readonly name: string; readonly format: 'xdm' | 'raw' };
  /** Names of the relay's other destinations. */
  readonly others?: () => readonly string[];
  readonly client: Pick<PlatformClient, 'get' | 'download' | 'clockAheadMs'>;
  readonly journal: RefusalJournal;
  readonly notes: Pick<BatchNoteStore, 'saveProgress' | 'saveBatch'>;
  readonly observer: Pick<ReconciliationObserver, 'found' | 'called'>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** A failed batch of a dataset of the destination, and what is remembered of it. */
export interface FoundBatch {
  readonly batch: Batch;
  readonly datasetId: string;
  readonly kind: MessageKind;
  readonly known: BatchNote | undefined;
  readonly progress: BatchProgress | undefined;
}

export type BatchResult =
  | { readonly state: 'done'; readonly tally: RecordTally }
  /** A part of it is left; another attempt goes on there. */
  | { readonly state: 'left'; readonly problem?: CheckProblem };

/** Then what could not be read of a batch is reported as unknown. */
export const MAX_ATTEMPTS = 20;
const MAX_CODES = 5;

/** These say nothing about the batch that was to be read. */
const GENERAL: ReadonlySet<PlatformErrorKind> = new Set(['token', 'unauthorized', 'forbidden', 'throttled']);

function codesOf({ errors }: Batch): string[] {
  return [...new Set(errors.map(({ code }) => code).filter(Boolean))].slice(0, MAX_CODES);
}

/**
 * Judges the records of one failed batch and remembers the result.
 * @throws the reason of the signal, and what the journal throws
 */
export async function processBatch(
  { destination, others = () => [], client, journal, notes, observer, now }: BatchProcessingParts,
  { batch, datasetId, kind, known, progress }: FoundBatch,
  signal: AbortSignal,
): Promise<BatchResult> {
  if (known?.doneAt !== undefined) return { state: 'done', tally: known.tally };
  const { name, format } = destination;
  const attempts = known?.attempts ?? 0;
  const note = { datasetId, createdAt: batch.createdAt, codes: codesOf(batch) };

  const end = async (tally: RecordTally): Promise<BatchResult> => {
    await notes.saveBatch(batch.id, { ...note, attempts, doneAt: now(), tally });
    const found = { side: 'aep', name } as const;
    const { refused, unknown } = tally;
    if (refused > 0) observer.found({ ...found, kind: 'refused-later', cause: 'validation', count: refused });
    if (unknown > 0) observer.found({ ...found, kind: 'unknown-record', cause: 'unknown', count: unknown });
    return { state: 'done', tally };
  };

  const { completedAt } = batch;
  const refusedAt = completedAt === undefined ? now() : completedAt - client.clockAheadMs();
  const refused = { batch, destination: name, others: others(), isRaw: format === 'raw', kind, refusedAt };
  const read = await readFailedBatch({ client, journal, notes }, refused, progress, signal);
  observer.called('aep', name, read.ok ? 'ok' : read.error.kind);
  if (read.ok) {
    if (read.tally.undecided === 0) return end(read.tally);
    // All of it is read again, when these events have been settled.
    await notes.saveBatch(batch.id, { ...note, attempts, tally: EMPTY_TALLY });
    return { state: 'left' };
  }
  const problem = platformProblem(read.error);
  if (GENERAL.has(read.error.kind)) return { state: 'left', problem };
  if (attempts + 1 >= MAX_ATTEMPTS) {
    const { tally } = read;
    return end({ ...tally, unknown: tally.unknown + Math.max(1, (batch.failedRecords ?? 1) - sumOf(tally)) });
  }
  await notes.saveBatch(batch.id, { ...note, attempts: attempts + 1, tally: read.tally }, true);
  return { state: 'left', problem };
}

function sumOf({ refused, settledSince, undecided, foreign, unknown }: RecordTally): number {
  return refused + settledSince + undecided + foreign + unknown;
}
