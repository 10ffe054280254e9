import { isJsonObject, type JsonObject } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const RUNS = '/data/foundation/flowservice/runs';

/** One run of a dataflow; a streaming flow has one for each batch. */
export interface FlowRun {
  readonly id: string;
  /** Epoch ms; 0 if unknown. */
  readonly startedAt: number;
  /** `success`, `failed`, … */
  readonly status: string;
  readonly inputRecords: number;
  readonly outputRecords: number;
  readonly failedRecords: number;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** The largest page of Flow Service. */
const MAX_RUNS = 100;

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
  const startedAt = numberIn(objectIn(metrics, 'durationSummary'), 'startedAtUTC');
  return {
    id: textIn(item, 'id') ?? '',
    startedAt: startedAt || numberIn(item, 'createdAt'),
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

/**
 * The newest runs of a dataflow, at most 100.
 * Source: docs/platforms/adobe.md#finding-lost-records
 */
export async function listFlowRuns(
  client: PlatformClient,
  flowId: string,
): Promise<PlatformResult<readonly FlowRun[]>> {
  const property = encodeURIComponent(`flowId==${flowId}`);
  const answer = await client.get(`${RUNS}?property=${property}&orderby=-createdAt&limit=${MAX_RUNS}`);
  return readAnswer(answer, `GET ${RUNS}`, (body) =>
    isJsonObject(body) ? objectsOf(body['items'])?.map(runOf) : undefined,
  );
}
