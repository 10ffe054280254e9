import { type Batch, listBatches } from '../../../adobe/platform/batches.ts';
import { listFailedFiles, readFailedRecords } from '../../../adobe/platform/failed-records.ts';
import { type FlowRun, listFlowRuns } from '../../../adobe/platform/flow-runs.ts';
import type { PlatformClient } from '../../../adobe/platform/platform-client.ts';
import { reasonText } from '../../../adobe/platform/record-error-text.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { checkName, readFailure } from './platform-reading.ts';

const DAY_MS = 86_400_000;
/** The newest failed batches whose records are read. */
const MAX_READ_BATCHES = 3;
const MAX_REASONS = 5;

/** A dataset of the destination, and the dataflow into it. */
export interface Ingestion {
  readonly destination: string;
  /** `event` or `profile`. */
  readonly record: string;
  readonly datasetId: string;
  readonly flowId: string;
  /** Epoch ms. */
  readonly now: number;
}

/** The most frequent texts with their numbers: `3 × DCVS-1105-400 …`. */
function mostFrequent(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, MAX_REASONS)
    .map(([reason, count]) => `${count} × ${reason}`);
}

/** The errors of a batch's records; those of the batch itself if its files cannot be read. */
async function reasonsOf(client: PlatformClient, batch: Batch): Promise<string[]> {
  const own = batch.errors.map(({ code, description }) => reasonText({ code, message: description }));
  const files = await listFailedFiles(client, batch.id);
  if (!files.ok) return own;
  const reasons: string[] = [];
  for (const { name } of files.value) {
    const records = await readFailedRecords(client, batch.id, name);
    if (records.ok) reasons.push(...records.value.flatMap(({ errors }) => errors.map(reasonText)));
  }
  return reasons.length > 0 ? reasons : own;
}

function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : what.endsWith('batch') ? 'es' : 's'}`;
}

async function batchFindings(client: PlatformClient, place: Ingestion): Promise<Finding[]> {
  const { destination, record, datasetId, now } = place;
  const check = checkName(`${record} batches`, destination);
  const query = { datasetId, createdAfter: now - DAY_MS };
  const failed = await listBatches(client, { ...query, status: 'failed' });
  if (!failed.ok) return [readFailure(check, destination, failed.error)];
  const { batches, isComplete } = failed.value;
  const [newest] = batches;
  if (newest === undefined) return [ok(check, 'no failed batch in the last 24 hours')];
  const good = await listBatches(client, { ...query, status: 'success', createdAfter: newest.createdAt });
  const isOver = good.ok && good.value.batches.length > 0;
  const reasons: string[] = [];
  for (const batch of batches.slice(0, MAX_READ_BATCHES)) reasons.push(...(await reasonsOf(client, batch)));
  const records = batches.reduce((sum, batch) => sum + (batch.failedRecords ?? 1), 0);
  const atLeast = isComplete ? '' : 'at least ';
  const since = isOver ? 'newer batches of the dataset have landed' : 'no batch has landed since';
  const codes = new Set(batches.flatMap(({ errors }) => errors.map(({ code }) => code)).filter(Boolean));
  const texts = [...(codes.size > 0 ? [[...codes].join(', ')] : []), ...mostFrequent(reasons)];
  const detail = [
    `${atLeast}${countText(records, 'record')} lost in ${countText(batches.length, 'failed batch')} in the last 24 hours, the newest ${newest.id}; ${since}`,
    ...texts,
  ].join('; ');
  return [
    (isOver ? warn : fail)(
      check,
      detail,
      'correct the schema or the mapping, then send these events again: capillary-relay dead-letters replay --reason refused-later with `reconcile`, else capillary-relay events replay with their receipts',
    ),
  ];
}

function runText(run: FlowRun): string[] {
  return run.errors.map(({ code, message }) => reasonText({ code, message }));
}

async function runFindings(client: PlatformClient, place: Ingestion): Promise<Finding[]> {
  const { destination, record, flowId, now } = place;
  const check = checkName(`${record} runs`, destination);
  const runs = await listFlowRuns(client, flowId);
  if (!runs.ok) return [readFailure(check, destination, runs.error)];
  const recent = runs.value.filter(({ startedAt }) => startedAt >= now - DAY_MS);
  const failed = recent.filter(({ status, failedRecords }) => status === 'failed' || failedRecords > 0);
  if (failed.length === 0) {
    const text = recent.length === 0 ? 'no run' : `${countText(recent.length, 'run')}, none failed`;
    return [ok(check, `${text} in the last 24 hours`)];
  }
  const lost = failed.reduce((sum, run) => sum + run.failedRecords, 0);
  const detail = [
    `${failed.length} of ${countText(recent.length, 'run')} of the dataflow failed in the last 24 hours, with ${countText(lost, 'record')}`,
    ...mostFrequent(failed.flatMap(runText)),
  ].join('; ');
  return [warn(check, detail, 'see the errors of the batches; in AEP: Sources > Dataflows, the dataflow')];
}

/** What the platform accepted in the last day and did not ingest. */
export async function lostRecordFindings(client: PlatformClient, place: Ingestion): Promise<Finding[]> {
  const [batches, runs] = await Promise.all([batchFindings(client, place), runFindings(client, place)]);
  return [...batches, ...runs];
}
