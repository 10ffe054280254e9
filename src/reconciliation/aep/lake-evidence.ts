import { listBatches } from '../../adobe/platform/batches.ts';
import type { FlowRun } from '../../adobe/platform/flow-runs.ts';
import { readLakeCounts } from '../../adobe/platform/observability.ts';
import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { TimeRange } from '../../journal/landings.ts';
import type { Target } from './flow-causes.ts';

const HOUR_MS = 3_600_000;

export interface LakeEvidenceParts {
  readonly client: PlatformClient;
  /** `ok`, or the kind of the failure. */
  readonly onCall: (outcome: string) => void;
}

/**
 * Records of a window that the runs do not show: those of failed batches, and those that the
 * numbers of the dataset have. Asked for only if the runs have too few. What cannot be read, such
 * as numbers that are not licensed, is no evidence and no failure.
 * @param window by the clock of AEP
 * @returns how many more records than the runs of the window have
 */
export async function moreInLake(
  window: TimeRange,
  { datasetId }: Target,
  runs: readonly FlowRun[],
  { client, onCall }: LakeEvidenceParts,
): Promise<number> {
  const { from, until } = window;
  const own = runs.filter(({ startedAt }) => startedAt >= from && startedAt < until);
  const written = own.reduce((sum, { outputRecords }) => sum + outputRecords, 0);
  const failed = own.reduce((sum, { failedRecords }) => sum + failedRecords, 0);
  const read = own.reduce(
    (sum, run) => sum + Math.max(run.inputRecords, run.outputRecords + run.failedRecords),
    0,
  );
  const batches = await listBatches(client, { datasetId, status: 'failed', createdAfter: from - 1 });
  onCall(batches.ok ? 'ok' : batches.error.kind);
  const inBatches = (batches.ok ? batches.value.batches : [])
    .filter(({ createdAt }) => createdAt < until)
    .reduce((sum, { failedRecords = 0 }) => sum + failedRecords, 0);
  const isWholeHours = from % HOUR_MS === 0 && until % HOUR_MS === 0;
  const counts = isWholeHours ? await readLakeCounts(client, { datasetId, from, until }) : undefined;
  if (counts !== undefined) onCall(counts.ok ? 'ok' : counts.error.kind);
  const inLake = (counts?.ok === true ? counts.value : [])
    .filter(({ at }) => at >= from && at < until)
    .reduce((sum, { records }) => sum + records, 0);
  return Math.max(0, Math.max(written, inLake) + Math.max(failed, inBatches) - read);
}
