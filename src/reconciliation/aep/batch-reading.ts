import type { Batch } from '../../adobe/platform/batches.ts';
import { listFailedFiles, streamFailedRecords } from '../../adobe/platform/failed-records.ts';
import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { PlatformError } from '../../adobe/platform/platform-error.ts';
import type { BatchNoteStore, BatchProgress } from './batch-notes.ts';
import {
  addTallies,
  EMPTY_TALLY,
  type RecordTally,
  refuseRecords,
  type RefusalJournal,
  type RefusedBatch,
} from './record-refusals.ts';

export interface BatchReadingParts {
  readonly client: Pick<PlatformClient, 'get' | 'download'>;
  readonly journal: RefusalJournal;
  readonly notes: Pick<BatchNoteStore, 'saveProgress'>;
}

/** `tally`: of the records that were judged, also in earlier attempts. */
export type BatchReading =
  | { readonly ok: true; readonly tally: RecordTally }
  | { readonly ok: false; readonly tally: RecordTally; readonly error: PlatformError };

/** Adobe counts more refused records than its files have: nobody knows which they were. */
function withMissing(tally: RecordTally, { failedRecords = 0 }: Batch): RecordTally {
  const { refused, settledSince, undecided, foreign, unknown } = tally;
  const read = refused + settledSince + undecided + foreign + unknown;
  // A batch without files and without a count still lost something.
  const missing = Math.max(failedRecords - read, read === 0 ? 1 : 0);
  return { ...tally, unknown: unknown + missing };
}

/**
 * Reads the files of a failed batch and refuses the events of its records, some hundred at a time.
 * It goes on where `progress` ended; after a crash the last of these steps can be repeated, which
 * changes nothing.
 * @throws the reason of the signal, and what the journal throws
 */
export async function readFailedBatch(
  { client, journal, notes }: BatchReadingParts,
  refused: RefusedBatch,
  progress: BatchProgress | undefined,
  signal: AbortSignal,
): Promise<BatchReading> {
  const { batch } = refused;
  let tally = progress?.tally ?? EMPTY_TALLY;
  const list = await listFailedFiles(client, batch.id);
  // Adobe keeps these files for some time only.
  if (!list.ok && list.error.kind !== 'not-found') return { ...list, tally };
  const names = (list.ok ? list.value : []).map(({ name }) => name).toSorted();
  for (const name of names) {
    if (progress !== undefined && name < progress.file) continue;
    const done = name === progress?.file ? progress.records : 0;
    let seen = 0;
    const read = await streamFailedRecords(client, { batchId: batch.id, name }, async (records) => {
      signal.throwIfAborted();
      const fresh = records.slice(Math.max(0, done - seen));
      seen += records.length;
      if (fresh.length === 0) return;
      tally = addTallies(tally, await refuseRecords(journal, fresh, refused));
      await notes.saveProgress(batch.id, { file: name, records: seen, tally });
    });
    if (!read.ok && read.error.kind !== 'not-found') return { ...read, tally };
  }
  return { ok: true, tally: withMissing(tally, batch) };
}
