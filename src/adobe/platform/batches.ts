import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { ANSWER_TOO_LARGE } from './platform-error.ts';
import { objectsOf, orAbsent, readAnswer, textIn } from './typed-answer.ts';

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
/** A batch names the positions of its refused records, so a page can be too large for an answer. */
const PAGE_SIZES = [PAGE_SIZE, 10, 1];
const MAX_PAGES = 10;

/** Whether its records were refused. */
export function isFailed({ status }: Batch): boolean {
  return FAILED_STATES.has(status);
}

/** Catalog's words for a batch without records in the lake. */
const FAILED_STATES: ReadonlySet<string> = new Set(['failed', 'failure']);

function countIn(object: JsonObject, ...keys: readonly string[]): number | undefined {
  const found = keys.map((key) => object[key]).find((value) => typeof value === 'number');
  return typeof found === 'number' ? found : undefined;
}

function isOver(body: JsonObject): boolean {
  return FAILED_STATES.has(textIn(body, 'status')?.toLowerCase() ?? '');
}

function batchOf(id: string, body: JsonObject): Batch {
  const { created } = body;
  const metrics = isJsonObject(body['metrics']) ? body['metrics'] : {};
  return {
    id,
    status: textIn(body, 'status')?.toLowerCase() ?? '',
    createdAt: typeof created === 'number' ? created : 0,
    completedAt: countIn(body, 'completed') ?? (isOver(body) ? countIn(body, 'updated') : undefined),
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
 * One batch; undefined if Catalog does not know it.
 * Source: docs/platforms/adobe.md#batches
 */
export async function readBatch(
  client: Pick<PlatformClient, 'get'>,
  id: string,
): Promise<PlatformResult<Batch | undefined>> {
  const answer = await client.get(`${BATCHES}/${encodeURIComponent(id)}`);
  const read = readAnswer(answer, `GET ${BATCHES}`, (body) => batchesIn(body));
  if (!read.ok) return orAbsent<Batch | undefined>(read);
  return { ok: true, value: read.value.find((batch) => batch.id === id) };
}

/** A page of failed batches. */
export interface FailedBatchPage {
  readonly batches: readonly Batch[];
  /** Undefined on the last page. */
  readonly next: FailedBatchPosition | undefined;
}

/** Where a page begins: with the batches created after a time, and how many of them to pass. */
export interface FailedBatchPosition {
  /** Epoch ms by Adobe's clock, exclusive. */
  readonly createdAfter: number;
  readonly start: number;
}

/**
 * Failed batches of a dataset in the order of their creation. A page begins at the time of the last
 * batch of the page before, so that batches which fail meanwhile move nothing over a boundary: a
 * batch can be listed twice, but none is left out.
 * Source: docs/platforms/adobe.md#batches
 */
export async function listFailedBatches(
  client: Pick<PlatformClient, 'get'>,
  datasetId: string,
  { createdAfter, start }: FailedBatchPosition,
): Promise<PlatformResult<FailedBatchPage>> {
  for (const limit of PAGE_SIZES) {
    const query = new URLSearchParams({
      dataSet: datasetId,
      status: 'failed',
      createdAfter: String(createdAfter),
      orderBy: 'asc:created',
      limit: String(limit),
      start: String(start),
    });
    const answer = await client.get(`${BATCHES}?${query.toString()}`);
    const read = readAnswer(answer, `GET ${BATCHES}`, batchesIn);
    if (!read.ok && read.error.code === ANSWER_TOO_LARGE && limit > 1) continue;
    if (!read.ok) return read;
    const batches = read.value.toSorted((left, right) => left.createdAt - right.createdAt);
    const last = batches.at(-1);
    if (batches.length < limit || last === undefined)
      return { ok: true, value: { batches, next: undefined } };
    const isNewTime = last.createdAt - 1 > createdAfter;
    const next = isNewTime
      ? { createdAfter: last.createdAt - 1, start: 0 }
      : { createdAfter, start: start + limit };
    return { ok: true, value: { batches, next } };
  }
  throw new Error('a page has at least one batch');
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
