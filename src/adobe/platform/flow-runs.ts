import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { nextFlowPage } from './flow-service.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const FLOW_SERVICE = '/data/foundation/flowservice';
const RUNS = `${FLOW_SERVICE}/runs`;

/** One run of a dataflow; a streaming flow has one for each batch. */
export interface FlowRun {
  readonly id: string;
  /** Epoch ms; 0 if unknown. */
  readonly startedAt: number;
  /** Epoch ms; undefined while it is going on. */
  readonly completedAt: number | undefined;
  /** `success`, `failed`, … */
  readonly status: string;
  readonly inputRecords: number;
  readonly outputRecords: number;
  readonly failedRecords: number;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** The largest page of Flow Service. */
const MAX_RUNS = 100;
/** More pages than this are a mistake of the server, such as a link to the same page. */
const MAX_PAGES = 1_000;

function objectIn(object: JsonObject, key: string): JsonObject {
  return isJsonObject(object[key]) ? object[key] : {};
}

function numberIn(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}

function runOf(item: JsonObject): FlowRun {
  const metrics = objectIn(item, 'metrics');
  const records = objectIn(metrics, 'recordSummary');
  const summary = objectIn(metrics, 'statusSummary');
  const duration = objectIn(metrics, 'durationSummary');
  const startedAt = numberIn(duration, 'startedAtUTC');
  return {
    id: textIn(item, 'id') ?? '',
    startedAt: startedAt || numberIn(item, 'createdAt'),
    completedAt: numberIn(duration, 'completedAtUTC') || undefined,
    status: textIn(summary, 'status')?.toLowerCase() ?? '',
    inputRecords: numberIn(records, 'inputRecordCount'),
    outputRecords: numberIn(records, 'outputRecordCount'),
    failedRecords: numberIn(records, 'failedRecordCount'),
    errors: (objectsOf(summary['errors']) ?? []).map((error) => ({
      code: textIn(error, 'code') ?? '',
      message: textIn(error, 'message') ?? '',
    })),
  };
}

function runsIn(body: JsonValue | undefined): FlowRun[] | undefined {
  return isJsonObject(body) ? objectsOf(body['items'])?.map(runOf) : undefined;
}

function firstPage(flowId: string): string {
  const property = encodeURIComponent(`flowId==${flowId}`);
  return `/runs?property=${property}&orderby=-createdAt&limit=${MAX_RUNS}`;
}

/**
 * The newest runs of a dataflow, at most 100.
 * Source: docs/platforms/adobe.md#finding-lost-records
 */
export async function listFlowRuns(
  client: PlatformClient,
  flowId: string,
): Promise<PlatformResult<readonly FlowRun[]>> {
  return readAnswer(await client.get(FLOW_SERVICE + firstPage(flowId)), `GET ${RUNS}`, runsIn);
}

/**
 * The runs of a dataflow that started at `since` or later, the oldest first. However many pages
 * they fill, each run is in the list once: new runs move the others to later pages meanwhile.
 * @param since epoch ms
 * @param signal ends it between two pages; its reason is thrown
 */
export async function listFlowRunsSince(
  client: PlatformClient,
  flowId: string,
  since: number,
  signal: AbortSignal,
): Promise<PlatformResult<readonly FlowRun[]>> {
  const found = new Map<string, FlowRun>();
  let path: string | undefined = firstPage(flowId);
  for (let page = 0; path !== undefined && page < MAX_PAGES; page += 1) {
    signal.throwIfAborted();
    const answer = await client.get(FLOW_SERVICE + path);
    const runs = readAnswer(answer, `GET ${RUNS}`, runsIn);
    if (!runs.ok) return runs;
    for (const run of runs.value) found.set(run.id, run);
    const isOver = runs.value.length === 0 || runs.value.every(({ startedAt }) => startedAt < since);
    path = answer.ok && !isOver ? nextFlowPage(answer.body) : undefined;
  }
  const runs = [...found.values()].filter(({ startedAt }) => startedAt >= since);
  return { ok: true, value: runs.toSorted((left, right) => left.startedAt - right.startedAt) };
}
