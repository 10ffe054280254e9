import type { FlowRun } from '../../adobe/platform/flow-runs.ts';
import { readLakeCounts } from '../../adobe/platform/observability.ts';
import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { TimeRange } from '../../journal/landings.ts';
import type { BatchNoteStore } from './batch-notes.ts';
import type { Target } from './flow-causes.ts';

const HOUR_MS = 3_600_000;

export interface LakeEvidenceParts {
  readonly client: PlatformClient;
  /** Of the failed batches of the destination. */
  readonly batchNotes: Pick<BatchNoteStore, 'load'>;
  /** `ok`, or the kind of the failure. */
  readonly onCall: (outcome: string) => void;
}

/**
 * Records of the relay in failed batches that the runs of a window do not show. Only those that
 * belong to an event count: other systems can write to the dataset too.
 * @param window by the journal's clock
 * @returns how many more records than the runs of the window have
 */
export async function refusedBeyondRuns(
  { from, until }: TimeRange,
  { datasetId }: Pick<Target, 'datasetId'>,
  runs: readonly FlowRun[],
  { client, batchNotes }: Pick<LakeEvidenceParts, 'client' | 'batchNotes'>,
): Promise<number> {
  const ahead = client.clockAheadMs();
  const { batches } = await batchNotes.load();
  const refused = [...batches.values()]
    .filter(({ createdAt }) => createdAt - ahead >= from && createdAt - ahead < until)
    .filter((note) => note.datasetId === datasetId)
    .reduce((sum, { tally }) => sum + tally.refused + tally.settledSince, 0);
  const shown = runs
    .filter(({ startedAt }) => startedAt >= from && startedAt < until)
    .reduce((sum, { failedRecords }) => sum + failedRecords, 0);
  return Math.max(0, refused - shown);
}

/**
 * Records of a period that the dataset has in the lake, of all its writers: so it is told to
 * operators, and no evidence that ours are there. What cannot be read, such as numbers that are not
 * licensed, is no failure.
 * @returns undefined unless the period has whole hours
 */
export async function recordsInLake(
  { from, until }: TimeRange,
  { datasetId }: Pick<Target, 'datasetId'>,
  { client, onCall }: Pick<LakeEvidenceParts, 'client' | 'onCall'>,
): Promise<number | undefined> {
  if (from % HOUR_MS !== 0 || until % HOUR_MS !== 0) return undefined;
  const counts = await readLakeCounts(client, { datasetId, from, until });
  onCall(counts.ok ? 'ok' : counts.error.kind);
  if (!counts.ok) return undefined;
  const own = counts.value.filter(({ at }) => at >= from && at < until);
  return own.reduce((sum, { records }) => sum + records, 0);
}
