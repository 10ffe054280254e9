import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const BATCHES = '/data/foundation/catalog/batches';

/** Records of one dataset that were ingested together. */
export interface Batch {
  readonly id: string;
  /** `success`, `failed`, `active`, … */
  readonly status: string;
  /** Epoch ms; 0 if unknown. */
  readonly createdAt: number;
  /** Epoch ms; undefined while it is active. */
  readonly completedAt: number | undefined;
  /** Records in the data lake; undefined if Catalog does not say. */
  readonly records: number | undefined;
  readonly failedRecords: number | undefined;
  /** Adobe's codes and texts, such as `DCVS-1104-400`. */
  readonly errors: readonly BatchError[];
}

export interface BatchError {
  readonly code: string;
  readonly description: string;
}

export interface BatchQuery {
  readonly datasetId: string;
  readonly status?: 'failed' | 'success';
  /** Epoch ms. */
  readonly createdAfter: number;
}

/** Batches of a dataset, the newest first. */
export interface BatchList {
  readonly batches: readonly Batch[];
  /** False if there are more than were read. */
  readonly isComplete: boolean;
}

/** The largest page of Catalog. */
const PAGE_SIZE = 100;
const MAX_PAGES = 10;

function countIn(object: JsonObject, ...keys: readonly string[]): number | undefined {
  const found = keys.map((key) => object[key]).find((value) => typeof value === 'number');
  return typeof found === 'number' ? found : undefined;
}

function batchOf(id: string, body: JsonObject): Batch {
  const { created } = body;
  const metrics = isJsonObject(body['metrics']) ? body['metrics'] : {};
  return {
    id,
    status: textIn(body, 'status')?.toLowerCase() ?? '',
    createdAt: typeof created === 'number' ? created : 0,
    completedAt: countIn(body, 'completed'),
    records: countIn(metrics, 'outputRecordCount', 'recordsWritten') ?? countIn(body, 'recordCount'),
    failedRecords: countIn(body, 'failedRecordCount') ?? countIn(metrics, 'failedRecordCount'),
    errors: (objectsOf(body['errors']) ?? []).map((error) => ({
      code: textIn(error, 'code') ?? '',
      description: textIn(error, 'description') ?? textIn(error, 'message') ?? '',
    })),
  };
}

function batchesIn(body: JsonValue | undefined): Batch[] | undefined {
  if (!isJsonObject(body)) return undefined;
  return Object.entries(body).flatMap(([id, value]) => (isJsonObject(value) ? [batchOf(id, value)] : []));
}

/**
 * The batches of a dataset.
 * Source: docs/platforms/adobe.md#finding-lost-records
 */
export async function listBatches(
  client: PlatformClient,
  { datasetId, status, createdAfter }: BatchQuery,
): Promise<PlatformResult<BatchList>> {
  const query = new URLSearchParams({
    dataSet: datasetId,
    ...(status === undefined ? {} : { status }),
    createdAfter: String(createdAfter),
    orderBy: 'desc:created',
    limit: String(PAGE_SIZE),
  });
  const batches: Batch[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    query.set('start', String(page * PAGE_SIZE));
    const answer = await client.get(`${BATCHES}?${query.toString()}`);
    const read = readAnswer(answer, `GET ${BATCHES}`, batchesIn);
    if (!read.ok) return read;
    batches.push(...read.value);
    if (read.value.length < PAGE_SIZE) return { ok: true, value: { batches, isComplete: true } };
  }
  return { ok: true, value: { batches, isComplete: false } };
}
